"""Recall, precision and cost of deduplication, on real and on written sets.

    make bench-dedup
    python -m benchmarks.dedup.quality [--size N] [--only WORD]

Every pair of every set is compared exactly by code that shares nothing with holdfast.
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import shutil
import sys

import numpy as np

from benchmarks.corpora import add_flags, add_work, mixer
from benchmarks.dedup.judge import Found, Texts, Truth, find_truth, judge
from benchmarks.dedup.outcome import Outcome, read_outcome
from benchmarks.dedup.sets import Documents, real_sets, written_sets
from benchmarks.measure import METHOD, Usage, measure
from benchmarks.reference import jaccard
from benchmarks.tables import print_lines, print_table, share

__all__ = ["main"]

_THRESHOLD = 0.8
_RECALL = 0.998
_TOLERANCE = 1e-9


@dataclasses.dataclass(frozen=True)
class Judged:
    """One set, deduplicated and judged.

    Attributes:
        name: Of the set.
        documents: How many it holds.
        usage: What deduplication took.
        found: Pairs and removals.
        near: Documents removed for a witness.
        false: Those of them whose witness is below the threshold, or was not kept.
        untrue: Those whose published similarity is not the exact one.
        missed: Pairs left together, by their similarity in steps of .05.
    """

    name: str
    documents: int
    usage: Usage
    found: Found
    near: int
    false: int
    untrue: int
    missed: collections.Counter[float]


def _deduplicate(corpus: Documents, given: argparse.Namespace) -> tuple[Usage, Outcome]:
    output = given.work / f"quality-{corpus.name}"
    log = output.with_suffix(".log")
    command = [sys.executable, "-m", "benchmarks.dedup.job"]
    command += ["--input", str(corpus.folder / "part-*.parquet"), "--output", str(output)]
    with log.open("wb") as sink:
        usage = measure([*command, "--workers", str(given.workers)], output=sink)
    if usage.returncode:
        raise SystemExit(f"{corpus.name}: ended with {usage.returncode}; see {log}")
    outcome = read_outcome(output)
    shutil.rmtree(output)
    return usage, outcome


def _witnesses(texts: Texts, urls: list[str], outcome: Outcome) -> tuple[int, int]:
    """Removals whose witness is none, and those whose similarity is not as told."""
    row = {url: k for k, url in enumerate(urls)}
    false = untrue = 0
    for url, (witness, told) in outcome.near.items():
        exact = jaccard(texts.shingles(row[url]), texts.shingles(row[witness]))
        false += exact < _THRESHOLD or witness not in outcome.kept
        untrue += abs(exact - told) > _TOLERANCE
    return false, untrue


def _missed(truth: Truth, kept: np.ndarray) -> collections.Counter[float]:
    left = truth.similarity[kept[truth.pairs].all(axis=1)]
    return collections.Counter((np.floor(left * 20 + 1e-9) / 20).tolist())


def _judge(corpus: Documents, given: argparse.Namespace) -> Judged:
    """Runs deduplication on a set and compares with all pairs."""
    print(f"{corpus.name} ...", flush=True)
    usage, outcome = _deduplicate(corpus, given)
    read, urls = corpus.read()
    texts = Texts(read.__getitem__)
    truth = find_truth(texts, len(read), _THRESHOLD)
    kept = outcome.flags(urls)
    false, untrue = _witnesses(texts, urls, outcome)
    found, near = judge(truth, kept), len(outcome.near)
    return Judged(corpus.name, len(read), usage, found, near, false, untrue, _missed(truth, kept))


def _print(results: list[Judged]) -> None:
    header = ["set", "documents", "pairs", "recall", "left by similarity", "removed"]
    header += ["removed without reason", "near", "false witness", "wrong similarity"]
    header += ["wall s", "CPU s", "peak MB"]
    rows = []
    for r in results:
        left = ", ".join(f"{at:.2f}: {n}" for at, n in sorted(r.missed.items())) or "none"
        recall = f"{r.found.hit / r.found.pairs:.5f}" if r.found.pairs else "-"
        counts = [f"{r.documents:,}", f"{r.found.pairs:,}", recall, left, f"{r.found.removed:,}"]
        counts += [f"{r.found.removed - r.found.right:,}", f"{r.near:,}", f"{r.false:,}"]
        cost = [f"{r.usage.wall:.1f}", f"{r.usage.cpu:.1f}", f"{r.usage.peak / 1e6:,.0f}"]
        rows.append([r.name, *counts, f"{r.untrue:,}", *cost])
    print_table(f"Deduplication at {_THRESHOLD} ({METHOD})", header, rows)
    hit, pairs = (sum(getattr(r.found, of) for r in results) for of in ("hit", "pairs"))
    lines = [("pairs found, all sets", share(hit, pairs), f">= {_RECALL}")]
    worst = min((r for r in results if r.found.pairs), key=lambda r: r.found.hit / r.found.pairs)
    told = f"{worst.name}: {share(worst.found.hit, worst.found.pairs)}"
    lines.append(("the worst set", told, f">= {_RECALL}"))
    lines.append(("false witnesses", f"{sum(r.false for r in results):,}", "0"))
    lines.append(("wrong similarities", f"{sum(r.untrue for r in results):,}", "0"))
    print_lines("Targets", lines)


def main() -> None:
    """Judges every set that was chosen."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_flags(parser)
    parser.add_argument("--size", type=int, default=20_000, help="of the larger sets (20,000)")
    parser.add_argument("--only", metavar="WORD", default="", help="sets whose name holds it")
    parser.add_argument("--workers", type=int, default=2, help="worker processes (default 2)")
    add_work(parser)
    given = parser.parse_args()
    given.work = given.work.resolve()
    given.work.mkdir(parents=True, exist_ok=True)
    sets = real_sets(mixer(given), given.work, given.size) | written_sets(given.work)
    chosen = [make for name, make in sets.items() if given.only.lower() in name.lower()]
    if not chosen:
        raise SystemExit(f"--only {given.only!r} matches none of {', '.join(sets)}")
    _print([_judge(make(), given) for make in chosen])


if __name__ == "__main__":
    main()
