"""The normal form that the classifier reads: words and punctuation, and nothing else.

Collections of human and machine text give the label away by their form: one
lacks the space after a full stop, another keeps typographic quotation marks, a
third its line breaks. So form is folded away: compatibility forms, case,
accents, all white space, the kinds of quotation marks, dashes, list markers,
markup, numbers, links and addresses. What is left are words and a few marks of
punctuation, each a token, with one space between. Letters of another alphabet
that pass for Latin ones inside a Latin word become what they look like.
"""

from __future__ import annotations

import functools
import importlib.resources
import io
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.kernels import Buffer, Offsets, njit

__all__ = ["FOLDING", "fold", "string_buffers"]

FOLDING: Final = 1
"""Version of `fold`; a model is only good for the version that it was trained with."""

_POINTS: Final = 0x110000
_BITS: Final = 21
_MASK: Final = (1 << _BITS) - 1
_DROP, _SPACE, _LETTER, _SINGLE, _DIGIT, _POINT, _APOSTROPHE, _AT, _NEWLINE = range(9)

Packed = npt.NDArray[np.int64]
"""Up to three code points of 21 bits, the first in the lowest."""


@functools.cache
def _tables() -> tuple[Buffer, Packed, Packed]:
    """Class, folded form and look-alike (0 for none) of every code point."""
    blob = importlib.resources.files("transforms.data").joinpath("folding.npz").read_bytes()
    with np.load(io.BytesIO(blob), allow_pickle=False) as stored:
        runs = np.diff(np.append(stored["starts"], _POINTS).astype(np.int64))
        classes = np.repeat(stored["classes"], runs)
        folded = np.repeat(stored["deltas"], runs) + np.arange(_POINTS, dtype=np.int64)
        alike = np.zeros(_POINTS, dtype=np.int64)
        alike[stored["alike"][:, 0]] = stored["alike"][:, 1]
    return classes, folded, alike


def string_buffers(text: pa.StringArray) -> tuple[Offsets, Buffer]:
    """Views of an array's Arrow buffers: n + 1 offsets (int32), UTF-8 bytes (uint8)."""
    _, offsets, data = text.buffers()
    if offsets is None or len(text) == 0:
        return np.zeros(1, np.int32), np.zeros(0, np.uint8)
    bounds = np.frombuffer(offsets, np.int32)[text.offset : text.offset + len(text) + 1]
    return bounds, np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)


def fold(text: pa.StringArray) -> pa.StringArray:
    """The normal form of each text: tokens with one space between.

    Args:
        text: Valid UTF-8, no nulls, less than 1 GiB together.
    """
    offsets, data = string_buffers(text)
    # A one-byte mark of punctuation becomes two bytes: itself and a space. Expanded
    # compatibility forms (three code points of three bytes) come from three bytes or more.
    out = np.empty(3 * int(offsets[-1] - offsets[0]) + 16, np.uint8)
    ends = np.zeros(len(text) + 1, np.int32)
    _fold(offsets, data, *_tables(), out, ends)
    used = out[: ends[-1]].copy()
    return pa.StringArray.from_buffers(len(text), pa.py_buffer(ends), pa.py_buffer(used))


@njit
def _decode(data: Buffer, at: int) -> tuple[int, np.int64]:  # pragma: no cover - compiled
    """Width in bytes and code point of the character at `at` of valid UTF-8."""
    first = np.int64(data[at])
    if first < 0x80:
        return 1, first
    if first < 0xE0:
        return 2, ((first & 0x1F) << 6) | (data[at + 1] & 0x3F)
    if first < 0xF0:
        return 3, ((first & 0x0F) << 12) | ((data[at + 1] & 0x3F) << 6) | (data[at + 2] & 0x3F)
    return 4, (
        ((first & 0x07) << 18)
        | ((data[at + 1] & 0x3F) << 12)
        | ((data[at + 2] & 0x3F) << 6)
        | (data[at + 3] & 0x3F)
    )


@njit
def _encode(point: np.int64, out: Buffer, at: int) -> int:  # pragma: no cover - compiled
    """Writes a code point as UTF-8; returns where the next one goes."""
    if point < 0x80:
        out[at] = point
        return at + 1
    if point < 0x800:
        out[at] = 0xC0 | (point >> 6)
        out[at + 1] = 0x80 | (point & 0x3F)
        return at + 2
    if point < 0x10000:
        out[at] = 0xE0 | (point >> 12)
        out[at + 1] = 0x80 | ((point >> 6) & 0x3F)
        out[at + 2] = 0x80 | (point & 0x3F)
        return at + 3
    out[at] = 0xF0 | (point >> 18)
    out[at + 1] = 0x80 | ((point >> 12) & 0x3F)
    out[at + 2] = 0x80 | ((point >> 6) & 0x3F)
    out[at + 3] = 0x80 | (point & 0x3F)
    return at + 4


@njit
def _latinise(out: Buffer, start: int, stop: int, alike: Packed) -> int:  # pragma: no cover
    """Replaces look-alikes in a word that has Latin letters; returns its new end."""
    latin, foreign = False, False
    for at in range(start, stop):
        latin |= np.uint8(97) <= out[at] <= np.uint8(122)
        foreign |= out[at] >= np.uint8(128)
    if not (latin and foreign):
        return stop
    at, to = start, start
    while at < stop:
        width, point = _decode(out, at)
        at += width
        to = _encode(alike[point] if alike[point] else point, out, to)
    return to


@njit
def _link_starts(data: Buffer, at: int, stop: int) -> bool:  # pragma: no cover - compiled
    """Whether `http`, `www.` begins here, in either case."""
    if at + 4 > stop:
        return False
    a, b, c, d = data[at] | 32, data[at + 1] | 32, data[at + 2] | 32, data[at + 3]
    if a == 104 and b == 116 and c == 116 and d | 32 == 112:
        return at + 4 < stop and (data[at + 4] == 58 or data[at + 4] | 32 == 115)
    return a == 119 and b == 119 and c == 119 and d == 46


@njit
def _to_blank(data: Buffer, at: int, stop: int) -> int:  # pragma: no cover - compiled
    """The next blank or line end, or the end."""
    while at < stop and data[at] > 32:
        at += 1
    return at


@njit
def _ends_number(data: Buffer, at: int, stop: int) -> bool:  # pragma: no cover - compiled
    """Whether the character at `at` is no `.`, `,` or `:` between two digits."""
    byte = data[at]
    if byte not in (44, 46, 58) or at + 1 >= stop:
        return True
    return not 48 <= data[at + 1] <= 57


@njit
def _fold(
    offsets: Offsets,
    data: Buffer,
    classes: Buffer,
    folded: Packed,
    alike: Packed,
    out: Buffer,
    ends: Offsets,
) -> None:  # pragma: no cover - compiled
    end = 0
    for row in range(len(offsets) - 1):
        end = _fold_one(data, offsets[row], offsets[row + 1], classes, folded, alike, out, end)
        ends[row + 1] = end


@njit
def _fold_one(
    data: Buffer,
    at: int,
    stop: int,
    classes: Buffer,
    folded: Packed,
    alike: Packed,
    out: Buffer,
    to: int,
) -> int:  # pragma: no cover - compiled
    """Folds data[at:stop] to out[to:]; returns the end. Tokens end with a space but the last."""
    begin = to
    word = -1  # where the open word begins
    fresh = True  # nothing but blanks since the line began
    marker = False  # the last token is a number that the line began with
    number = False  # the last token is a number that may go on
    last = 0  # the last mark of punctuation, while nothing followed it
    while at < stop:
        width, point = _decode(data, at)
        kind = classes[point]
        if kind == _LETTER:
            if word < 0:
                if _link_starts(data, at, stop):
                    at = _to_blank(data, at, stop)
                    continue
                word = to
            packed = folded[point]
            while packed > 0:
                to = _encode(packed & _MASK, out, to)
                packed >>= _BITS
            fresh = marker = number = False
            last = 0
            at += width
            continue
        if kind == _DROP:
            at += width
            continue
        if kind == _APOSTROPHE and word >= 0 and at + width < stop:
            after = classes[_decode(data, at + width)[1]]
            if after == _LETTER:
                out[to] = 39
                to += 1
                at += width
                continue
        if word >= 0:
            to = _latinise(out, word, to, alike)
            out[to] = 32
            to += 1
            word = -1
        if kind == _AT:
            at = _to_blank(data, at, stop)
            continue
        if kind == _DIGIT:
            if not number:
                out[to], out[to + 1] = 48, 32
                to += 2
                marker = fresh
            number = True
            fresh = False
            last = 0
            at += width
            continue
        if number and kind == _POINT and not _ends_number(data, at, stop):
            at += width
            continue
        number = False
        if kind == _SINGLE:
            to = _encode(folded[point] & _MASK, out, to)
            out[to] = 32
            to += 1
            fresh = marker = False
            last = 0
        elif kind == _POINT:
            mark = folded[point]
            if marker and mark in (41, 46):
                to -= 2
                marker = False
                fresh = True
            elif mark == 46 and last in (46, 0x2026):
                if last == 46:
                    to = _encode(np.int64(0x2026), out, to - 2)
                    out[to] = 32
                    to += 1
                    last = 0x2026
            elif mark != last:
                to = _encode(mark, out, to)
                out[to] = 32
                to += 1
                last = mark
            fresh = False
        elif kind == _NEWLINE:
            fresh, marker = True, False
        at += width
    if word >= 0:
        return _latinise(out, word, to, alike)
    return to - 1 if to > begin else to
