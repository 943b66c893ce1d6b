"""Builds `transforms/data/normal_form.npz`: what NFKC and lower case must know.

The table ships with the package so that the normal form of a text, and with it the key
of exact copies, does not depend on the Unicode version of the interpreter. Run with the
interpreter whose version is wanted; another version is a new version of the signature
scheme.

    python scripts/build_normal_form.py transforms/data/normal_form.npz
"""

from __future__ import annotations

import itertools
import sys
import unicodedata

import numpy as np
import numpy.typing as npt

SIGMA = "\u03a3"
"""Its lower case depends on what stands around it, which tells us what that is."""
PLAIN, CASED, IGNORED = range(3)
"""To a sigma: ends the search for a letter; is one; is skipped."""
HANGUL = range(0xAC00, 0xD7A4)
"""Composed by arithmetic, not by table."""
JAMO = (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))
"""Vowels and final consonants, which join the syllable before them."""

Runs = tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint8]]


def case_class(character: str) -> int:
    """What `str.lower` skips, or takes for a letter, before and after a capital sigma.

    The properties Cased and Case_Ignorable have no name in `unicodedata`; the final
    sigma of Unicode 3.13, rule Final_Sigma, gives them away.
    """
    if not f"A{character}{SIGMA}".lower().endswith("\u03c2"):
        return PLAIN
    return CASED if f"{character}{SIGMA}".lower().endswith("\u03c2") else IGNORED


def runs(values: list[int]) -> Runs:
    """A byte per code point as the starts of its runs and their values."""
    dense = np.array(values, dtype=np.uint8)
    starts = np.flatnonzero(np.concatenate([[True], dense[1:] != dense[:-1]]))
    return starts.astype(np.uint32), dense[starts]


def compositions(characters: list[str]) -> dict[tuple[int, int], int]:
    """Every pair of code points that NFC makes one of, without Hangul."""
    pairs = {}
    for character in characters:
        parts = unicodedata.decomposition(character).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            first, second = (int(part, 16) for part in parts)
            # What is excluded from composition comes back in pieces.
            if unicodedata.normalize("NFC", chr(first) + chr(second)) == character:
                pairs[first, second] = ord(character)
    return dict(sorted(pairs.items()))


def joins(character: str, seconds: set[str]) -> bool:
    """Whether a character is another in NFKC, or may change what stands before it."""
    first = unicodedata.normalize("NFD", character)[0]
    moves = unicodedata.combining(character) or unicodedata.combining(first)
    return bool(moves or first in seconds or unicodedata.normalize("NFKC", character) != character)


def main(path: str) -> None:
    """Writes runs, compositions, decompositions and lower case as arrays."""
    characters = [chr(point) for point in range(sys.maxunicode + 1)]
    pairs = compositions(characters)
    whole = {
        ord(c): unicodedata.normalize("NFKD", c)
        for c in characters
        if ord(c) not in HANGUL and unicodedata.normalize("NFKD", c) != c
    }
    lower = {ord(c): ord(c.lower()) for c in characters if c.lower() != c and len(c.lower()) == 1}
    long = [c for c in characters if len(c.lower()) > 1]
    if long != ["\u0130"]:
        raise SystemExit(f"the kernel knows one letter of a longer lower case, not {long!r}")
    seconds = {chr(second) for _, second in pairs} | set(map(chr, JAMO))
    joined_starts, joined_values = runs([joins(c, seconds) for c in characters])
    class_starts, class_values = runs([unicodedata.combining(c) for c in characters])
    case_starts, case_values = runs([case_class(c) for c in characters])
    np.savez_compressed(
        path,
        joined_starts=joined_starts,
        joined_values=joined_values,
        class_starts=class_starts,
        class_values=class_values,
        case_starts=case_starts,
        case_values=case_values,
        pairs=np.array([(a << 21) | b for a, b in pairs], dtype=np.uint64),
        composed=np.array(list(pairs.values()), dtype=np.uint32),
        whole=np.array(list(whole), dtype=np.uint32),
        ends=np.array([0, *itertools.accumulate(map(len, whole.values()))], dtype=np.uint32),
        pieces=np.array([ord(c) for text in whole.values() for c in text], dtype=np.uint32),
        upper=np.array(list(lower), dtype=np.uint32),
        lower=np.array(list(lower.values()), dtype=np.uint32),
        unicode_version=np.array(unicodedata.unidata_version),
    )


if __name__ == "__main__":
    main(sys.argv[1])
