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
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy.optimize import linprog

from benchmarks.tables import print_lines

__all__ = ["Program", "main"]

_NAMES = ("original", "tail", "synthetic")
Cell = tuple[bool, bool, bool]
"""Whether a document is original, tail, synthetic."""

Vector = npt.NDArray[np.float64]

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


class Program:
    """Floors, caps and repeat cap of a run as a linear program over X and u.

    Args:
        stock: Unique size per cell.
        config: `floors`, `caps`, `repeat_cap` and `target` of the run.
    """

    def __init__(self, stock: Counter[Cell], config: dict[str, Any]) -> None:
        cells = sorted(stock)
        self._n = n = len(cells)
        floors, caps, most = config["floors"], config["caps"], config["repeat_cap"]
        self._limits = [(0, stock[c] * (most if _served(c, floors) else 1)) for c in cells]
        self._limits += [(0, stock[c]) for c in cells]
        self._rows = [*np.hstack([-np.eye(n), np.eye(n)])]
        self._bounds = [0.0] * n
        for sign, shares in ((-1.0, floors), (1.0, caps)):
            for name, share in shares.items():
                inside = np.array([float(cell[_NAMES.index(name)]) for cell in cells])
                self._at_most(np.concatenate([sign * (inside - share), np.zeros(n)]), 0.0)
        if config["target"]:
            self._at_most(self._published, float(config["target"]))

    @property
    def _published(self) -> Vector:
        return np.repeat([1.0, 0.0], self._n)

    @property
    def _unique(self) -> Vector:
        return np.repeat([0.0, 1.0], self._n)

    def _at_most(self, row: Vector, bound: float) -> None:
        self._rows.append(row)
        self._bounds.append(bound)

    def _least(self, objective: Vector) -> float:
        rows, bounds = np.array(self._rows), np.array(self._bounds)
        solved = linprog(objective, rows, bounds, bounds=self._limits)
        if solved.x is None:
            raise SystemExit(f"no output keeps these floors and caps: {solved.message}")
        return float(solved.fun)

    def largest_unique(self) -> float:
        """The most unique size that can be published."""
        return -self._least(-self._unique)

    def least_total(self, unique: float) -> float:
        """The least size, repeats included, with so much unique text; narrows the program."""
        self._at_most(-self._unique, -unique)
        return self._least(self._published)


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
    program = Program(stock, manifest["config"])
    bound = program.largest_unique()
    unique, total = _published(given.run, manifest["size_unit"])
    least = program.least_total(min(unique, bound))
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
            ("published, repeats included", f"{total:,}", f"least for it: {least:,.0f}"),
            ("published of feasible", f"{unique / bound:.5f}", ">= 0.95"),
        ],
    )


if __name__ == "__main__":
    main()
