"""What the whole job costs, and deduplication alone, beside what they may cost.

    python -m benchmarks.job [--quick] [--work DIR]

Every run is a fresh process on a mixed corpus of real texts; start-up is included. One
run that is not measured goes before, so that compiled kernels are on disk.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import math
import pathlib
import shutil
import sys
from collections.abc import Sequence

from benchmarks.corpora import Mixer, add_flags, mixer
from benchmarks.measure import METHOD, Usage, measure
from benchmarks.tables import Line, print_lines, print_table

__all__ = ["Case", "Result", "clear", "main", "run"]

_JOB_MS = 0.9
_DEDUP_MS = 0.15
_LANGID_MS = 0.2
"""For documents of about 2,500 characters, as the corpus has."""
_PEAK_BYTES = 2e9
_PEAK_BYTES_EACH = 400
_WALL_RATIO = 0.65

_POLICY = ("--floor", "original=0.6", "--floor", "tail=0.3", "--cap", "synthetic=0.1")
_STAGE = "cpu_us:"
_SHOWN = 0.05
"""Seconds of CPU from which a stage is worth a row."""


@dataclasses.dataclass(frozen=True)
class Case:
    """One run to measure.

    Attributes:
        what: `curate` or `dedup`.
        documents: Size of the corpus.
        workers: Worker processes.
        longer: How many texts are joined into one document.
    """

    what: str
    documents: int
    workers: int = 2
    longer: int = 1

    def __str__(self) -> str:
        longer = f", texts x{self.longer}" if self.longer > 1 else ""
        return f"{self.what}, {self.workers} worker{'s' * (self.workers > 1)}{longer}"

    @property
    def slug(self) -> str:
        """Names its folders."""
        return f"{self.what}-{self.documents}-{self.longer}-w{self.workers}"


_START = 2_000
"""Documents of the runs that show what starting costs."""
_STEADY = 200_000
"""Documents from which the peak has to follow the target for each further one."""

_QUICK = (
    Case("curate", _START),
    Case("dedup", _START),
    Case("curate", 50_000),
    Case("curate", 200_000),
    Case("curate", 200_000, workers=1),
    Case("dedup", 200_000),
)
_FULL = (*_QUICK, Case("curate", 800_000), Case("curate", 200_000, longer=3))


@dataclasses.dataclass(frozen=True)
class Result:
    """What a run took, with its counters."""

    case: Case
    usage: Usage
    counters: dict[str, int]

    @property
    def cpu_ms(self) -> float:
        """Of CPU for each document."""
        return 1e3 * self.usage.cpu / self.case.documents


def _command(case: Case, corpus: pathlib.Path, out: pathlib.Path) -> tuple[list[str], pathlib.Path]:
    """The command of a case, and where its counters will be."""
    pattern = str(corpus / "part-*.parquet")
    if case.what == "dedup":
        command = ["benchmarks.dedup.job", "--input", pattern, "--output", str(out)]
        command += ["--workers", str(case.workers)]
        return [sys.executable, "-m", *command], out / "counters.json"
    counters = out.with_name(f"{out.name}.staging") / "metrics.json"
    command = ["pipelines.cli", "curate", "--input", pattern]
    command += ["--output", str(out), *_POLICY, "--shard-size", "8M"]
    return [sys.executable, "-m", *command, f"--direct_num_workers={case.workers}"], counters


def clear(case: Case, work: pathlib.Path) -> None:
    """Takes away what a run has written."""
    for place in (work / case.slug, work / f"{case.slug}.staging"):
        shutil.rmtree(place, ignore_errors=True)


def run(case: Case, corpus: pathlib.Path, work: pathlib.Path) -> Result:
    """Runs one case on a corpus in a fresh process.

    Raises:
        SystemExit: It failed.
    """
    out = work / case.slug
    clear(case, work)
    command, counters = _command(case, corpus, out)
    log = work / f"{case.slug}.log"
    print(f"{case}, {case.documents:,} documents ...", flush=True)
    with log.open("wb") as output:
        usage = measure(command, output=output)
    if usage.returncode:
        tail = log.read_text(errors="replace")[-2000:]
        raise SystemExit(f"{' '.join(command)}\nended with {usage.returncode}; {log} ends:\n{tail}")
    return Result(case, usage, json.loads(counters.read_text()))


def _runs_table(results: Sequence[Result]) -> None:
    header = (
        "run",
        "documents",
        "wall s",
        "docs/s",
        "CPU s",
        "CPU ms/doc",
        "peak MB",
        "allowed MB",
        "processes",
    )
    rows = []
    for result in results:
        documents, usage = result.case.documents, result.usage
        allowed = _PEAK_BYTES + _PEAK_BYTES_EACH * documents
        rates = (f"{usage.wall:.1f}", f"{documents / usage.wall:,.0f}", f"{usage.cpu:.1f}")
        costs = (f"{result.cpu_ms:.3f}", f"{usage.peak / 1e6:,.0f}", f"{allowed / 1e6:,.0f}")
        name = (str(result.case), f"{documents:,}")
        rows.append((*name, *rates, *costs, f"{usage.processes}"))
    print_table(f"Runs ({METHOD})", header, rows)


def _growth(small: Result, large: Result) -> list[Line]:
    """How cost grows from one size to the next: exponents, and bytes a document."""
    times = math.log(large.case.documents / small.case.documents)
    wall, cpu = (
        math.log(b / a) / times
        for a, b in (
            (small.usage.wall, large.usage.wall),
            (small.usage.cpu, large.usage.cpu),
        )
    )
    more = large.case.documents - small.case.documents
    slope = (large.usage.peak - small.usage.peak) / more
    sizes = f"{small.case.documents:,} to {large.case.documents:,}"
    return [
        (f"growth exponent of CPU, {sizes}", f"{cpu:.2f}", "<= 1"),
        (f"growth exponent of wall clock, {sizes}", f"{wall:.2f}", "<= 1"),
        _further(small, large),
        (
            f"bytes of peak for each further document, {sizes}",
            f"{slope:,.0f}",
            f"<= {_PEAK_BYTES_EACH}" if small.case.documents >= _STEADY else "",
        ),
    ]


def _further(small: Result, large: Result) -> Line:
    """CPU of a document once the job has started."""
    more = large.case.documents - small.case.documents
    marginal = 1e3 * (large.usage.cpu - small.usage.cpu) / more
    sizes = f"{small.case.documents:,} to {large.case.documents:,}"
    return (f"CPU ms for each further document: {large.case}, {sizes}", f"{marginal:.3f}", "")


def _verdicts(results: Sequence[Result]) -> list[Line]:
    """Every target that the runs made can be held against."""
    by_case = {result.case: result for result in results}
    lines: list[Line] = []
    for result in results:
        bound = _DEDUP_MS if result.case.what == "dedup" else _JOB_MS
        if result.case.longer == 1 and result.case.documents > _START:
            name = f"CPU ms/document: {result.case}, {result.case.documents:,}"
            lines.append((name, f"{result.cpu_ms:.3f}", f"<= {bound}"))
            lines += _identifying(result)
    two, one = (by_case.get(Case("curate", 200_000, workers=n)) for n in (2, 1))
    if two and one:
        ratio = two.usage.wall / one.usage.wall
        lines.append(("wall clock, 2 workers to 1", f"{ratio:.2f}", f"<= {_WALL_RATIO}"))
    sizes = [by_case[case] for case in sorted(_sizes(by_case), key=lambda case: case.documents)]
    for small, large in itertools.pairwise(sizes):
        lines += _growth(small, large)
    if len(sizes) > 2:
        lines += _growth(sizes[0], sizes[-1])
    begun, alone = (by_case.get(Case("dedup", n)) for n in (_START, 200_000))
    if begun and alone:
        lines.append(_further(begun, alone))
    longer = by_case.get(Case("curate", 200_000, longer=3))
    if two and longer:
        ratio = longer.usage.peak / two.usage.peak
        lines.append(("peak, texts x3 to x1", f"{ratio:.2f}", ""))
    return lines


def _identifying(result: Result) -> list[Line]:
    """CPU of a document in the language identifier, where it ran."""
    spent = result.counters.get(f"{_STAGE}langid")
    if spent is None:
        return []
    name = f"CPU ms/document to identify its language: {result.case}, {result.case.documents:,}"
    return [(name, f"{spent / 1e3 / result.case.documents:.3f}", f"<= {_LANGID_MS}")]


def _sizes(cases: dict[Case, Result]) -> list[Case]:
    return [c for c in cases if c == Case("curate", c.documents) and c.documents > _START]


def _stages_table(results: Sequence[Result]) -> None:
    """CPU by stage; what no stage counts is Beam, start-up, reading and writing."""
    spent = [
        {n.removeprefix(_STAGE): v / 1e6 for n, v in r.counters.items() if n.startswith(_STAGE)}
        for r in results
    ]
    told = {n for stages in spent for n, seconds in stages.items() if seconds >= _SHOWN}
    names = sorted(told, key=lambda n: -spent[-1].get(n, 0.0))
    rows = [(name, *(f"{stages.get(name, 0.0):.1f}" for stages in spent)) for name in names]
    rest = (f"{r.usage.cpu - sum(s.values()):.1f}" for r, s in zip(results, spent, strict=True))
    rows.append(("not counted by a stage", *rest))
    header = ("stage, CPU s", *(result.case.slug for result in results))
    print_table("CPU by stage", header, rows)


def _cases(given: argparse.Namespace) -> tuple[Case, ...]:
    cases = _QUICK if given.quick else _FULL
    return tuple(case for case in cases if not given.only or given.only in case.slug)


def _measure_all(cases: Sequence[Case], mix: Mixer, work: pathlib.Path) -> list[Result]:
    corpora = {case: mix.corpus(work, case.documents, case.longer) for case in cases}
    warm = Case("curate", _START, workers=1)
    print("warming up: the first run after an installation compiles the kernels")
    run(warm, mix.corpus(work, warm.documents, warm.longer), work)
    return [run(case, corpora[case], work) for case in cases]


def main() -> None:
    """Runs the cases and prints the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_flags(parser)
    parser.add_argument(
        "--work",
        type=pathlib.Path,
        default=pathlib.Path("/tmp/holdfast-bench"),  # noqa: S108  # reused on purpose
        help="corpora, runs and logs (default /tmp/holdfast-bench)",
    )
    parser.add_argument("--quick", action="store_true", help="50,000 and 200,000 documents only")
    parser.add_argument("--only", metavar="WORD", help="runs whose name holds it, such as dedup")
    given = parser.parse_args()
    cases = _cases(given)
    if not cases:
        names = ", ".join(case.slug for case in _FULL)
        raise SystemExit(f"--only {given.only!r} matches no run; there are {names}")
    given.work.mkdir(parents=True, exist_ok=True)
    results = _measure_all(cases, mixer(given), given.work.resolve())
    _runs_table(results)
    if lines := _verdicts(results):
        print_lines("Targets", lines)
    _stages_table(results)


if __name__ == "__main__":
    main()
