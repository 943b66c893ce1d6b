"""Three overlapping months of text: copies, near-copies and originals that come late."""

from __future__ import annotations

import json
import pathlib
import random
from typing import Any

Record = dict[str, Any]
MONTHS = 3
_DATES = ("2018-05-01", "2024-02-01", None)
"""Of an original, of a later crawl, and undated."""


def _words(draw: random.Random) -> list[str]:
    letters = "abcdefghijklmnoprstuvw"
    return ["".join(draw.choices(letters, k=draw.randint(3, 9))) for _ in range(900)]


def _edited(words: list[str], edits: int, draw: random.Random) -> list[str]:
    """Other words at `edits` places, far enough apart that each takes five shingles."""
    changed = list(words)
    for place in draw.sample(range(5, len(words) - 5, 12), edits):
        changed[place] = f"x{draw.randrange(10**6)}"
    return changed


def _dressed(text: str, draw: random.Random) -> str:
    """The same normal form, written otherwise."""
    return draw.choice((text, text.upper(), text.replace(" ", "  ", 3), f" {text}\n"))


def months(seed: int = 5, each: int = 36, step: int = 18) -> list[list[Record]]:
    """Records of each month; about half of a month's texts were in the month before.

    One edit leaves a Jaccard of .9 to its text, two .81 and three .73.
    """
    draw = random.Random(seed)
    vocabulary = _words(draw)
    texts = [draw.choices(vocabulary, k=100) for _ in range(step * (MONTHS - 1) + each)]
    made = []
    for month in range(MONTHS):
        records = []
        for number in range(month * step, month * step + each):
            for _ in range(draw.choice((1, 1, 1, 2))):
                edits = draw.choice((0, 0, 1, 2, 3))
                text = " ".join(_edited(texts[number], edits, draw))
                record = {"text": _dressed(text, draw), "id": f"{month}-{len(records)}"}
                if date := draw.choice(_DATES):
                    record["date"] = date
                records.append(record)
        made.append(records)
    return made


def write(records: list[Record], path: pathlib.Path) -> pathlib.Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path
