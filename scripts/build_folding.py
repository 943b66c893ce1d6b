"""Builds `transforms/data/folding.npz`: what the classifier's normal form does to each character.

The table ships with the package so that a score does not depend on the Unicode
version of the interpreter that computes it. A new table asks for a new model.

    python scripts/build_folding.py transforms/data/folding.npz
"""

from __future__ import annotations

import sys
import unicodedata

import numpy as np
from build_characters import UNSPACED

DROP, SPACE, LETTER, SINGLE, DIGIT, POINT, APOSTROPHE, AT, NEWLINE = range(9)
"""Classes: vanishes; parts tokens; letter of a run; letter of an unspaced script, a token
of its own; digit; punctuation, a token of its own; joins letters; begins a name in an
address; ends a line."""

POINTS = {
    ".": ".。．｡।॥۔።՝",
    ",": ",、،，､",
    ";": ";؛；",
    ":": ":：",
    "!": "!！",
    "?": "?؟？",
    "(": "(（",
    ")": ")）",
    '"': '"“”„‟«»「」『』《》〝〞〟＂',
    "…": "…",
}
"""Punctuation that stays, and what is taken for it."""
APOSTROPHES = "'’‘‛ʼ＇ʻ`´"
NEWLINES = "\n\r\x0b\x0c\x85\u2028\u2029"
BITS = 21
"""Bits of a code point; up to three share an entry."""

LOOKALIKES = dict(
    zip(
        "асеорхуіјѕԁԛԝһкмтвнгпзбղοανρτυιεκχγωϲαβ",
        "aceopxyijsdqwhkmtbhrnzbnoavptuiekxywcab",
        strict=True,
    )
)
"""Letters that pass for Latin ones (a small part of Unicode's confusables.txt)."""


def fold(point: int) -> str:
    """A letter's folded form: compatibility form, lower case, without Western accents."""
    lowered = unicodedata.normalize("NFKC", chr(point)).lower()
    bare = "".join(
        c for c in unicodedata.normalize("NFD", lowered) if not "\u0300" <= c <= "\u036f"
    )
    whole = unicodedata.normalize("NFC", bare)
    letters = "".join(c for c in whole if unicodedata.category(c)[0] in "LM")
    return letters[:3]


def classify(point: int, unspaced: bool) -> tuple[int, str]:  # noqa: C901, PLR0911 (a table)
    """The class of a code point, and what stands for it."""
    char = chr(point)
    category = unicodedata.category(char)
    for name, members in POINTS.items():
        if char in members:
            return POINT, name
    if char in APOSTROPHES:
        return APOSTROPHE, "'"
    if char in NEWLINES:
        return NEWLINE, ""
    if char in "@＠":
        return AT, ""
    if category in ("Cf", "Cc", "Cs") and not char.isspace():
        return DROP, ""
    if 0x300 <= point <= 0x36F or 0xFE00 <= point <= 0xFE0F:
        return DROP, ""
    if category == "Nd":
        return DIGIT, "0"
    if category[0] in "LM":
        folded = fold(point)
        if not folded:
            return DROP, ""
        return (SINGLE if unspaced and category in ("Lm", "Lo", "Nl") else LETTER), folded
    return SPACE, ""


def main(path: str) -> None:
    """Writes `classes` and `folded` as runs, and the look-alikes as pairs."""
    unspaced = np.zeros(sys.maxunicode + 1, dtype=bool)
    for first, last in UNSPACED:
        unspaced[first : last + 1] = True
    classes = np.zeros(sys.maxunicode + 1, dtype=np.uint8)
    deltas = np.zeros(sys.maxunicode + 1, dtype=np.int64)
    for point in range(sys.maxunicode + 1):
        classes[point], text = classify(point, bool(unspaced[point]))
        packed = sum(ord(char) << (BITS * place) for place, char in enumerate(text))
        # Most letters fold to themselves or to a neighbour at a fixed distance.
        deltas[point] = packed - point if text else 0
    changes = (np.diff(classes, prepend=255) != 0) | (np.diff(deltas, prepend=-1) != 0)
    starts = np.flatnonzero(changes).astype(np.uint32)
    pairs = sorted(LOOKALIKES.items())
    np.savez_compressed(
        path,
        starts=starts,
        classes=classes[starts],
        deltas=deltas[starts],
        alike=np.array([[ord(a), ord(b)] for a, b in pairs], dtype=np.uint32),
        unicode_version=np.array(unicodedata.unidata_version),
    )


if __name__ == "__main__":
    main(sys.argv[1])
