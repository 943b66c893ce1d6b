"""The normal form of a text: NFKC, lower case, white space folded.

Normal forms serve fingerprints only; what is published is the text as it came.
"""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms import utf8
from transforms.dedup import characters
from transforms.dedup.nfkc import GROWTH, lower_nfkc
from transforms.dedup.nfkc_table import table
from transforms.kernels import Buffer, Offsets, njit
from transforms.utf8 import string_buffers

__all__ = ["fold_space", "letters", "normal_form"]

_BLOCK = 16
_PIECE = 8 << 20
"""Texts of so many bytes are normalised together: results may grow elevenfold."""


def letters(text: pa.Array) -> pa.Array:
    """NFKC and lower case, with white space as it is.

    ASCII goes through Arrow, the rest through `nfkc.lower_nfkc`. Arrow's `utf8_normalize`
    decomposes without composing again (apache/arrow#51225, in every release up to 25),
    which is no NFKC, and its lower case knows no final sigma.

    Args:
        text: Strings, no nulls; their results at most 2 GiB together.
    """
    if pc.all(pc.string_is_ascii(text)).as_py():
        return pc.ascii_lower(text)
    offsets, data = string_buffers(text)
    bounds, ends = [0], offsets.astype(np.int64)
    while bounds[-1] < len(text):
        most = np.searchsorted(ends, ends[bounds[-1]] + _PIECE, side="right") - 1
        bounds.append(max(int(most), bounds[-1] + 1))
    some = [_lowered(offsets[a : b + 1], data) for a, b in itertools.pairwise(bounds)]
    return pa.concat_arrays(some) if some else text


def _lowered(offsets: Offsets, data: Buffer) -> pa.Array:
    width = np.diff(offsets)
    points = np.empty(int(width.max()) + 32, dtype=np.uint32)
    # Only the pages that are written to take up memory.
    out = np.empty(GROWTH * int(width.sum()) + 32, dtype=np.uint8)
    ends = np.zeros(len(offsets), dtype=np.int32)
    lower_nfkc(offsets, data, table(), points, out, ends)
    return pa.StringArray.from_buffers(
        len(width), pa.py_buffer(ends), pa.py_buffer(out[: ends[-1]])
    )


def fold_space(text: pa.Array) -> pa.Array:
    """Each run of white space becomes one space; none at the ends.

    Args:
        text: Strings, no nulls, at most 2 GiB together.
    """
    offsets, data = string_buffers(text)
    folded = np.empty(len(data), dtype=np.uint8)
    ends = np.zeros(len(text) + 1, dtype=np.int32)
    _fold(offsets, data, characters.classes(), folded, ends)
    return pa.StringArray.from_buffers(
        len(text), pa.py_buffer(ends), pa.py_buffer(folded[: ends[-1]])
    )


def normal_form(text: pa.Array) -> pa.Array:
    """The key of exact duplicates: two texts with one normal form are copies."""
    return fold_space(letters(text))


@njit
def _plain_block(data: Buffer, at: int, folded: Buffer, out: int) -> bool:  # pragma: no cover
    """Copies a block of printable ASCII without two spaces in a row; false if it is none."""
    if (data[at] | data[at + _BLOCK - 1]) >= 0x80:
        return False
    odd = False
    for k in range(_BLOCK):
        byte = data[at + k]
        odd |= (byte >= 0x7F) | (byte < 32) | ((byte == 32) & (data[at + k - 1] == 32))
    if odd:
        return False
    for k in range(_BLOCK):
        folded[out + k] = data[at + k]
    return True


@njit
def _fold(
    offsets: Offsets, data: Buffer, classes: Buffer, folded: Buffer, ends: Offsets
) -> None:  # pragma: no cover - compiled
    out = 0
    for row in range(len(offsets) - 1):
        start = out
        pending = False
        at, stop = np.int64(offsets[row]), np.int64(offsets[row + 1])
        again = at
        while at < stop:
            byte = data[at]
            if byte < 0x80:
                width = 1
                space = classes[byte] == characters.SPACE
            else:
                width, point = utf8.decode(data, at)
                space = classes[point] == characters.SPACE
            if space:
                pending = out > start
                at += width
                continue
            if pending:
                folded[out] = 32
                out += 1
                pending = False
            for _ in range(width):
                folded[out] = data[at]
                out += 1
                at += 1
            if byte >= 0x80 or at < again or at + _BLOCK > stop:
                continue
            while at + _BLOCK <= stop and _plain_block(data, at, folded, out):
                out += _BLOCK
                at += _BLOCK
            again = at + _BLOCK
            if data[at - 1] == 32:
                # Whether the block's last space stays depends on what follows.
                out -= 1
                pending = True
        ends[row + 1] = out
