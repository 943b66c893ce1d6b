"""Words of folded text as hashes, and sets of them to look words up in."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.utf8 import string_buffers

__all__ = ["count_on_list", "key_table", "list_seed", "next_word", "word_hashes"]

Keys = npt.NDArray[np.uint64]
_MIX = 0x9E3779B97F4A7C15


def word_hashes(folded: pa.StringArray) -> Keys:
    """FNV-1a of every word of all texts, one after the other (Fowler, Noll and Vo 1991)."""
    offsets, data = string_buffers(folded)
    out = np.empty(len(data) // 2 + len(folded) + 1, np.uint64)
    return out[: _hashes(offsets, data, out)]


def list_seed(place: int) -> np.uint64:
    """What tells one list's words from another's: a key is a word's hash ^ this."""
    return np.uint64((place + 1) * _MIX & 0xFFFFFFFFFFFFFFFF)


def key_table(keys: Keys) -> Keys:
    """An open-addressing table of distinct keys, a quarter full at most; 0 is an empty slot."""
    size = 1 << max(4, int(4 * len(keys)).bit_length())
    table = np.zeros(size, np.uint64)
    _fill(keys, table)
    return table


@numba.njit(cache=True, nogil=True, inline="always")
def _slot(key, mask):  # type: ignore[no-untyped-def]
    return (key ^ (key >> np.uint64(29))) & mask


@numba.njit(cache=True, nogil=True)
def _fill(keys, table):  # type: ignore[no-untyped-def]
    mask = np.uint64(len(table) - 1)
    for key in keys:
        at = _slot(key, mask)
        while table[at] != 0:
            at = (at + np.uint64(1)) & mask
        table[at] = key


@numba.njit(cache=True, nogil=True, inline="always")
def next_word(data, at, stop):  # type: ignore[no-untyped-def]
    """The hash of the first word at or after `at`, and where it ends; -1 where there is none."""
    key = np.uint64(0xCBF29CE484222325)
    while at < stop and data[at] == 0x20:
        at += 1
    if at >= stop:
        return key, -1
    while at < stop and data[at] != 0x20:
        key = (key ^ np.uint64(data[at])) * np.uint64(0x100000001B3)
        at += 1
    return key, at


@numba.njit(cache=True, nogil=True)
def count_on_list(data, at, stop, place, table):  # type: ignore[no-untyped-def]
    """Words between two positions, and how many of them are on the list at a place."""
    mask = np.uint64(len(table) - 1)
    seed = np.uint64(place + 1) * np.uint64(_MIX)
    total, found = 0, 0
    while True:
        key, at = next_word(data, at, stop)
        if at < 0:
            return total, found
        total += 1
        key ^= seed
        slot = _slot(key, mask)
        while table[slot] != 0 and table[slot] != key:
            slot = (slot + np.uint64(1)) & mask
        found += table[slot] != 0


@numba.njit(cache=True, nogil=True)
def _hashes(offsets, data, out):  # type: ignore[no-untyped-def]
    count = 0
    for row in range(len(offsets) - 1):
        at = np.int64(offsets[row])
        while True:
            key, at = next_word(data, at, offsets[row + 1])
            if at < 0:
                break
            out[count] = key
            count += 1
    return count
