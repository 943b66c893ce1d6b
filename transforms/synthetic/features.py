"""Everything that the classifier knows of a document: a set of bucket numbers.

The first `2 ** wording.BITS` buckets are sequences of words; behind them every
measure of `manner` has one bucket a class.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.kernels import Buffer, Hashes, Offsets, njit
from transforms.synthetic.manner import CLASSES, MEASURES, Edges, Measures, measure
from transforms.synthetic.wording import (
    BITS,
    LONGEST,
    Buckets,
    Vocabulary,
    masked_words,
    sequences_of,
)
from transforms.utf8 import string_buffers

__all__ = ["BUCKETS", "Room", "document_features", "features_of", "room_for"]

_N: Final = len(MEASURES)
BUCKETS: Final = (1 << BITS) + _N * CLASSES
"""How many buckets there are."""

Room = tuple[Hashes, Hashes, Measures, Buffer, Buckets]
"""Scratch memory: words, recent words, measures, buckets seen, features."""


def room_for(offsets: Offsets) -> Room:
    """Scratch memory for the longest of some texts.

    Args:
        offsets: Of the texts in normal form.
    """
    longest = int(np.diff(offsets).max(initial=0)) + 1
    return (
        np.empty(longest, dtype=np.uint64),
        np.empty(128, dtype=np.uint64),
        np.empty(_N, dtype=np.int32),
        np.zeros(1 << BITS, dtype=np.uint8),
        np.empty(LONGEST * longest + _N, dtype=np.int32),
    )


@njit
def document_features(
    data: Buffer,
    start: int,
    stop: int,
    vocabulary: Vocabulary,
    edges: Edges,
    room: Room,
) -> tuple[int, int]:  # pragma: no cover - compiled
    """Puts the features of one text into `room[4]`.

    Args:
        data: UTF-8 of texts in normal form.
        start: Where the text begins.
        stop: Where it ends.
        vocabulary: Words that are not masked.
        edges: Where the classes of the measures begin.
        room: Scratch memory.

    Returns:
        How many tokens, and how many features, the text has.
    """
    words, recent, measures, seen, out = room
    count = masked_words(data, start, stop, vocabulary, words)
    found = sequences_of(words, count, seen, out)
    measure(data, start, stop, recent, measures)
    for column in range(len(measures)):
        kind = 0
        while kind < edges.shape[1] and measures[column] > edges[column, kind]:
            kind += 1
        out[found] = (1 << BITS) + column * CLASSES + kind
        found += 1
    return count, found


def features_of(
    folded: pa.StringArray, vocabulary: Vocabulary, edges: Edges
) -> tuple[Buckets, npt.NDArray[np.int64]]:
    """Features of all texts, end to end, and n + 1 bounds.

    Args:
        folded: What `folding.fold` returns.
        vocabulary: What `wording.vocabulary_table` returns.
        edges: What `manner.edges_of` returns.
    """
    offsets, data = string_buffers(folded)
    # A token takes two bytes with its space.
    most = (LONGEST * (int(offsets[-1] - offsets[0]) + len(offsets))) // 2 + _N * len(offsets)
    out = np.empty(most, dtype=np.int32)
    bounds = np.zeros(len(offsets), dtype=np.int64)
    _features(offsets, data, vocabulary, edges, room_for(offsets), out, bounds)
    return out[: bounds[-1]].copy(), bounds


@njit
def _features(
    offsets: Offsets,
    data: Buffer,
    vocabulary: Vocabulary,
    edges: Edges,
    room: Room,
    out: Buckets,
    bounds: npt.NDArray[np.int64],
) -> None:  # pragma: no cover - compiled
    for row in range(len(offsets) - 1):
        start, stop = np.int64(offsets[row]), np.int64(offsets[row + 1])
        _, found = document_features(data, start, stop, vocabulary, edges, room)
        out[bounds[row] : bounds[row] + found] = room[4][:found]
        bounds[row + 1] = bounds[row] + found
