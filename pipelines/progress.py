"""What a local run shows while it works."""

from __future__ import annotations

import os
import pathlib
import sys
import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from pipelines import logs
from transforms import metrics, storage

__all__ = ["Progress"]

_SECONDS = 0.5
_LINE_SECONDS = 15.0
"""Between plain lines, where no terminal shows a bar."""

STAGES = (
    ("annotate", ("annotate/documents",), "annotate/bytes"),
    ("deduplicate", ("light/documents",), None),
    ("settle", ("rows:remove_near_duplicates:kept", "rows:remove_near_duplicates:fates"), None),
    ("plan", ("rows:rank_strata:ranked",), None),
    ("publish", ("rows:settle_parts:routed", "rows:settle_parts:dropped"), None),
)
"""Stages in their order, with the counters of their documents and of their bytes."""


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
        show = self._show_bars if sys.stderr.isatty() and not logs.is_json() else self._show_lines
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

    def _stages(self) -> Iterator[tuple[str, int, int]]:
        """The stages that have begun: name, documents, bytes."""
        totals = self._totals()
        for stage, counters, size in STAGES:
            documents = sum(totals.get(counter, 0) for counter in counters)
            if documents:
                yield stage, documents, totals.get(size, 0) if size else 0

    def _show_bars(self) -> None:
        columns = (
            TextColumn("{task.description:12}"),
            BarColumn(),
            TextColumn("{task.fields[told]}"),
        )
        with Bar(*columns, TimeElapsedColumn(), TimeRemainingColumn(), transient=True) as bar:
            tasks: dict[str, TaskID] = {}
            most = 0
            while not self._stop.wait(_SECONDS):
                for stage, documents, size in self._stages():
                    if stage not in tasks:
                        tasks[stage] = bar.add_task(stage, told="", total=None)
                    most = max(most, documents)
                    # How many documents there are is known when all have been annotated.
                    done, total = (size, self._text_bytes) if size else (documents, most)
                    told = _told(documents, size)
                    bar.update(tasks[stage], told=told, completed=min(done, total), total=total)

    def _show_lines(self) -> None:
        while not self._stop.wait(_LINE_SECONDS):
            stages = list(self._stages())
            told = "; ".join(f"{stage} {_told(n, size)}" for stage, n, size in stages)
            seconds = round(time.monotonic() - self._began)
            counts = {stage: {"documents": n, "bytes": size} for stage, n, size in stages}
            stage = stages[-1][0] if stages else "starting"
            message = f"{seconds} s: {told or 'starting'}"
            logs.event("progress", message, stage=stage, seconds=seconds, counts=counts)


def _told(documents: int, size: int) -> str:
    return f"{documents:,} documents" + (f", {size / 1e6:,.0f} MB" if size else "")
