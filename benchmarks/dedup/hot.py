"""Deduplication on hot structures, beside as much unrelated text.

    python -m benchmarks.dedup.hot [--scale 0.01] [--only WORD]

A million copies of one boilerplate, a chain of ten thousand documents each near the
next only, fifty thousand books under one licence header: what they cost, and how many
documents are kept, against the number that exact comparison would keep.
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
import shutil
import sys

from benchmarks.corpora import add_work
from benchmarks.dedup.outcome import read_kept
from benchmarks.dedup.structures import STRUCTURES, unrelated, write
from benchmarks.measure import METHOD, Usage, measure
from benchmarks.tables import print_table

__all__ = ["main"]

_LEAST = 100
"""Documents of the smallest structure."""
_ENDS = ("", ", unrelated", ", ratio")


@dataclasses.dataclass(frozen=True)
class Run:
    """What deduplication took, and how many documents it kept."""

    usage: Usage
    kept: int


def _deduplicate(corpus: pathlib.Path, output: pathlib.Path, workers: int) -> Run:
    """Runs the job in a fresh process; takes corpus and output away."""
    log = output.with_suffix(".log")
    command = [sys.executable, "-m", "benchmarks.dedup.job"]
    command += ["--input", str(corpus / "part-*.parquet"), "--output", str(output)]
    with log.open("wb") as sink:
        usage = measure([*command, "--workers", str(workers)], output=sink)
    if usage.returncode:
        raise SystemExit(f"ended with {usage.returncode}; see {log}")
    kept = len(read_kept(output))
    shutil.rmtree(output)
    shutil.rmtree(corpus)
    return Run(usage, kept)


def _compare(name: str, documents: int, given: argparse.Namespace) -> list[str]:
    """One row: the structure, the unrelated text, and how they compare."""
    _, words, make, expected = STRUCTURES[name]
    corpus, output = given.work / "hot-corpus", given.work / "hot-run"
    for place in (corpus, output):
        shutil.rmtree(place, ignore_errors=True)
    print(f"{name}, {documents:,} documents ...", flush=True)
    write(make(documents), corpus)
    hot = _deduplicate(corpus, output, given.workers)
    write(unrelated(documents, words), corpus)
    plain = _deduplicate(corpus, output, given.workers)
    cells = [name, f"{documents:,}", f"{hot.kept:,}", f"{expected(documents):,}", f"{plain.kept:,}"]
    for of in ("wall", "cpu", "peak"):
        one, other = getattr(hot.usage, of), getattr(plain.usage, of)
        scale = 1e6 if of == "peak" else 1.0
        cells += [f"{one / scale:,.1f}", f"{other / scale:,.1f}", f"{one / other:.2f}"]
    return cells


def main() -> None:
    """Runs every structure and prints one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", type=float, default=1.0, help="of all sizes (default 1)")
    parser.add_argument("--only", metavar="WORD", default="", help="structures whose name holds it")
    parser.add_argument("--workers", type=int, default=2, help="worker processes (default 2)")
    add_work(parser)
    given = parser.parse_args()
    given.work = given.work.resolve()
    given.work.mkdir(parents=True, exist_ok=True)
    chosen = [name for name in STRUCTURES if given.only in name]
    if not chosen:
        raise SystemExit(f"--only {given.only!r} matches none of {', '.join(STRUCTURES)}")
    sizes = {name: max(_LEAST, int(STRUCTURES[name][0] * given.scale)) for name in chosen}
    rows = [_compare(name, sizes[name], given) for name in chosen]
    header = ["structure", "documents", "kept", "to keep", "unrelated kept"]
    header += [f"{of}{end}" for of in ("wall s", "CPU s", "peak MB") for end in _ENDS]
    print_table(f"Hot structures beside unrelated text ({METHOD})", header, rows)


if __name__ == "__main__":
    main()
