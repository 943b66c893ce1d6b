"""NFKC and lower case in one pass over UTF-8, as `unicodedata` and `str.lower` do them.

Most characters stand apart: they are their own NFKC and change nothing before them.
Those are lowered and copied. Where one comes that does not (a combining mark, a
compatibility form) and that has an effect, the kernel goes back to the last that stands
apart, and the stretch up to the next is decomposed, ordered and composed by Unicode's
algorithm (The Unicode Standard, section 3.11; Hangul by section 3.12).
"""

from __future__ import annotations

import numpy as np

from transforms import utf8
from transforms.dedup.nfkc_table import (
    APART,
    CASED,
    EXPANDS,
    FOLLOWS,
    IGNORED,
    Points,
    Table,
)
from transforms.kernels import Buffer, Offsets, njit

__all__ = ["GROWTH", "lower_nfkc"]

GROWTH = 11
"""Most bytes that come of one: U+FDFA has 3 in UTF-8, and 33 once it is taken apart."""

_BLOCK = 16
_SIGMA, _DOTTED_I = 0x3A3, 0x130
_L, _V, _T, _S = 0x1100, 0x1161, 0x11A7, 0xAC00


@njit
def _after_letter(out: Buffer, start: int, at: int, t: Table) -> bool:  # pragma: no cover
    """Whether a letter stands before `at`, case-ignorable characters skipped.

    Lower case is of the same class as its upper case, so what was written can be asked.
    """
    while at > start:
        at -= 1
        while (out[at] & 0xC0) == 0x80:
            at -= 1
        _, point = utf8.decode(out, at)
        if t.case[point] != IGNORED:
            return bool(t.case[point] == CASED)
    return False


@njit
def _emit(
    point: int, t: Table, out: Buffer, start: int, at: int, final: int
) -> tuple[int, int]:  # pragma: no cover - compiled
    """Writes the lower case of a code point.

    `final` is where a sigma stands that is final unless a letter follows; -1 for none.
    The two small sigmas differ in their second byte. Returns the new `at` and `final`.
    """
    if final >= 0 and t.case[point] != IGNORED:
        if t.case[point] == CASED:
            out[final + 1] = 0x83
        final = -1
    if point == _SIGMA:
        ends = _after_letter(out, start, at, t)
        out[at] = 0xCF
        out[at + 1] = 0x82 if ends else 0x83
        return at + 2, at if ends else -1
    if point == _DOTTED_I:
        return utf8.encode(np.int64(0x307), out, utf8.encode(np.int64(0x69), out, at)), final
    return utf8.encode(np.int64(t.lower[point]), out, at), final


@njit
def _order(points: Points, first: int, stop: int, t: Table) -> None:  # pragma: no cover
    """Sorts marks by combining class, stably and in linear time however many there are."""
    count = np.zeros(257, dtype=np.int64)
    for i in range(first, stop):
        count[np.int64(t.classes[points[i]]) + 1] += 1
    for k in range(256):
        count[k + 1] += count[k]
    marks = points[first:stop].copy()
    for point in marks:
        k = t.classes[point]
        points[first + count[k]] = point
        count[k] += 1


@njit
def _pair(first: int, second: int, t: Table) -> int:  # pragma: no cover - compiled
    """What two characters compose to; 0 for nothing."""
    if _L <= first < _L + 19 and _V <= second < _V + 21:
        return _S + ((first - _L) * 21 + second - _V) * 28
    if _S <= first < _S + 11172 and (first - _S) % 28 == 0 and _T < second < _T + 28:
        return first + second - _T
    key = (np.uint64(first) << np.uint64(21)) | np.uint64(second)
    low, high = 0, len(t.pairs)
    while low < high:
        middle = (low + high) // 2
        if t.pairs[middle] < key:
            low = middle + 1
        else:
            high = middle
    return int(t.composed[low]) if low < len(t.pairs) and t.pairs[low] == key else 0


@njit
def _compose(points: Points, count: int, t: Table) -> int:  # pragma: no cover - compiled
    """Orders and composes decomposed characters in place; returns how many are left."""
    run = 0
    for i in range(1, count + 1):
        if i == count or t.classes[points[i]] == 0:
            for k in range(run + 1, i):
                if t.classes[points[k]] < t.classes[points[k - 1]]:
                    _order(points, run, i, t)
                    break
            run = i + 1
    starter, left, before = -1, 0, 0
    for i in range(count):
        point = np.int64(points[i])
        mark = t.classes[point]
        if starter >= 0 and (left - 1 == starter or before < mark):
            whole = _pair(np.int64(points[starter]), point, t)
            if whole:
                points[starter] = whole
                continue
        if mark == 0:
            starter = left
        before = mark
        points[left] = point
        left += 1
    return left


@njit
def _flush(
    points: Points, count: int, t: Table, out: Buffer, start: int, at: int, final: int
) -> tuple[int, int]:  # pragma: no cover - compiled
    left = _compose(points, count, t) if count > 1 else count
    for i in range(left):
        at, final = _emit(np.int64(points[i]), t, out, start, at, final)
    return at, final


@njit
def _stretch(
    data: Buffer,
    here: int,
    stop: int,
    t: Table,
    points: Points,
    out: Buffer,
    start: int,
    at: int,
    final: int,
) -> tuple[int, int, int]:  # pragma: no cover - compiled
    """Normalises from `here` up to the second character on that stands apart."""
    first, count = here, 0
    pieces = points[len(points) - 3 :]
    while here < stop:
        width, point = utf8.decode(data, here)
        if here > first and t.kinds[point] == APART:
            break
        here += width
        kind = t.which[point]
        if _S <= point < _S + 11172:
            syllable = point - _S
            pieces[0] = _L + syllable // 588
            pieces[1] = _V + syllable % 588 // 28
            pieces[2] = _T + syllable % 28
            some = pieces[: 3 if syllable % 28 else 2]
        elif kind >= 0:
            some = t.pieces[t.ends[kind] : t.ends[kind + 1]]
        else:
            pieces[0] = point
            some = pieces[:1]
        for piece in some:
            if count and t.kinds[piece] == APART:
                at, final = _flush(points, count, t, out, start, at, final)
                count = 0
            points[count] = piece
            count += 1
    at, final = _flush(points, count, t, out, start, at, final)
    return here, at, final


@njit
def _ascii_block(data: Buffer, here: int, out: Buffer, at: int) -> bool:  # pragma: no cover
    """Lowers a block of ASCII; false, and nothing that counts is written, if it is none."""
    high = np.uint8(0)
    for k in range(_BLOCK):
        high |= data[here + k]
    if high >= 0x80:
        return False
    for k in range(_BLOCK):
        byte = data[here + k]
        out[at + k] = byte + (np.uint8(32) if np.uint8(byte - np.uint8(65)) < 26 else np.uint8(0))
    return True


@njit
def _last_class(point: int, t: Table) -> int:  # pragma: no cover - compiled
    """The combining class that the canonical decomposition of a character ends with."""
    kind = t.which[point]
    return int(t.classes[t.pieces[t.ends[kind + 1] - 1]]) if kind >= 0 else 0


@njit
def lower_nfkc(  # noqa: C901, PLR0912  # one loop: a call costs more than a character
    offsets: Offsets, data: Buffer, t: Table, points: Points, out: Buffer, ends: Offsets
) -> None:  # pragma: no cover - compiled
    """`unicodedata.normalize("NFKC", text).lower()` of each text.

    Args:
        offsets: Where texts begin and end in `data`, shape (n + 1,).
        data: Valid UTF-8.
        t: The tables.
        points: Room for a mark per byte of the longest text, and 32 more.
        out: Receives the results; room for `GROWTH` bytes per byte of `data`.
        ends: Receives where results end in `out`, from `ends[1]` on.
    """
    kinds, lower = t.kinds, t.lower
    at = np.int64(0)
    for row in range(len(offsets) - 1):
        start, final = at, np.int64(-1)
        here, stop = np.int64(offsets[row]), np.int64(offsets[row + 1])
        # Where the last character that stands apart was read, and where it was written;
        # which starter was written last, and the class of the last mark since.
        last, last_at, starter, mark = here, at, np.int64(-1), -1
        while here < stop:
            if data[here] < 0x80 and final < 0:
                while here + _BLOCK <= stop and _ascii_block(data, here, out, at):
                    here += _BLOCK
                    at += _BLOCK
                while here < stop and data[here] < 0x80:
                    out[at] = lower[data[here]]
                    here += 1
                    at += 1
                last, last_at, starter, mark = here - 1, at - 1, np.int64(data[here - 1]), -1
                continue
            width, point = utf8.decode(data, here)
            kind = kinds[point]
            if kind == APART:
                last, last_at, starter, mark = here, at, point, -1
                if final >= 0 or point == _SIGMA or point == _DOTTED_I:  # noqa: PLR1714, SIM109
                    at, final = _emit(point, t, out, start, at, final)
                elif lower[point] == point:
                    for k in range(width):
                        out[at + k] = data[here + k]
                    at += width
                else:
                    at = utf8.encode(np.int64(lower[point]), out, at)
                here += width
                continue
            if kind == EXPANDS:
                last, last_at, mark = here, at, -1
                for k in range(t.ends[t.which[point]], t.ends[t.which[point] + 1]):
                    starter = np.int64(t.pieces[k])
                    at, final = _emit(starter, t, out, start, at, final)
                here += width
                continue
            if kind == FOLLOWS and starter >= 0:
                if mark < 0:
                    mark = _last_class(starter, t)
                own = t.classes[point]
                if (own == 0 or own >= mark) and not _pair(starter, point, t):
                    at, final = _emit(point, t, out, start, at, final)
                    here += width
                    starter, mark = (point, 0) if own == 0 else (starter, own)
                    continue
            final = np.int64(-1) if final >= last_at else final
            here, at, final = _stretch(data, last, stop, t, points, out, start, last_at, final)
            last, last_at, starter = here, at, np.int64(-1)
        ends[row + 1] = at
