"""From normal form to features: short sequences of words whose topic is masked.

A word is worth its hash when it is among the common ones of the training data.
Any other stands for its ending (`~ng`, `~ly`), so that a sequence tells how a
text is put together and hardly what it is about: a classifier of plain words
learns the topics of its data. A feature is a sequence of one to three such
words, or marks of punctuation, hashed into `2 ** BITS` buckets; a document has
it or does not.

The kernels read Arrow's buffers: no Python object per document or token.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.kernels import Buffer, Hashes, Offsets, njit
from transforms.utf8 import string_buffers

__all__ = [
    "BITS",
    "LONGEST",
    "Buckets",
    "Vocabulary",
    "hash_bytes",
    "masked_words",
    "sequences_of",
    "vocabulary_table",
    "words_of",
]

BITS: Final = 20
"""Binary logarithm of the number of buckets."""
LONGEST: Final = 3
"""Words in the longest feature."""

Buckets = npt.NDArray[np.int32]
"""Features as bucket numbers."""
Vocabulary = npt.NDArray[np.uint64]
"""Hashes of common words in an open-addressed table; 0 is an empty slot."""

_FNV_OFFSET = np.uint64(0xCBF29CE484222325)
_FNV_PRIME = np.uint64(0x100000001B3)
_OF_ENDING = np.uint64(0x9AE16A3B2F90404F)
_MIX_1 = np.uint64(0xFF51AFD7ED558CCD)
_MIX_2 = np.uint64(0xC4CEB9FE1A85EC53)
_ROLL = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(33)
_TOP = np.uint64(64 - BITS)
_SLOTS: Final = 1 << 13
_ENDING: Final = 2
"""Letters of a rare word that are kept."""
_CAPACITY: Final = _SLOTS // 2


@njit
def mix(value: np.uint64) -> np.uint64:  # pragma: no cover - compiled
    """MurmurHash3's 64-bit finalizer (Appleby, public domain): a bijection."""
    value = (value ^ (value >> _SHIFT)) * _MIX_1
    value = (value ^ (value >> _SHIFT)) * _MIX_2
    return value ^ (value >> _SHIFT)


@njit
def hash_bytes(data: Buffer, start: int, stop: int) -> np.uint64:  # pragma: no cover - compiled
    """Hashes data[start:stop]: FNV-1a and a finalizer."""
    running = _FNV_OFFSET
    for at in range(start, stop):
        running = (running ^ np.uint64(data[at])) * _FNV_PRIME
    hashed: np.uint64 = mix(running)
    return hashed


@njit
def _ending(data: Buffer, start: int, stop: int) -> int:  # pragma: no cover - compiled
    """Where the last `_ENDING` letters of a word begin; its end if it is hardly longer."""
    letters, at, first = 0, stop, stop
    while at > start:
        at -= 1
        if data[at] & 0xC0 != 0x80:
            letters += 1
            if letters == _ENDING:
                first = at
    return first if letters > _ENDING + 1 else stop


@njit
def is_common(word: np.uint64, vocabulary: Vocabulary) -> bool:  # pragma: no cover - compiled
    """Whether a word's hash is in the table; an empty table has every word."""
    if len(vocabulary) == 0:
        return True
    slot = np.int64(word & np.uint64(len(vocabulary) - 1))
    while vocabulary[slot] != 0:
        if vocabulary[slot] == word:
            return True
        slot = (slot + 1) & (len(vocabulary) - 1)
    return False


@njit
def masked_words(
    data: Buffer, start: int, stop: int, vocabulary: Vocabulary, out: Hashes
) -> int:  # pragma: no cover - compiled
    """Hashes the tokens of data[start:stop], rare ones by their ending; returns how many."""
    count = 0
    first = start
    for at in range(start, stop + 1):
        if at < stop and data[at] != 32:
            continue
        if at > first:
            word = hash_bytes(data, first, at)
            if not is_common(word, vocabulary):
                word = hash_bytes(data, _ending(data, first, at), at) ^ _OF_ENDING
            out[count] = word
            count += 1
        first = at + 1
    return count


@njit
def sequences_of(
    words: Hashes, count: int, seen: Buffer, out: Buckets
) -> int:  # pragma: no cover - compiled
    """Buckets of all sequences of `count` words, each once; returns how many.

    Args:
        words: Word hashes.
        count: How many of them are the document's.
        seen: A zero for every bucket, and again afterwards: a megabyte, to stay in cache.
        out: Receives the buckets, in order of appearance; room for three a word.
    """
    found = 0
    for first in range(count):
        running = np.uint64(0)
        for n in range(1, min(LONGEST, count - first) + 1):
            running = running * _ROLL + words[first + n - 1] + np.uint64(n)
            bucket = np.int64(mix(running) >> _TOP)
            if seen[bucket] == 0:
                seen[bucket] = 1
                out[found] = bucket
                found += 1
    for bucket in out[:found]:
        seen[bucket] = 0
    return found


@njit
def _words(
    offsets: Offsets, data: Buffer, out: Hashes, ends: npt.NDArray[np.int64]
) -> None:  # pragma: no cover - compiled
    everything = np.zeros(0, dtype=np.uint64)
    for row in range(len(offsets) - 1):
        room = out[ends[row] :]
        ends[row + 1] = ends[row] + masked_words(
            data, np.int64(offsets[row]), np.int64(offsets[row + 1]), everything, room
        )


def words_of(folded: pa.StringArray) -> tuple[Hashes, npt.NDArray[np.int64]]:
    """Unmasked word hashes of all texts, end to end, and n + 1 bounds.

    Args:
        folded: What `folding.fold` returns.
    """
    offsets, data = string_buffers(folded)
    out = np.empty(int(offsets[-1] - offsets[0]) + 1, dtype=np.uint64)
    ends = np.zeros(len(offsets), dtype=np.int64)
    _words(offsets, data, out, ends)
    return out[: ends[-1]].copy(), ends


def vocabulary_table(words: Hashes) -> Vocabulary:
    """Puts word hashes into a table that `masked_words` can look into.

    Args:
        words: Distinct hashes, at most 4,096 and at least one.

    Raises:
        ValueError: Too many or none: a kernel could search for ever, or mask nothing.
    """
    if not 0 < len(words) <= _CAPACITY:
        raise ValueError(f"a vocabulary has 1 to {_CAPACITY} words, this one {len(words)}")
    table = np.zeros(_SLOTS, dtype=np.uint64)
    for word in words:
        slot = int(word) & (_SLOTS - 1)
        while table[slot]:
            slot = (slot + 1) & (_SLOTS - 1)
        table[slot] = word
    return table
