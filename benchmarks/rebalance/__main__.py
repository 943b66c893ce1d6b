"""What planning and assigning cost, and how that grows with the number of documents.

    python -m benchmarks.rebalance [--sizes 1000000,2500000] [--workers 2]

Metadata alone, made up: 10,002 strata of origin and language whose frequencies follow a
power law, log-normal sizes. Every run is a fresh process, start-up included, from Arrow
files to Arrow files; what comes out is checked against what went in. The exponent of
growth is the slope of log(cost) over log(documents), by least squares.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import shutil
import sys
from collections.abc import Sequence

import numpy as np

from benchmarks.corpora import add_work
from benchmarks.measure import METHOD, Usage, measure
from benchmarks.rebalance.check import Checked, check
from benchmarks.rebalance.job import CONFIG, COUNTERS
from benchmarks.rebalance.rows import write_rows
from benchmarks.tables import Line, print_lines, print_table

__all__ = ["main"]

_SIZES = (1_000_000, 2_500_000, 5_000_000, 10_000_000)
_WALL, _PEAK, _GROWTH = 90.0, 6e9, 1.1
"""Targets: seconds and bytes at ten million documents; the exponent."""
_STAGE = "cpu_us:"


@dataclasses.dataclass(frozen=True)
class Result:
    """One run."""

    documents: int
    usage: Usage
    checked: Checked
    counters: dict[str, int]


def _run(documents: int, work: pathlib.Path, workers: int) -> Result:
    """Makes rows, measures a run on them, and judges what came out.

    Raises:
        SystemExit: The run failed.
    """
    rows, out, log = work / "rows", work / "out", work / f"rebalance-{documents}.log"
    for folder in (rows, out):
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{documents:,} documents ...", flush=True)
    write_rows(rows, documents)
    command = [sys.executable, "-m", "benchmarks.rebalance.job", str(rows), str(out)]
    with log.open("wb") as sink:
        usage = measure([*command, f"--workers={workers}"], output=sink)
    if usage.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {usage.returncode}; see {log}")
    checked = check(out, documents, CONFIG.floors, CONFIG.caps, CONFIG.repeat_cap)
    counters = json.loads((out / COUNTERS).read_text())
    for folder in (rows, out):
        shutil.rmtree(folder)
    print(f"  {usage.wall:.1f} s, CPU {usage.cpu:.1f} s, {usage.peak / 1e6:,.0f} MB", flush=True)
    return Result(documents, usage, checked, counters)


def _row(result: Result) -> list[str]:
    usage, checked = result.usage, result.checked
    worst = [f"{share:.6f}" for share in checked.worst.values()]
    figures = [f"{usage.wall:.1f}", f"{usage.cpu:.1f}", f"{usage.peak / 1e6:,.0f}"]
    rate = f"{1e6 * usage.cpu / result.documents:.2f}"
    wrong = ", ".join(f"{kind}: {n}" for kind, n in checked.wrong.items()) or "none"
    documents = [f"{n:,}" for n in (checked.shards, checked.documents, checked.repeats)]
    return [f"{result.documents:,}", *figures, rate, *documents, *worst, wrong]


def _growth(results: Sequence[Result]) -> list[Line]:
    sizes = np.log([result.documents for result in results])
    lines = []
    for cost, target in (("wall", f"<= {_GROWTH}"), ("cpu", f"<= {_GROWTH}"), ("peak", "")):
        costs = np.log([getattr(result.usage, cost) for result in results])
        lines.append(
            (f"growth exponent of {cost}", f"{np.polyfit(sizes, costs, 1)[0]:.3f}", target)
        )
    last = results[-1]
    if last.documents == _SIZES[-1]:
        lines.append(("wall s at ten million", f"{last.usage.wall:.1f}", f"<= {_WALL:.0f}"))
        lines.append(
            ("peak GB at ten million", f"{last.usage.peak / 1e9:.2f}", f"<= {_PEAK / 1e9:.0f}")
        )
    return lines


def _stages(result: Result) -> list[Line]:
    """CPU inside the partition functions; the rest is the way of rows, and starting up."""
    spent = {
        name.removeprefix(_STAGE): count / 1e6
        for name, count in result.counters.items()
        if name.startswith(_STAGE)
    }
    lines = [(stage, f"{spent[stage]:.2f}", "") for stage in sorted(spent, key=spent.__getitem__)]
    lines.append(("all else", f"{result.usage.cpu - sum(spent.values()):.2f}", ""))
    return lines[::-1]


def main() -> None:
    """Measures every size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    told = ",".join(map(str, _SIZES))
    parser.add_argument("--sizes", default=told, help=f"documents (default {told})")
    parser.add_argument("--workers", type=int, default=2, help="worker processes (default 2)")
    add_work(parser)
    given = parser.parse_args()
    work = given.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    sizes = sorted({int(size) for size in given.sizes.split(",")})
    results = [_run(documents, work, given.workers) for documents in sizes]
    header = ["documents", "wall s", "CPU s", "peak MB", "CPU us each", "shards", "assigned"]
    header += ["repeats", *(f"worst {n}" for n in (*CONFIG.floors, *CONFIG.caps)), "broken"]
    print_table(
        f"Rebalancing, {given.workers} workers ({METHOD})", header, list(map(_row, results))
    )
    print_lines(f"CPU s by step, {sizes[-1]:,} documents", _stages(results[-1]))
    if len(results) > 1:
        print_lines("Growth", _growth(results))


if __name__ == "__main__":
    main()
