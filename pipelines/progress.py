"""What a local run shows while it works."""

from __future__ import annotations

import logging
import os
import pathlib
import sys
import threading
import time
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress as Bar, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import TimeRemainingColumn

from transforms import metrics, storage

__all__ = ["Progress"]

_LOG = logging.getLogger("holdfast")
_SECONDS = 0.5
_LINE_SECONDS = 15.0
"""Between plain lines, where no terminal shows a bar."""

STAGES = (
    ("annotate", "annotate/documents", "annotate/bytes"),
    ("deduplicate", "light/documents", None),
    ("settle", "settle/documents", None),
    ("shards", "shards/documents", "shards/bytes"),
)
"""Stages in their order, with the counters of their documents and bytes."""


class Progress:
    """Shows documents and bytes per stage while a block runs.

    Worker processes keep their totals in files of a local folder; this reads them.
    A bar with an estimate on a terminal, a plain log line now and then elsewhere,
    nothing at all for a runner that is not local.

    Args:
        folder: Local folder for the totals; None shows nothing.
        text_bytes: About how much text there is, for the estimate of the first stage.
    """

    def __init__(self, folder: str | None, text_bytes: int) -> None:
        self._folder = pathlib.Path(folder) if folder and storage.is_local(folder) else None
        self._text_bytes = max(1, text_bytes)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        if self._folder is None:
            return self
        self._folder.mkdir(parents=True, exist_ok=True)
        os.environ[metrics.PROGRESS_ENV] = str(self._folder.resolve())
        show = self._show_bars if sys.stderr.isatty() else self._show_lines
        self._thread = threading.Thread(target=show, name="progress", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        os.environ.pop(metrics.PROGRESS_ENV, None)
        if self._thread is not None:
            self._thread.join()

    def _totals(self) -> dict[str, int]:
        return metrics.read_progress(self._folder) if self._folder else {}

    def _show_bars(self) -> None:
        columns = (TextColumn("{task.description:12}"), BarColumn(), TextColumn("{task.fields[told]}"))
        with Bar(*columns, TimeElapsedColumn(), TimeRemainingColumn(), transient=True) as bar:
            tasks: dict[str, TaskID] = {}
            while not self._stop.wait(_SECONDS):
                totals = self._totals()
                documents = totals.get("annotate/documents", 0)
                for stage, counter, size in STAGES:
                    done = totals.get(counter, 0)
                    if not done:
                        continue
                    if stage not in tasks:
                        tasks[stage] = bar.add_task(stage, told="", total=None)
                    told = self._told(done, totals.get(size, 0) if size else 0)
                    if stage == "annotate":
                        bar.update(tasks[stage], told=told, completed=totals.get("annotate/bytes", 0), total=self._text_bytes)
                    else:
                        bar.update(tasks[stage], told=told, completed=done, total=max(done, documents) or None)

    def _show_lines(self) -> None:
        while not self._stop.wait(_LINE_SECONDS):
            totals = self._totals()
            told = [
                f"{stage} {self._told(totals[counter], totals.get(size, 0) if size else 0)}"
                for stage, counter, size in STAGES
                if totals.get(counter)
            ]
            elapsed = time.monotonic() - self._began
            _LOG.info("%.0f s: %s", elapsed, "; ".join(told) or "starting")

    @staticmethod
    def _told(documents: int, size: int) -> str:
        return f"{documents:,} documents" + (f", {size / 1e6:,.0f} MB" if size else "")
