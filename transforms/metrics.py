"""The job's counters: one namespace, stable names, and a local view while it runs.

Pure code never imports this module: it takes a `count` callable and a test
passes a dictionary. DoFns pass `metrics.count`. Names read
`<stage>/<what>`, reasons as `dropped:near_duplicate`.
"""

from __future__ import annotations

import functools
import json
import os
import pathlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from apache_beam.metrics import Metrics

__all__ = [
    "NAMESPACE",
    "PROGRESS_ENV",
    "Count",
    "count",
    "counters",
    "cpu",
    "largest",
    "measure",
    "read_progress",
    "timed",
]

T = TypeVar("T")

NAMESPACE = "holdfast"
PROGRESS_ENV = "HOLDFAST_PROGRESS_DIR"
"""When set, each worker process keeps its totals in a file of this folder, too."""

_PROGRESS_SECONDS = 0.25

Count = Callable[[str, int], None]
"""`count(name, n)`: adds n to the counter `name`."""


@functools.cache
def _counter(name: str) -> object:
    return Metrics.counter(NAMESPACE, name)


def count(name: str, n: int = 1) -> None:
    """Adds `n` to a counter. Only for code that Beam runs once per bundle, no combiners."""
    _counter(name).inc(int(n))  # type: ignore[attr-defined]
    progress = _progress(os.environ.get(PROGRESS_ENV))
    if progress is not None:
        progress.add(name, int(n))


@functools.cache
def _distribution(name: str) -> object:
    return Metrics.distribution(NAMESPACE, name)


def measure(name: str, n: int) -> None:
    """Adds one measurement to a distribution, of which a run knows number, sum and ends."""
    _distribution(name).update(int(n))  # type: ignore[attr-defined]


@contextmanager
def cpu(stage: str) -> Iterator[None]:
    """Adds the CPU time of the block, in microseconds, to the counter `cpu_us:<stage>`."""
    began = time.thread_time_ns()
    try:
        yield
    finally:
        count(f"cpu_us:{stage}", (time.thread_time_ns() - began) // 1000)


def timed(stage: str, items: Iterable[T]) -> Iterator[T]:
    """Hands items on, counting the CPU time of making them as `cpu` does."""
    source = iter(items)
    while True:
        with cpu(stage):
            item = next(source, None)
        if item is None:
            return
        yield item


class _Progress:
    """Totals of this process, written to a file often enough for a progress bar."""

    def __init__(self, folder: str) -> None:
        self._path = pathlib.Path(folder) / f"{os.getpid()}.json"
        self._totals: dict[str, int] = {}
        self._written = 0.0
        self._lock = threading.Lock()

    def add(self, name: str, n: int) -> None:
        with self._lock:
            self._totals[name] = self._totals.get(name, 0) + n
            now = time.monotonic()
            if now - self._written < _PROGRESS_SECONDS:
                return
            self._written = now
            temporary = self._path.with_suffix(".tmp")
            # What only a progress bar reads stops no job; a full disk will show elsewhere.
            with suppress(OSError):
                temporary.write_text(json.dumps(self._totals))
                temporary.replace(self._path)


@functools.lru_cache(maxsize=1)
def _progress(folder: str | None) -> _Progress | None:
    return _Progress(folder) if folder else None


def counters(result: Any) -> dict[str, int]:
    """All of holdfast's counters of a finished run, by name; those of a stage are summed."""
    totals: dict[str, int] = {}
    for counter in result.metrics().query()["counters"]:
        metric = counter.key.metric
        if metric.namespace == NAMESPACE:
            totals[metric.name] = totals.get(metric.name, 0) + int(counter.committed or 0)
    return dict(sorted(totals.items()))


def largest(result: Any) -> dict[str, int]:
    """The largest measurement of each distribution of a finished run, as `max:<name>`."""
    found: dict[str, int] = {}
    for told in result.metrics().query()["distributions"]:
        metric = told.key.metric
        if metric.namespace == NAMESPACE and told.committed is not None:
            name = f"max:{metric.name}"
            found[name] = max(found.get(name, 0), int(told.committed.max))
    return dict(sorted(found.items()))


def read_progress(folder: pathlib.Path) -> dict[str, int]:
    """Sums what every worker process last wrote; at most a quarter of a second old."""
    totals: dict[str, int] = {}
    for path in folder.glob("*.json"):
        for name, n in json.loads(path.read_text()).items():
            totals[name] = totals.get(name, 0) + n
    return totals
