"""Quality of a published run, judged by the truth of a mixed corpus.

    python -m benchmarks.quality RUN --corpus DIR

Reads the published run and the corpus only, never staging, and judges by
`benchmarks.reference`, which shares no code with the job.
"""

from __future__ import annotations

import argparse
import pathlib
from collections.abc import Callable

from benchmarks import published, removal
from benchmarks.removal import Finding, Verdict
from benchmarks.tables import print_lines
from benchmarks.truth import Corpus, Run

__all__ = ["main"]

Judge = Callable[[Corpus, Run], Verdict]


def _judges(threshold: float) -> tuple[tuple[str, Judge], ...]:
    return (
        ("Ledger", published.ledger),
        ("Exact copies", removal.exact_copies),
        ("Near copies", lambda corpus, run: removal.near_copies(corpus, run, threshold)),
        ("Templates", removal.templates),
        ("Precision", lambda corpus, run: removal.witnesses(corpus, run, threshold)),
        ("Originals", removal.anchors),
        ("Shards", published.shards),
        ("Language", published.languages),
        ("Machine text", published.synthetic),
    )


def _show(finding: Finding, corpus: Corpus) -> None:
    rows = [row for row in (finding.row, finding.other) if row is not None]
    print(f"  {finding.what}: {' / '.join(corpus.url[row] for row in rows)} {finding.note}")
    for row in rows:
        print(f"    {corpus.read(row)[:160]!r}")


def main() -> None:
    """Prints a table per promise, and examples of what breaks it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=pathlib.Path, help="folder of a published run")
    parser.add_argument(
        "--corpus", type=pathlib.Path, required=True, help="folder of the mixed corpus"
    )
    parser.add_argument(
        "--examples", type=int, default=3, help="findings shown per table (default 3)"
    )
    parser.add_argument(
        "--all-pairs",
        action="store_true",
        help="search every pair of documents that remain (slow, memory grows with the text)",
    )
    given = parser.parse_args()
    corpus = Corpus(given.corpus)
    run = Run(given.run, corpus)
    threshold = run.manifest["config"]["dedup"]["threshold"]
    judges = _judges(threshold)
    if given.all_pairs:
        judges += (("All pairs", lambda c, r: removal.close_left(c, r, threshold)),)
    for title, judge in judges:
        lines, findings = judge(corpus, run)
        print_lines(title, lines)
        for finding in findings[: given.examples]:
            _show(finding, corpus)


if __name__ == "__main__":
    main()
