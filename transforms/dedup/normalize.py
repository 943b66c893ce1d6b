"""The normal form of a text: NFKC, lower case, white space folded.

Normal forms serve fingerprints only; what is published is the text as it came.
"""

from __future__ import annotations

import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.dedup import characters
from transforms.kernels import Buffer, Offsets, njit

__all__ = ["fold_space", "letters", "normal_form"]


def letters(text: pa.Array) -> pa.Array:
    """NFKC and lower case, with white space as it is.

    ASCII goes through Arrow. The rest goes through `unicodedata`: Arrow's
    `utf8_normalize` decomposes without composing again (apache/arrow#51225, in every
    release up to 25), which is no NFKC, and its lower case knows no final sigma.

    Args:
        text: Strings, no nulls.
    """
    ascii_only = pc.string_is_ascii(text)
    lowered = pc.ascii_lower(text)
    if pc.all(ascii_only).as_py():
        return lowered
    other = pc.invert(ascii_only)
    rest = [
        unicodedata.normalize("NFKC", value).lower() for value in text.filter(other).to_pylist()
    ]
    return pc.replace_with_mask(lowered, other, pa.array(rest, text.type))


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


def string_buffers(text: pa.Array) -> tuple[Offsets, Buffer]:
    """The offsets (int32, length n + 1) and UTF-8 bytes (uint8) of a string array, no copy."""
    _, offsets, data = text.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int32)[text.offset : text.offset + len(text) + 1]
    raw = np.frombuffer(data, dtype=np.uint8) if data is not None else np.empty(0, np.uint8)
    return bounds, raw


@njit
def _fold(
    offsets: Offsets, data: Buffer, classes: Buffer, folded: Buffer, ends: Offsets
) -> None:  # pragma: no cover - compiled
    out = 0
    for row in range(len(offsets) - 1):
        start = out
        pending = False
        at, stop = np.int64(offsets[row]), np.int64(offsets[row + 1])
        while at < stop:
            byte = data[at]
            if byte < 0x80:
                width = 1
                space = classes[byte] == characters.SPACE
            else:
                width, point = characters.decode(data, at)
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
        ends[row + 1] = out
