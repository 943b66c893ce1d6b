"""From a document to the short, folded sample that the model reads.

Two excerpts stand for a document: one from its first half, one from its second.
Both are cut out of the Arrow buffers by a kernel, so that a page of ten megabytes
costs what a page of ten kilobytes does. The model is trained on text that went
through `fold`; a change here asks for a new model.
"""

from __future__ import annotations

import functools

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.langid.scripts import decode, string_buffers

__all__ = ["PREPARATION", "WHOLE", "excerpts", "fold"]

PREPARATION = 1
"""Version of `fold`; a model is only good for the version that it was trained with."""

_LINKS = r"(?:https?://|www\.)\S+|\S+@\S+|\b(?:\w+\.)+(?:com|org|net|html?|php)\b\S*"
_PUNCTUATION = ',.;:!?"()¡«»¿،؛؟۔।॥།༎၊။።፣፤၌〈〉《》「」『』、。！（），：；？'
# Not NFC: Arrow before 26 leaves out the composition, and later versions would differ.
_NFD = pc.Utf8NormalizeOptions("NFD")
_BLANKS = (
    (0x00, 0x20),
    (0x7F, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200B),
    (0x2010, 0x2017),
    (0x201A, 0x2030),
    (0x2039, 0x203A),
    (0x205F, 0x2060),
    (0x3000, 0x3000),
    (0xE000, 0xF8FF),
    (0xFEFF, 0xFEFF),
    (0xFFFD, 0xFFFD),
    (0xF0000, 0x10FFFF),
)
"""White space, control characters, dashes, quotes, private use, the replacement character."""

WHOLE = 400
"""Code points up to which a text is one excerpt: its halves would be too short to tell."""

_SEEK = 24
"""Code points within which an excerpt looks for a space to start after."""


def fold(text: pa.StringArray) -> pa.StringArray:
    """Folds away what says nothing about a language.

    NFD; lower case; links and mail addresses dropped; a run of ASCII digits as one
    `0`; a run of white space, sentence punctuation, control, private use and
    replacement characters as one space, and none at either end. Han characters
    stand alone, each a word: a sentence of them is too sparse for n-grams. The
    characters of code and markup stay: they tell `zxx`.
    """
    text = pc.utf8_lower(pc.call_function("utf8_normalize", [text], _NFD))
    text = pc.replace_substring_regex(text, _LINKS, " ")
    offsets, data = string_buffers(text)
    folded = np.zeros(len(text) + 1, np.int32)
    # Spaces are added around characters of three bytes or more: never twice the size.
    out = np.empty(2 * (offsets[-1] - offsets[0]), np.uint8)
    _squeeze(offsets, data, _blanks(), folded, out)
    return _strings(folded, out)


def excerpts(text: pa.StringArray, max_chars: int) -> tuple[pa.StringArray, pa.StringArray]:
    """Cuts one excerpt from each half of every long text; a short one is its own.

    A text of at most `WHOLE` code points is the first excerpt, and the second is
    empty. One of at most `max_chars` is cut in two in the middle. Of a longer one
    the excerpts are centred on a quarter and three quarters of its bytes. They
    start after a space when there is one near.

    Args:
        text: Documents, without nulls.
        max_chars: Code points in both excerpts together, at most.

    Returns:
        The first excerpts and the second ones.
    """
    offsets, data = string_buffers(text)
    half = max_chars // 2
    bounds = np.zeros((len(text), 4), np.int32)
    _bounds(offsets, data, half, bounds)
    return _cut(data, bounds[:, 0], bounds[:, 1]), _cut(data, bounds[:, 2], bounds[:, 3])


def _cut(
    data: npt.NDArray[np.uint8], start: npt.NDArray[np.int32], end: npt.NDArray[np.int32]
) -> pa.StringArray:
    offsets = np.zeros(len(start) + 1, np.int32)
    np.cumsum(end - start, out=offsets[1:])
    out = np.empty(offsets[-1], np.uint8)
    _copy(data, start, offsets, out)
    return _strings(offsets, out)


def _strings(offsets: npt.NDArray[np.int32], data: npt.NDArray[np.uint8]) -> pa.StringArray:
    return pa.StringArray.from_buffers(
        len(offsets) - 1, pa.py_buffer(offsets.data), pa.py_buffer(data.data)
    )


@numba.njit(cache=True, nogil=True)
def _copy(data, start, offsets, out):  # type: ignore[no-untyped-def]
    for row in range(len(start)):
        length = offsets[row + 1] - offsets[row]
        out[offsets[row] : offsets[row + 1]] = data[start[row] : start[row] + length]


@numba.njit(cache=True, nogil=True)
def _forward(data, at, stop, points):  # type: ignore[no-untyped-def]
    """The position `points` code points after `at`, not beyond `stop`."""
    while points > 0 and at < stop:
        at += decode(data, at)[1]
        points -= 1
    return at


@numba.njit(cache=True, nogil=True)
def _word_start(data, at, stop):  # type: ignore[no-untyped-def]
    """A code point's start at or after `at`; after a space, if one is near."""
    while at < stop and data[at] & 0xC0 == 0x80:
        at += 1
    near = _forward(data, at, stop, _SEEK)
    for place in range(at, near):
        if data[place] == 0x20 or data[place] == 0x0A:
            return place + 1
    return at


@numba.njit(cache=True, nogil=True)
def _bounds(offsets, data, half, bounds):  # type: ignore[no-untyped-def]
    for row in range(len(offsets) - 1):
        first, last = offsets[row], offsets[row + 1]
        reach = _forward(data, first, last, min(2 * half, WHOLE))
        if reach == last:
            bounds[row, 0], bounds[row, 1:] = first, last
            continue
        reach = _forward(data, reach, last, max(0, 2 * half - WHOLE))
        slack = (last - reach) // 4
        head = _word_start(data, first + slack, last) if slack else first
        middle = _word_start(data, first + (last - first) // 2, last)
        tail = _word_start(data, middle + slack, last) if slack else middle
        bounds[row, 0], bounds[row, 1] = head, min(middle, _forward(data, head, last, half))
        bounds[row, 2], bounds[row, 3] = tail, _forward(data, tail, last, half)


@functools.cache
def _blanks() -> npt.NDArray[np.bool_]:
    """Code points that part words, for `fold`; apostrophes and hyphens do not."""
    table = np.zeros(0x110000, np.bool_)
    for first, last in _BLANKS:
        table[first : last + 1] = True
    table[[ord(point) for point in _PUNCTUATION]] = True
    return table


@numba.njit(cache=True, nogil=True)
def _squeeze(offsets, data, blanks, folded, out):  # type: ignore[no-untyped-def]
    size = 0
    for row in range(len(offsets) - 1):
        at, last = offsets[row], offsets[row + 1]
        start, pending, digits, alone = size, False, False, False
        while at < last:
            point, length = decode(data, at)
            if blanks[point]:
                pending, digits = True, False
            elif not (digits and 0x30 <= point <= 0x39):
                han = 0x3400 <= point <= 0x9FFF or 0x20000 <= point <= 0x323AF
                if size > start and (pending or han or alone):
                    out[size] = 0x20
                    size += 1
                pending, digits, alone = False, 0x30 <= point <= 0x39, han
                for byte in range(length):
                    out[size + byte] = data[at + byte]
                if digits:
                    out[size] = 0x30
                size += length
            at += length
        folded[row + 1] = size
