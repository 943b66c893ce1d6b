"""Similarity of two texts, written a second time so that it can judge the first.

Plain Python over `unicodedata`: it shares no table, no kernel and no hash with
`transforms.dedup`. Shingles are tuples of tokens, so two different ones are never
taken for one.
"""

from __future__ import annotations

import functools
import re
import sys
import unicodedata

__all__ = ["Shingles", "jaccard", "normal_form", "shingles", "tokens"]

Shingles = frozenset[tuple[str, ...]]

_UNSPACED = (
    "CJK ",
    "HENTAIGANA ",
    "HIRAGANA ",
    "IDEOGRAPHIC ",
    "KATAKANA",
    "KHMER ",
    "LAO ",
    "MYANMAR ",
    "THAI ",
    "TIBETAN ",
    "VERTICAL KANA ",
)
"""How the names of letters begin that are written without spaces between words."""


def _class(characters: list[int]) -> str:
    """The inside of a character class of a regular expression."""
    ranges: list[list[int]] = []
    for point in characters:
        if ranges and ranges[-1][1] == point - 1:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in ranges)


@functools.cache
def _token() -> re.Pattern[str]:
    """One token: an unspaced letter with its marks, or a run of letters, marks and digits."""
    singles, marks, others = [], [], []
    for point in range(sys.maxunicode + 1):
        category = unicodedata.category(chr(point))
        if category[0] == "M":
            marks.append(point)
        elif category[0] == "L" and unicodedata.name(chr(point), "").startswith(_UNSPACED):
            singles.append(point)
        elif category[0] == "L" or category == "Nd":
            others.append(point)
    mark = _class(marks)
    return re.compile(f"[{_class(singles)}][{mark}]*|[{_class(others)}{mark}]+")


def _letters(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def normal_form(text: str) -> str:
    """NFKC, lower case, white space folded: equal for exact copies."""
    return " ".join(_letters(text).split())


def tokens(text: str) -> list[str]:
    """The tokens of a text, in order."""
    return _token().findall(_letters(text))


def shingles(text: str, ngram: int = 5) -> Shingles:
    """The n-grams of tokens; one of all tokens where there are fewer than n, none without."""
    found = tokens(text)
    if len(found) < ngram:
        return frozenset([tuple(found)] if found else [])
    return frozenset(zip(*(found[i:] for i in range(ngram)), strict=False))


def jaccard(left: Shingles, right: Shingles) -> float:
    """Shared shingles over all shingles; 0 when neither text has any."""
    shared = len(left & right)
    return shared / (len(left) + len(right) - shared) if left or right else 0.0
