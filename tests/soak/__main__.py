"""`make soak`: faults are injected, and runs must survive them; prints a table.

python tests/soak [SCENARIO...] [--kills N] [--rounds N] [--seed N] [--answers KIND...]
                   [--report FILE]
"""

from __future__ import annotations

import argparse
import pathlib
import sys
import tempfile
import time
from collections.abc import Callable

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from soak_disk import run_full, run_read_only
from soak_job import Tally
from soak_kills import run_kills
from soak_proxy import KINDS
from soak_storage import run_bad_answers, run_restarts

Scenario = Callable[[pathlib.Path, argparse.Namespace], list[Tally]]


def _kills(folder: pathlib.Path, given: argparse.Namespace) -> list[Tally]:
    return [run_kills(folder, given.kills, given.seed)]


def _restarts(folder: pathlib.Path, given: argparse.Namespace) -> list[Tally]:
    return [run_restarts(folder, given.rounds, given.seed)]


def _answers(folder: pathlib.Path, given: argparse.Namespace) -> list[Tally]:
    return run_bad_answers(folder, given.rounds, given.seed, given.answers)


def _disk(folder: pathlib.Path, given: argparse.Namespace) -> list[Tally]:
    return [run_full(folder), run_read_only(folder, given.rounds, given.seed)]


SCENARIOS: dict[str, Scenario] = {
    "kills": _kills,
    "restarts": _restarts,
    "answers": _answers,
    "disk": _disk,
}
_HEAD = ("fault", "injected", "runs survived", "documents lost", "partial outputs seen")
_HEAD += ("temporary files left", "seconds")


def table(rows: list[tuple[Tally, float]]) -> str:
    """The tallies in Markdown."""
    lines = ["| " + " | ".join(_HEAD) + " |", "| --- |" + " ---: |" * (len(_HEAD) - 1)]
    for t, seconds in rows:
        cells = (t.name, t.faults, t.survived, t.lost, t.partial, t.left, f"{seconds:.0f}")
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Runs scenarios; 1 if anything was not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenarios", nargs="*", choices=[[], *SCENARIOS], metavar="SCENARIO")
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--rounds", type=int, default=3, help="of every other scenario")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--answers", nargs="*", default=KINDS, choices=KINDS, metavar="KIND")
    parser.add_argument("--report", type=pathlib.Path, help="also write the table to this file")
    given = parser.parse_args()
    rows: list[tuple[Tally, float]] = []
    for name in given.scenarios or SCENARIOS:
        print(f"{name} ...", flush=True)
        with tempfile.TemporaryDirectory(prefix=f"holdfast-soak-{name}-") as folder:
            began = time.monotonic()
            tallies = SCENARIOS[name](pathlib.Path(folder), given)
            seconds = time.monotonic() - began
        rows += [(tally, seconds / len(tallies)) for tally in tallies]
        for tally in tallies:
            notes = ", ".join(f"{what}: {n}" for what, n in sorted(tally.notes.items()))
            print(f"{tally.name}: {notes or 'done'}", flush=True)
    text = table(rows)
    print(text, flush=True)
    if given.report:
        given.report.write_text(text)
    wrong = [f"{tally.name}: {sentence}" for tally, _ in rows for sentence in tally.wrong]
    print("\n".join(wrong) or "nothing was not as it should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
