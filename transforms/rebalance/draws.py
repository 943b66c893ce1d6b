"""Draws: what stands for chance, from a document's id and the rotation alone."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["Keys", "halves", "mix", "rank_keys"]

Keys = npt.NDArray[np.uint64]
Binary: TypeAlias = "pa.Array[Any] | pa.ChunkedArray[Any]"


def _words(column: Binary, order: str) -> Keys:
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):  # Arrow keeps no chunk at all as it is
        array = pa.concat_arrays(array.chunks) if array.chunks else pa.array([], pa.binary())
    fixed = array.cast(pa.binary(16))
    raw = fixed.buffers()[1]
    words = np.frombuffer(memoryview(raw), dtype=order) if raw else np.empty(0, dtype=order)
    return words[2 * fixed.offset : 2 * (fixed.offset + len(fixed))].reshape(-1, 2)


def halves(column: Binary) -> tuple[Keys, Keys]:
    """The upper and the lower eight bytes of 16-byte values, which sort as the bytes do."""
    words = _words(column, ">u8").astype(np.uint64)
    return words[:, 0], words[:, 1]


def rank_keys(doc_id: Binary, rotation: int) -> Keys:
    """A draw per document: 64 bits that depend on its `doc_id` and the rotation only.

    Each eight bytes go through the finaliser of SplitMix64 (Steele, Lea and Flood,
    Fast splittable pseudorandom number generators, OOPSLA 2014).
    """
    words = _words(doc_id, "<u8").astype(np.uint64)
    seed = mix(np.array([rotation], dtype=np.uint64))
    return mix(mix(words[:, 0] + seed) + words[:, 1])


def mix(words: Keys) -> Keys:
    """Draws from draws: any bit of a word changes every bit of its result."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
