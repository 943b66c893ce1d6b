"""How much of the unique text that floors and caps allow a run has published.

    python -m benchmarks.yield RUN [--staging DIR]

The bound is a linear program of its own over original x tail x synthetic, from the
rows that deduplication kept: X is the size published of a cell and u the unique
part of it, with u <= X, u <= U and X <= k U, where U is the unique size there is
and k the repeat cap, 1 for text that serves no floor. It maximises the sum of u.
Whole documents, which no linear program knows of, can only publish less.
"""

# ruff: noqa: N999  # run by its name, imported by nobody
from __future__ import annotations

import argparse
import json
import pathlib
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy.optimize import linprog

from benchmarks.tables import print_lines

__all__ = ["largest_unique", "main"]

_NAMES = ("original", "tail", "synthetic")
Cell = tuple[bool, bool, bool]
"""Whether a document is original, tail, synthetic."""

_ANCHOR, _SYNTHETIC = 0, 2
"""Codes of `origin` in the rows that deduplication keeps."""
_FITS = 8
"""A document fits a shard when this many of it would."""


def _stock(staging: pathlib.Path, shard_size: int) -> tuple[Counter[Cell], int]:
    """Unique size per cell of what fits a shard, and the size of what does not."""
    record = json.loads((staging / "kept.json").read_text())
    kept = pa.concat_tables([pq.read_table(entry["path"]) for entry in record["kept"]])
    cells: Counter[Cell] = Counter()
    large = 0
    columns = (kept.column(name).to_pylist() for name in ("origin", "tail", "size"))
    for origin, tail, size in zip(*columns, strict=True):
        if size > shard_size // _FITS:
            large += size
        else:
            cells[origin == _ANCHOR, bool(tail), origin == _SYNTHETIC] += size
    return cells, large


def largest_unique(stock: Counter[Cell], config: dict[str, Any]) -> float:
    """The most unique size that floors and caps allow.

    Args:
        stock: Unique size per cell.
        config: `floors`, `caps`, `repeat_cap` and `target` of the run.
    """
    cells = sorted(stock)
    n = len(cells)
    most = [stock[c] * (config["repeat_cap"] if _served(c, config["floors"]) else 1) for c in cells]
    rows, bounds = [], []
    for i in range(n):
        rows.append([-1.0 * (j == i) for j in range(n)] + [1.0 * (j == i) for j in range(n)])
        bounds.append(0.0)
    for sign, shares in ((-1.0, config["floors"]), (1.0, config["caps"])):
        for name, share in shares.items():
            inside = [float(cell[_NAMES.index(name)]) for cell in cells]
            rows.append([sign * (x - share) for x in inside] + [0.0] * n)
            bounds.append(0.0)
    if config["target"]:
        rows.append([1.0] * n + [0.0] * n)
        bounds.append(float(config["target"]))
    limits = [(0, x) for x in most] + [(0, stock[c]) for c in cells]
    solved = linprog([0.0] * n + [-1.0] * n, np.array(rows), np.array(bounds), bounds=limits)
    if solved.x is None:
        raise SystemExit(f"no output keeps these floors and caps: {solved.message}")
    return float(-solved.fun)


def _served(cell: Cell, floors: dict[str, float]) -> bool:
    return any(cell[_NAMES.index(name)] for name, share in floors.items() if share > 0)


def _published(run: pathlib.Path, unit: str) -> tuple[int, int]:
    """Size of first appearances and of all, measured on the text of the shards."""
    measure = {"chars": pc.utf8_length, "bytes": pc.binary_length}.get(unit)
    unique = total = 0
    for path in sorted((run / "data").glob("*.parquet")):
        table = pq.read_table(path, columns=["text", "repeat"])
        size = measure(table.column("text")) if measure else pa.repeat(1, len(table))
        first = pc.equal(table.column("repeat"), 0)
        unique += pc.sum(size.filter(first)).as_py() or 0
        total += pc.sum(size).as_py() or 0
    return unique, total


def main() -> None:
    """Prints what was published beside what could have been."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=pathlib.Path, help="folder of a published run")
    parser.add_argument(
        "--staging", type=pathlib.Path, help="its staging folder (default RUN.staging)"
    )
    given = parser.parse_args()
    staging = given.staging or given.run.with_name(f"{given.run.name}.staging")
    if not (staging / "kept.json").exists():
        raise SystemExit(f"{staging} holds no kept.json; name the run's staging with --staging")
    manifest = json.loads((given.run / "manifest.json").read_text())
    stock, large = _stock(staging, manifest["config"]["shard_size"])
    bound = largest_unique(stock, manifest["config"])
    unique, total = _published(given.run, manifest["size_unit"])
    planned = sum(cell["unique"] for cell in manifest["plan"]["cells"])
    print_lines(
        f"Yield in {manifest['size_unit']}",
        [
            ("kept by deduplication", f"{sum(stock.values()) + large:,}", ""),
            ("  too large for a shard", f"{large:,}", ""),
            ("known to the plan", f"{planned:,}", f"{sum(stock.values()):,}"),
            ("unique, largest feasible", f"{bound:,.0f}", ""),
            ("unique, as planned", f"{manifest['plan']['unique']:,}", ""),
            ("unique, published", f"{unique:,}", ""),
            ("published, repeats included", f"{total:,}", ""),
            ("published of feasible", f"{unique / bound:.5f}", ">= 0.95"),
        ],
    )


if __name__ == "__main__":
    main()
