"""MinHash signatures from Arrow buffers, and the bands made of them."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.dedup import characters
from transforms.dedup.config import DedupConfig
from transforms.dedup.shingles import _mix, shingles_of, tokens_of
from transforms.kernels import Buffer, Hashes, Offsets, njit
from transforms.utf8 import string_buffers

__all__ = ["band_keys", "permutations", "signatures"]

Words = npt.NDArray[np.uint32]


@functools.cache
def permutations(count: int, seed: int) -> Words:
    """Parameters of datasketch's affine32 scheme: row 0 the odd factors a, row 1 the offsets b.

    They are drawn as `datasketch.MinHash(num_perm=count, seed=seed)` draws them, and a
    test holds the two together: importing the library for 252 numbers would cost every
    worker half a second of SciPy.

    Returns:
        uint32, shape (2, count).
    """
    draw = np.random.RandomState(seed)
    a = draw.randint(0, 1 << 31, count, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    b = draw.randint(0, 1 << 32, count, dtype=np.uint32)
    return np.stack([a, b])


@njit
def minhash(
    shingles: Hashes, count: int, a: Words, b: Words, mixed: Words, out: Words
) -> None:  # pragma: no cover - compiled
    """The minimum over shingles of a*fmix32(h)+b mod 2^32, for each permutation."""
    for i in range(count):
        # numba widens uint32 arithmetic to 64 bits: cast where the wrap matters.
        h = np.uint32(shingles[i])
        h = np.uint32(np.uint32(h ^ (h >> 16)) * np.uint32(0x85EBCA6B))
        h = np.uint32(np.uint32(h ^ (h >> 13)) * np.uint32(0xC2B2AE35))
        mixed[i] = np.uint32(h ^ (h >> 16))
    # One permutation at a time keeps its minimum in a register.
    for k in range(len(out)):
        least = np.uint32(0xFFFFFFFF)
        for i in range(count):
            least = min(least, np.uint32(a[k] * mixed[i] + b[k]))
        out[k] = least


@njit
def _signatures(
    offsets: Offsets,
    data: Buffer,
    classes: Buffer,
    n: int,
    a: Words,
    b: Words,
    tokens: Hashes,
    out: Words,
    empty: npt.NDArray[np.bool_],
) -> None:  # pragma: no cover - compiled
    mixed = np.empty(len(tokens), dtype=np.uint32)
    for row in range(len(offsets) - 1):
        count = tokens_of(data, offsets[row], offsets[row + 1], classes, tokens)
        count = shingles_of(tokens, count, n)
        empty[row] = count == 0
        minhash(tokens, count, a, b, mixed, out[row])


def signatures(letters: pa.Array, config: DedupConfig) -> pa.Array:
    """The signature of each text.

    Args:
        letters: Strings from `normalize.letters`, no nulls.
        config: Shingle length, permutations, seed.

    Returns:
        binary, `4 * permutations` bytes each (uint32, little-endian); null for a
        text without tokens. Equal to `datasketch.MinHash(scheme="affine32")` fed
        with the low 32 bits of the shingle hashes.
    """
    offsets, data = string_buffers(letters)
    a, b = permutations(config.permutations, config.seed)
    longest = int(np.diff(offsets).max(initial=0))
    out = np.empty((len(letters), config.permutations), dtype=np.uint32)
    empty = np.empty(len(letters), dtype=np.bool_)
    tokens = np.empty(longest + 1, dtype=np.uint64)
    _signatures(offsets, data, characters.classes(), config.ngram, a, b, tokens, out, empty)
    width = 4 * config.permutations
    ends = np.concatenate([[0], np.cumsum(np.where(empty, 0, width))]).astype(np.int32)
    blob = pa.py_buffer(np.ascontiguousarray(out[~empty]))
    valid = pa.py_buffer(np.packbits(~empty, bitorder="little"))
    return pa.Array.from_buffers(
        pa.binary(), len(letters), [valid, pa.py_buffer(ends), blob], int(empty.sum())
    )


@njit
def _bands(signature: Words, rows: int, out: Hashes) -> None:  # pragma: no cover - compiled
    for i in range(signature.shape[0]):
        for band in range(out.shape[1]):
            key = np.uint64(band + 1)
            for k in range(band * rows, (band + 1) * rows):
                key = _mix(key * np.uint64(0x9E3779B97F4A7C15) + np.uint64(signature[i, k]))
            out[i, band] = key


def band_keys(signature: Words, config: DedupConfig) -> Hashes:
    """One 64-bit key per band, the band's number mixed in.

    Args:
        signature: uint32, shape (documents, permutations).
        config: Bands and rows.

    Returns:
        uint64, shape (documents, bands).
    """
    out = np.empty((len(signature), config.bands), dtype=np.uint64)
    _bands(np.ascontiguousarray(signature), config.rows, out)
    return out
