"""Timing the steps of a kernel: the best of several passes, as lines of JSON.

Runs in a peer's own environment: it imports nothing of holdfast.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import time
from collections.abc import Callable

import pyarrow.parquet as pq

__all__ = ["report", "texts_and_passes"]


def texts_and_passes() -> tuple[list[str], int]:
    """The texts of `--input`, and how many passes to make."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--input", type=pathlib.Path, required=True)
    parser.add_argument("--passes", type=int, default=3)
    given = parser.parse_args()
    return pq.read_table(given.input).column("text").to_pylist(), given.passes


def report(name: str, step: str, run: Callable[[], object], documents: int, passes: int) -> None:
    """Times `run` and prints what it does to so many documents a second of CPU.

    The process is held to one core, so CPU is wall clock without what others take of it.

    A pass that would take long is made once only.
    """
    best = float("inf")
    for _ in range(passes):
        began = time.process_time()
        run()
        best = min(best, time.process_time() - began)
        if best > 5:
            break
    print(json.dumps({"name": name, "step": step, "rate": documents / best}), flush=True)
