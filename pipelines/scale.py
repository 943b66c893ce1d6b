"""How large a job is made: runner, workers, partitions."""

from __future__ import annotations

import math
import os

from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions

from transforms.dedup.partitions import Scale
from transforms.ingest.listing import InputFile

__all__ = ["choose_runner", "partitions", "scale_of", "unpacked"]

_LOCAL = ("FnApiRunner", "DirectRunner", "BundleBasedDirectRunner", "PrismRunner")
_PARALLEL_BYTES = 24 << 20
"""Input from which several worker processes are worth the seconds that they take to start."""
_PARTITION_BYTES = 48 << 20
_LIGHT_BYTES = 64 << 20
"""Text whose light rows fill a partition."""
_FILE_BYTES = 1 << 30
"""Text whose dropped documents fill a file."""
_MANY = 1_000
"""Partitions up to which each has a size of its own: 64 GB of light rows' text."""
_PACKED = 4
"""How much larger text is than its file; only partition counts depend on it."""


def unpacked(files: list[InputFile]) -> int:
    """About how much text there is in files."""
    return sum(file.size * (1 if file.format == "jsonl" else _PACKED) for file in files)


def partitions(text_bytes: int, each: int) -> int:
    """Partitions of `each` bytes of text, and of more where there would be very many.

    A batch is cut into a piece for each partition, and a piece costs up to 2 kB however few
    rows it has: beyond `_MANY`, partitions grow with the root of the text, as their number.
    """
    plain = -(-text_bytes // each)
    return plain if plain <= _MANY else math.isqrt(plain * _MANY)


def scale_of(text_bytes: int, workers: int) -> Scale:
    """Numbers of partitions."""
    least = 4 * workers if workers > 1 else 2
    return Scale(
        light=max(least, partitions(text_bytes, _LIGHT_BYTES)),
        text=max(least, partitions(text_bytes, _PARTITION_BYTES)),
        files=max(1, -(-text_bytes // _FILE_BYTES)),
    )


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def choose_runner(options: PipelineOptions, text_bytes: int, *, chosen: bool) -> tuple[str, int]:
    """Chooses the runner, and workers unless they are chosen; name and number."""
    standard, direct = options.view_as(StandardOptions), options.view_as(DirectOptions)
    standard.runner = standard.runner or "FnApiRunner"
    runner = standard.runner.rsplit(".", 1)[-1]
    if runner not in _LOCAL:
        return runner, 0
    if not chosen:
        direct.direct_num_workers = _cores() if text_bytes >= _PARALLEL_BYTES else 1
    workers = direct.direct_num_workers or _cores()
    if workers > 1 and direct.direct_running_mode == "in_memory":
        direct.direct_running_mode = "multi_processing"
        # Arrow sizes its thread pool by this: a worker per core leaves none for threads.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    return runner, workers
