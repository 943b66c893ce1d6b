"""How cost grows with the size of the corpus: deduplication alone, and the whole job.

    python -m benchmarks.scaling [--sizes 100000,200000] [--what dedup,curate] [--delete]
        [--stages FILE]

Every run is a fresh process, as in `benchmarks.job`. The exponent of growth is the slope
of log(cost) over log(documents), by least squares over all sizes. For the whole job, CPU,
shuffled bytes and the largest partition are told stage by stage, and storage by folder;
`--stages` keeps them for `benchmarks.costs`.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import shutil
from collections.abc import Sequence

import numpy as np

from benchmarks.corpora import Mixer, add_flags, add_work, mixer
from benchmarks.job import Case, Result, clear, run
from benchmarks.measure import METHOD
from benchmarks.stages import Stages, print_stages
from benchmarks.tables import Line, print_lines, print_table

__all__ = ["main"]

_WHAT = ("dedup", "curate")
_SIZES = (100_000, 200_000, 500_000, 1_000_000, 2_000_000)
_WARM = 2_000
_COSTS = ("wall", "cpu", "peak")


def _slope(results: Sequence[Result], cost: str) -> float:
    """Least-squares slope of log(cost) over log(documents)."""
    sizes = np.log([result.case.documents for result in results])
    return float(np.polyfit(sizes, np.log([getattr(r.usage, cost) for r in results]), 1)[0])


def _lines(what: str, results: Sequence[Result]) -> list[Line]:
    """Exponents, and what each further document costs between the ends."""
    targets = {"wall": "<= 1.05", "cpu": "<= 1.05", "peak": ""}
    lines = [
        (f"{what}: growth exponent of {cost}", f"{_slope(results, cost):.3f}", targets[cost])
        for cost in _COSTS
    ]
    first, last = results[0], results[-1]
    more = last.case.documents - first.case.documents
    cpu, peak = (getattr(last.usage, c) - getattr(first.usage, c) for c in ("cpu", "peak"))
    lines.append((f"{what}: CPU ms for each further document", f"{1e3 * cpu / more:.3f}", ""))
    lines.append((f"{what}: bytes of peak for each further document", f"{peak / more:,.0f}", ""))
    return lines


def _row(result: Result) -> list[str]:
    usage, documents = result.usage, result.case.documents
    rates = [f"{usage.wall:.1f}", f"{documents / usage.wall:,.0f}", f"{usage.cpu:.1f}"]
    return [str(result.case), f"{documents:,}", *rates, f"{usage.peak / 1e6:,.0f}"]


def _measure(given: argparse.Namespace, mix: Mixer, stages: list[Stages]) -> list[Result]:
    """Runs size by size, so that one corpus is on disk at a time if it is deleted after use."""
    results = []
    for documents in given.sizes:
        corpus = mix.corpus(given.work, documents, 1)
        for what in given.what:
            case = Case(what, documents, workers=given.workers)
            results.append(run(case, corpus, given.work))
            if what == "curate":
                stages.append(Stages.of(documents, given.work / case.slug))
            clear(case, given.work)
        if given.delete:
            shutil.rmtree(corpus)
    return results


def _numbers(told: str) -> list[int]:
    return sorted({int(size) for size in told.split(",")})


def _names(told: str) -> list[str]:
    names = told.split(",")
    if unknown := set(names).difference(_WHAT):
        raise argparse.ArgumentTypeError(f"{unknown.pop()!r} is none of {', '.join(_WHAT)}")
    return names


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_flags(parser)
    told = ",".join(map(str, _SIZES))
    parser.add_argument("--sizes", type=_numbers, default=told, help=f"documents (default {told})")
    parser.add_argument("--what", type=_names, default=",".join(_WHAT), help="dedup, curate")
    parser.add_argument("--workers", type=int, default=2, help="worker processes (default 2)")
    parser.add_argument("--delete", action="store_true", help="delete each corpus after its runs")
    parser.add_argument("--stages", type=pathlib.Path, help="keep what stages cost in this file")
    add_work(parser)
    return parser.parse_args()


def main() -> None:
    """Measures every size and prints the growth."""
    given = _parse()
    given.work = given.work.resolve()
    given.work.mkdir(parents=True, exist_ok=True)
    mix = mixer(given)
    warm = mix.corpus(given.work, _WARM, 1)
    for what in given.what:
        case = Case(what, _WARM, workers=1)
        run(case, warm, given.work)
        clear(case, given.work)
    stages: list[Stages] = []
    results = _measure(given, mix, stages)
    header = ("run", "documents", "wall s", "docs/s", "CPU s", "peak MB")
    print_table(f"Runs ({METHOD})", header, [_row(result) for result in results])
    for what in given.what:
        alike = [result for result in results if result.case.what == what]
        if len(alike) > 1:
            print_lines(f"Growth of {what}", _lines(what, alike))
    if stages:
        print_stages(stages)
    if given.stages:
        told = [entry.record() for entry in stages]
        given.stages.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
