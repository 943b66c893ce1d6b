"""The n-grams of a text, as hashes, straight from Arrow's buffers."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.utf8 import string_buffers

__all__ = ["ORDERS", "PER_START", "codes_of", "gram_codes"]

ORDERS = (3, 5)
"""Lengths of the n-grams in code points; the marks < and > of a word count."""

PER_START = len(ORDERS)
"""N-grams that start at one character, at most."""

_SYLLABIC = 0xE0
"""First byte of three or more: scripts in which two characters say as much as three or
four letters do, and have pairs counted as well."""
_WANTED = sum(1 << order for order in ORDERS)
_LONGEST = max(ORDERS)


def gram_codes(text: pa.StringArray) -> npt.NDArray[np.uint32]:
    """The hashes of all n-grams of all texts, in their order."""
    offsets, data = string_buffers(text)
    out = np.empty((2 * int(offsets[-1] - offsets[0]) + 2 * len(text)) * PER_START, np.uint32)
    return out[: _codes_of_all(offsets, data, out)]


@numba.njit(cache=True, nogil=True)
def _codes_of_all(offsets, data, out):  # type: ignore[no-untyped-def]
    count = 0
    for row in range(len(offsets) - 1):
        count += codes_of(data[offsets[row] : offsets[row + 1]], out[count:])
    return count


@numba.njit(cache=True, nogil=True)
def codes_of(data, out):  # type: ignore[no-untyped-def]
    """Writes the hash of every n-gram of a text; returns how many there are."""
    count, at = 0, 0
    word = np.empty(len(data) + 2, np.uint8)
    word[0] = 0x3C
    while at < len(data):
        size = 1
        while at < len(data) and data[at] != 0x20:
            word[size] = data[at]
            size += 1
            at += 1
        at += 1
        if size > 1:
            word[size] = 0x3E
            count += _codes_of_word(word[: size + 1], out[count:])
    return count


@numba.njit(cache=True, nogil=True, inline="always")
def _in_run(word, start):  # type: ignore[no-untyped-def]
    """Whether the bytes before and after are those of a run that began before."""
    if start == 0 or start + _LONGEST > len(word) or word[start - 1] != word[start]:
        return False
    for at in range(start + 1, start + _LONGEST):  # noqa: SIM110 (numba compiles no all())
        if word[at] != word[start]:
            return False
    return True


@numba.njit(cache=True, nogil=True)
def _codes_of_word(word, out):  # type: ignore[no-untyped-def]
    """Hashes a word's n-grams; in a run of one character, such as a rule, each once."""
    count = 0
    for start in range(len(word)):
        if word[start] & 0xC0 == 0x80 or _in_run(word, start):
            continue
        at, points, code = start, 0, np.uint32(2166136261)  # FNV-1a
        while at < len(word) and points < _LONGEST:
            code = np.uint32((code ^ np.uint32(word[at])) * np.uint32(16777619))
            at += 1
            while at < len(word) and word[at] & 0xC0 == 0x80:
                code = np.uint32((code ^ np.uint32(word[at])) * np.uint32(16777619))
                at += 1
            points += 1
            if _WANTED >> points & 1 or (points == 2 and word[start] >= _SYLLABIC):
                out[count] = (code ^ code >> np.uint32(15)) * np.uint32(2246822519)
                count += 1
    return count
