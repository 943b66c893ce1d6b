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

from transforms import utf8
from transforms.kernels import Buffer, Offsets, njit
from transforms.utf8 import string_buffers

__all__ = ["FOLDING", "fold"]

FOLDING: Final = 1
"""Version of `fold`; a model is only good for the version that it was trained with."""

_POINTS: Final = 0x110000
_BITS: Final = 21
_MASK: Final = (1 << _BITS) - 1
_DROP, _SPACE, _LETTER, _SINGLE, _DIGIT, _POINT, _APOSTROPHE, _AT, _NEWLINE = range(9)

_WORD, _FRESH, _MARKER, _NUMBER, _LAST = range(5)
_ELLIPSIS: Final = 0x2026

State = npt.NDArray[np.int64]
"""Where the open word begins, or -1; whether only blanks came since the line began; whether
the last token is a number that a line began with; whether it is a number that may go on; the
last mark of punctuation while nothing has followed it."""
Packed = npt.NDArray[np.int64]
"""Up to three code points of 21 bits, the first in the lowest."""


@functools.cache
def _tables() -> tuple[Buffer, Packed, Packed]:
    """Class, folded form and look-alike (0 for none) of every code point."""
    blob = importlib.resources.files("transforms.data").joinpath("folding.npz").read_bytes()
    with np.load(io.BytesIO(blob), allow_pickle=False) as stored:
        ends = np.append(stored["starts"][1:], _POINTS).astype(np.int64)
        runs: Packed = ends - stored["starts"].astype(np.int64)
        classes = np.repeat(stored["classes"], runs)
        folded = np.repeat(stored["deltas"], runs) + np.arange(_POINTS, dtype=np.int64)
        alike = np.zeros(_POINTS, dtype=np.int64)
        alike[stored["alike"][:, 0]] = stored["alike"][:, 1]
    return classes, folded, alike


def fold(text: pa.StringArray) -> pa.StringArray:
    """The normal form of each text: tokens with one space between.

    Args:
        text: Valid UTF-8, no nulls, less than 700 MB together.
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
        width, point = utf8.decode(out, at)
        at += width
        to = utf8.encode(alike[point] if alike[point] else point, out, to)
    return to


@njit
def _link_starts(data: Buffer, at: int, stop: int) -> bool:  # pragma: no cover - compiled
    """Whether `http:`, `https:` or `www.` begins here, in either case."""
    if at + 6 > stop:
        return False
    a, b, c, d = data[at] | 32, data[at + 1] | 32, data[at + 2] | 32, data[at + 3]
    if a == 104 and b == 116 and c == 116 and d | 32 == 112:
        secure = data[at + 4] | 32 == 115 and data[at + 5] == 58
        return bool(data[at + 4] == 58 or secure)
    return bool(a == 119 and b == 119 and c == 119 and d == 46)


@njit
def _to_blank(data: Buffer, at: int, stop: int) -> int:  # pragma: no cover - compiled
    """The next blank or line end, or the end."""
    while at < stop and data[at] > 32:
        at += 1
    return at


@njit
def _goes_on(data: Buffer, at: int, stop: int) -> bool:  # pragma: no cover - compiled
    """Whether the character at `at` is a `.`, `,` or `:` with a digit behind it."""
    if data[at] not in (44, 46, 58) or at + 1 >= stop:
        return False
    return bool(data[at + 1] >= 48 and data[at + 1] <= 57)


@njit
def _put(point: np.int64, out: Buffer, to: int) -> int:  # pragma: no cover - compiled
    """Writes a token of one character and the space after it; returns the new end."""
    end = int(utf8.encode(point, out, to))
    out[end] = 32
    return end + 1


@njit
def _letter(packed: np.int64, state: State, out: Buffer, to: int) -> int:  # pragma: no cover
    if state[_WORD] < 0:
        state[_WORD] = to
    state[_FRESH] = state[_MARKER] = state[_NUMBER] = state[_LAST] = 0
    while packed > 0:
        to = utf8.encode(packed & _MASK, out, to)
        packed >>= _BITS
    return to


@njit
def _mark(mark: np.int64, state: State, out: Buffer, to: int) -> int:  # pragma: no cover
    """Punctuation: list markers go, repeated marks are one, several full stops an ellipsis."""
    if state[_MARKER] and mark in (41, 46):
        state[_MARKER], state[_FRESH] = 0, 1
        return to - 2
    state[_FRESH] = 0
    last = state[_LAST]
    if mark == 46 and last == 46:
        state[_LAST] = _ELLIPSIS
        return int(_put(np.int64(_ELLIPSIS), out, to - 2))
    if mark == last or (mark == 46 and last == _ELLIPSIS):
        return to
    state[_LAST] = mark
    return int(_put(mark, out, to))


@njit
def _digit(state: State, out: Buffer, to: int) -> int:  # pragma: no cover - compiled
    if state[_NUMBER]:
        return to
    state[_MARKER] = state[_FRESH]
    state[_FRESH] = state[_LAST] = 0
    state[_NUMBER] = 1
    return int(_put(np.int64(48), out, to))


@njit
def _other(
    data: Buffer,
    at: int,
    stop: int,
    kind: int,
    folded: np.int64,
    state: State,
    out: Buffer,
    to: int,
) -> int:  # pragma: no cover - compiled
    """Takes a character outside a word; returns the new end."""
    if kind == _DIGIT:
        return int(_digit(state, out, to))
    if state[_NUMBER] and kind == _POINT and _goes_on(data, at, stop):
        return to
    state[_NUMBER] = 0
    if kind == _POINT:
        return int(_mark(folded, state, out, to))
    if kind == _SINGLE:
        state[_FRESH] = state[_MARKER] = state[_LAST] = 0
        return int(_put(folded & _MASK, out, to))
    if kind == _NEWLINE:
        state[_FRESH], state[_MARKER] = 1, 0
    return to


@njit
def _close(alike: Packed, state: State, out: Buffer, to: int) -> int:  # pragma: no cover
    """Ends the open word, if there is one."""
    if state[_WORD] < 0:
        return to
    end = int(_latinise(out, state[_WORD], to, alike))
    out[end] = 32
    state[_WORD] = -1
    return end + 1


@njit
def _joins(
    data: Buffer, at: int, stop: int, classes: Buffer, state: State
) -> bool:  # pragma: no cover - compiled
    """Whether an apostrophe before `at` stands between two letters."""
    return bool(state[_WORD] >= 0 and at < stop and classes[utf8.decode(data, at)[1]] == _LETTER)


@njit
def _fold_one(
    data: Buffer,
    at: int,
    stop: int,
    classes: Buffer,
    folded: Packed,
    alike: Packed,
    state: State,
    out: Buffer,
    to: int,
) -> int:  # pragma: no cover - compiled
    """Folds data[at:stop] to out[to:]; returns the end."""
    begin = to
    state[:] = (-1, 1, 0, 0, 0)
    while at < stop:
        width, point = utf8.decode(data, at)
        kind = classes[point]
        if kind == _LETTER:
            if state[_WORD] < 0 and _link_starts(data, at, stop):
                at = _to_blank(data, at, stop)
                continue
            to = _letter(folded[point], state, out, to)
            at += width
            # Most letters are Latin, lower case, inside a word: they stay as they are.
            while at < stop and data[at] >= 97 and data[at] <= 122:
                out[to] = data[at]
                to += 1
                at += 1
            continue
        if kind == _APOSTROPHE and _joins(data, at + width, stop, classes, state):
            out[to] = 39
            to += 1
        elif kind != _DROP:
            to = _close(alike, state, out, to)
            if kind == _AT:
                at = _to_blank(data, at, stop)
                continue
            to = _other(data, at, stop, kind, folded[point], state, out, to)
        at += width
    to = _close(alike, state, out, to)
    return to - 1 if to > begin else to


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
    end = np.int64(0)
    state = np.zeros(5, dtype=np.int64)
    for row in range(len(offsets) - 1):
        start, stop = np.int64(offsets[row]), np.int64(offsets[row + 1])
        end = _fold_one(data, start, stop, classes, folded, alike, state, out, end)
        ends[row + 1] = end
