"""From normalised text to shingle hashes: n-grams of tokens, hashed to 64 bits.

Tokens are runs of letters, combining marks and digits; a letter of a script that
is written without spaces (Han, Kana, Thai, Lao, Khmer, Myanmar, Tibetan) is a
token of its own, with its marks. A document of fewer than n tokens has one
shingle, all its tokens; one without tokens has none.

The kernels read Arrow's UTF-8 buffers: no Python object per document or token.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms import utf8
from transforms.dedup import characters
from transforms.dedup.normalize import letters
from transforms.kernels import Buffer, Hashes, Offsets, njit
from transforms.utf8 import string_buffers

__all__ = ["jaccard", "shingle_sets", "shingles_of"]

_FNV_OFFSET = np.uint64(0xCBF29CE484222325)
_FNV_PRIME = np.uint64(0x100000001B3)
_MIX_1 = np.uint64(0xFF51AFD7ED558CCD)
_MIX_2 = np.uint64(0xC4CEB9FE1A85EC53)
_ROLL = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(33)


@njit
def _mix(value: np.uint64) -> np.uint64:  # pragma: no cover - compiled
    """MurmurHash3's 64-bit finalizer (Appleby, public domain): a bijection."""
    value = (value ^ (value >> _SHIFT)) * _MIX_1
    value = (value ^ (value >> _SHIFT)) * _MIX_2
    return value ^ (value >> _SHIFT)


@njit
def tokens_of(
    data: Buffer, start: int, stop: int, classes: Buffer, tokens: Hashes
) -> int:  # pragma: no cover - compiled
    """Hashes the tokens of data[start:stop] into `tokens`; returns how many there are."""
    count = 0
    open_class = characters.SEPARATOR
    running = _FNV_OFFSET
    at = start
    while at < stop:
        byte = data[at]
        if byte < 0x80 and open_class == characters.WORD and classes[byte] == characters.WORD:
            running = (running ^ np.uint64(byte)) * _FNV_PRIME
            at += 1
            continue
        width, point = utf8.decode(data, at)
        kind = classes[point]
        if kind == characters.MARK:
            # A mark without a base begins a run, as a letter would.
            joins = open_class != characters.SEPARATOR
            kind = open_class if joins else characters.WORD
        else:
            kind = characters.SEPARATOR if kind == characters.SPACE else kind
            joins = kind == characters.WORD and open_class == characters.WORD
        if not joins and open_class != characters.SEPARATOR:
            tokens[count] = _mix(running)
            count += 1
            running = _FNV_OFFSET
        if kind != characters.SEPARATOR:
            for i in range(at, at + width):
                running = (running ^ np.uint64(data[i])) * _FNV_PRIME
        open_class = kind
        at += width
    if open_class != characters.SEPARATOR:
        tokens[count] = _mix(running)
        count += 1
    return count


@njit
def shingles_of(tokens: Hashes, count: int, n: int) -> int:  # pragma: no cover - compiled
    """Turns `count` token hashes, in place, into shingle hashes; returns how many."""
    if count == 0:
        return 0
    size = min(n, count)
    # A polynomial in _ROLL modulo 2^64, of length and tokens: rolled on, not computed anew.
    rolled, top = np.uint64(size), np.uint64(1)
    for i in range(size):
        rolled = rolled * _ROLL + tokens[i]
        top *= _ROLL
    length = (np.uint64(size) * top) * (_ROLL - np.uint64(1))
    for first in range(count - size):
        leaving = tokens[first]
        tokens[first] = _mix(rolled)
        rolled = rolled * _ROLL + tokens[first + size] - leaving * top - length
    tokens[count - size] = _mix(rolled)
    return count - size + 1


@njit
def _sets(
    offsets: Offsets, data: Buffer, classes: Buffer, n: int, out: Hashes, ends: Offsets
) -> None:  # pragma: no cover - compiled
    filled = 0
    for row in range(len(offsets) - 1):
        # A token takes a byte or more, and the one before it left at least as much room.
        room = out[filled:]
        count = tokens_of(data, offsets[row], offsets[row + 1], classes, room)
        count = shingles_of(room, count, n)
        room[:count].sort()
        kept = 0
        for i in range(count):
            if i == 0 or room[i] != room[kept - 1]:
                room[kept] = room[i]
                kept += 1
        filled += kept
        ends[row + 1] = filled


def shingle_sets(text: pa.Array, n: int) -> pa.ListArray:
    """The set of shingle hashes of each text, ascending.

    Args:
        text: Strings as they were read, no nulls.
        n: Tokens in a shingle.

    Returns:
        list<uint64>; empty for a text without tokens.
    """
    normal = letters(text)
    offsets, data = string_buffers(normal)
    out = np.empty(int(offsets[-1] - offsets[0]) + 1, dtype=np.uint64)
    ends = np.zeros(len(normal) + 1, dtype=np.int32)
    _sets(offsets, data, characters.classes(), n, out, ends)
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(out[: ends[-1]]))


@njit
def jaccard(
    values: Hashes,
    starts: npt.NDArray[np.int64],
    stops: npt.NDArray[np.int64],
    left: npt.NDArray[np.int64],
    right: npt.NDArray[np.int64],
    out: npt.NDArray[np.float64],
) -> None:  # pragma: no cover - compiled
    """Exact Jaccard similarity of pairs of sets.

    Args:
        values: All sets, each ascending, end to end.
        starts: Where set i begins in `values`.
        stops: Where it ends.
        left: Index of the first set of each pair.
        right: Index of the second.
        out: Receives |A & B| / |A | B| per pair; 0 for two empty sets.
    """
    for pair in range(len(left)):
        i, i_stop = starts[left[pair]], stops[left[pair]]
        j, j_stop = starts[right[pair]], stops[right[pair]]
        total = (i_stop - i) + (j_stop - j)
        common = 0
        while i < i_stop and j < j_stop:
            a, b = values[i], values[j]
            common += a == b
            i += a <= b
            j += b <= a
        out[pair] = common / (total - common) if total else 0.0
