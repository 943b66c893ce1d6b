"""Builds `transforms/data/characters.npz`: what a tokenizer must know of each character.

The table ships with the package so that a fingerprint does not depend on the
Unicode version of the interpreter that made it. Run once per Unicode upgrade,
which is a new version of the signature scheme.

    python scripts/build_characters.py transforms/data/characters.npz
"""

from __future__ import annotations

import sys
import unicodedata

import numpy as np

SEPARATOR, WORD, SINGLE, MARK, SPACE = range(5)
"""Classes: breaks tokens; part of a run; a token of its own; joins the token before; white space
(a separator, too)."""

UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x0F00, 0x0FFF),  # Tibetan
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x19E0, 0x19FF),  # Khmer symbols
    (0x2E80, 0x2FDF),  # CJK radicals
    (0x3005, 0x3007),  # iteration mark, closing mark, zero
    (0x3021, 0x3029),  # Hangzhou numerals
    (0x3031, 0x3035),  # Kana repeat marks
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x31F0, 0x31FF),  # Katakana extensions
    (0x3400, 0x4DBF),  # Han extension A
    (0x4E00, 0x9FFF),  # Han
    (0xA9E0, 0xA9FF),  # Myanmar extended B
    (0xAA60, 0xAA7F),  # Myanmar extended A
    (0xF900, 0xFAFF),  # Han compatibility
    (0x1AFF0, 0x1B16F),  # Kana supplement and extensions
    (0x20000, 0x323AF),  # Han extensions B to H
)


def classify(point: int, unspaced: bool) -> int:
    """The class of one code point."""
    category = unicodedata.category(chr(point))
    if chr(point).isspace() or category in ("Zs", "Zl", "Zp"):
        return SPACE
    if category[0] == "M":
        return MARK
    if unspaced and category in ("Lm", "Lo", "Nl"):  # Nl: the Han zero, Hangzhou numerals
        return SINGLE
    if category[0] == "L" or category == "Nd":
        return WORD
    return SEPARATOR


def main(path: str) -> None:
    """Writes the classes as runs: `starts` (uint32) and `classes` (uint8)."""
    unspaced = np.zeros(sys.maxunicode + 1, dtype=bool)
    for first, last in UNSPACED:
        unspaced[first : last + 1] = True
    classes = np.array(
        [classify(point, bool(unspaced[point])) for point in range(sys.maxunicode + 1)],
        dtype=np.uint8,
    )
    starts = np.flatnonzero(np.diff(classes, prepend=255)).astype(np.uint32)
    np.savez_compressed(
        path,
        starts=starts,
        classes=classes[starts],
        unicode_version=np.array(unicodedata.unidata_version),
    )


if __name__ == "__main__":
    main(sys.argv[1])
