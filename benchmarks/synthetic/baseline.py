"""The cheap baseline: logistic regression on hashed word and character n-grams.

Words and pairs of words, and character 3- to 5-grams, of the same normal form,
all documents alike: no masks, no intercepts of places, no excerpts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.kernels import Buffer, Offsets, njit
from transforms.synthetic.fit import Design, fit
from transforms.synthetic.wording import BITS, Buckets, mix
from transforms.utf8 import string_buffers

__all__ = ["baseline_scores", "plain_features"]

_SHORTEST, _LONGEST = 3, 5
_PRIME = np.uint64(0x100000001B3)
_ROLL = np.uint64(0x9E3779B97F4A7C15)
_TOP = np.uint64(64 - BITS)

Ints = npt.NDArray[np.int64]


@njit
def _add(
    value: np.uint64, stamps: Buckets, stamp: int, out: Buckets, found: int
) -> int:  # pragma: no cover - compiled
    bucket = np.int64(mix(value) >> _TOP)
    if stamps[bucket] == stamp:
        return found
    stamps[bucket] = stamp
    out[found] = bucket
    return found + 1


@njit
def _plain(
    offsets: Offsets, data: Buffer, out: Buckets, bounds: Ints
) -> None:  # pragma: no cover - compiled
    stamps = np.zeros(1 << BITS, dtype=np.int32)
    for row in range(len(offsets) - 1):
        found = bounds[row]
        previous, word = np.uint64(0), np.uint64(0)
        for at in range(offsets[row], offsets[row + 1]):
            running = np.uint64(7)
            for n in range(min(_LONGEST, offsets[row + 1] - at)):
                running = (running ^ np.uint64(data[at + n])) * _PRIME
                if n + 1 >= _SHORTEST:
                    found = _add(running, stamps, row + 1, out, found)
            if data[at] != 32:
                word = (word ^ np.uint64(data[at])) * _PRIME
            if data[at] == 32 or at + 1 == offsets[row + 1]:
                word = mix(word)
                found = _add(word, stamps, row + 1, out, found)
                found = _add(previous * _ROLL + word, stamps, row + 1, out, found)
                previous, word = word, np.uint64(0)
        bounds[row + 1] = found


def plain_features(folded: pa.StringArray) -> tuple[Buckets, Ints]:
    """Buckets of all texts, end to end, and n + 1 bounds."""
    offsets, data = string_buffers(folded)
    out = np.empty(4 * int(offsets[-1] - offsets[0]) + 8, dtype=np.int32)
    bounds = np.zeros(len(offsets), dtype=np.int64)
    _plain(offsets, data, out, bounds)
    return out[: bounds[-1]].copy(), bounds


def baseline_scores(
    features: Buckets, bounds: Ints, machine: npt.NDArray[np.float64], train: Ints, test: Ints
) -> npt.NDArray[np.float64]:
    """Margins of the test rows after learning from the training rows."""
    pieces = [features[bounds[row] : bounds[row + 1]] for row in train]
    sizes = np.array([0] + [len(piece) for piece in pieces])
    alike = np.zeros(len(train), dtype=np.int64)
    design = Design(np.concatenate(pieces), np.cumsum(sizes), machine[train], alike, alike)
    weights = fit(design, least_places=1)
    found = [weights[features[bounds[row] : bounds[row + 1]]] for row in test]
    return np.array([values.sum() / max(1, np.count_nonzero(values)) ** 0.5 for values in found])
