"""The types of one part of staging, and which of them are rare as far as the part knows.

A word of a language stands in few documents or in very many, and most of a text is the
latter. What is common within a part is common in the run, so it is said once for all
documents of the part. Only the rest, some hundred bytes a document, travels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.dedup.normalize import letters
from transforms.kernels import Buffer, Hashes, Offsets, njit
from transforms.rare.rows import MOST_DOCUMENTS
from transforms.rare.types import Alphabets, alphabets, types_of
from transforms.utf8 import string_buffers

__all__ = ["LocalTypes"]

_SLOTS = 1 << 12
_BITS = np.uint64(3)
_COUNT = np.uint64(7)
"""Three bits count documents, up to one more than `MOST_DOCUMENTS`."""
_FREE = np.uint64(0)
_FEW = np.uint64(MOST_DOCUMENTS)


@njit
def _slot(table: Hashes, wanted: np.uint64) -> np.int64:  # pragma: no cover - compiled
    """Where a type is in the table, or the free place where it belongs.

    Open addressing, two words a slot, which lie in one line of the cache: a type, and the
    number of the last document that held it, from 1, with how many did in the low bits.
    """
    mask = len(table) - 1
    at = np.int64(wanted << np.uint64(1)) & mask
    while table[at + 1] != _FREE and table[at] != wanted:
        at = (at + 2) & mask
    return at


@njit
def _grown(table: Hashes) -> Hashes:  # pragma: no cover - compiled
    """The same table with twice as many slots."""
    grown = np.zeros(2 * len(table), np.uint64)
    for old in range(0, len(table), 2):
        if table[old + 1] != _FREE:
            at = _slot(grown, table[old])
            grown[at], grown[at + 1] = table[old], table[old + 1]
    return grown


@njit
def _count(
    table: Hashes, types: Hashes, document: int, found: Hashes, noted: int
) -> tuple[int, int, int]:  # pragma: no cover - compiled
    """Counts the types of one document; the table has room for all of them.

    Returns:
        How many are new to the table, how many distinct ones there are, and how many
        entries of `found` are filled: with those that are not common so far.
    """
    mask = len(table) - 1
    fresh, distinct = 0, 0
    for k in range(len(types)):
        wanted = types[k]
        at = np.int64(wanted << np.uint64(1)) & mask
        while table[at + 1] != _FREE and table[at] != wanted:
            at = (at + 2) & mask
        state = table[at + 1]
        if state >> _BITS == np.uint64(document):
            continue
        distinct += 1
        documents = state & _COUNT
        if state == _FREE:
            table[at] = wanted
            fresh += 1
        if documents < _FEW:
            found[noted] = wanted
            noted += 1
        if documents <= _FEW:
            documents += np.uint64(1)
        table[at + 1] = np.uint64(document) << _BITS | documents
    return fresh, distinct, noted


@njit
def _collect(
    offsets: Offsets,
    data: Buffer,
    known: Alphabets,
    languages: npt.NDArray[np.int64],
    first: int,
    used: int,
    table: Hashes,
    room: Hashes,
    found: Hashes,
    ends: npt.NDArray[np.int64],
    held: npt.NDArray[np.int32],
) -> tuple[Hashes, int]:  # pragma: no cover - compiled
    """Counts the types of texts; notes which text holds each that is not common so far.

    `found` receives the types, `ends` where those of each text end in it, `held` how many
    distinct types each has.

    Returns:
        The table and its used slots.
    """
    noted = np.int64(0)
    for row in range(len(offsets) - 1):
        lang = languages[row]
        count = types_of(
            data,
            np.int64(offsets[row]),
            np.int64(offsets[row + 1]),
            known.kinds,
            known.scripts,
            known.plain[lang],
            known.home[lang],
            known.seeds[lang],
            known.grams[lang],
            room,
        )
        while 4 * (used + count) > len(table):
            table = _grown(table)
        fresh, held[row], noted = _count(table, room[:count], first + row + 1, found, noted)
        used += fresh
        ends[row] = noted
    return table, used


@njit
def _rare(table: Hashes, found: Hashes, out: npt.NDArray[np.bool_]) -> None:  # pragma: no cover
    """Which of `found` are not common after all."""
    for k in range(len(found)):
        out[k] = table[_slot(table, found[k]) + 1] & _COUNT <= _FEW


class LocalTypes:
    """Counts types over the documents of a part, some at a time."""

    def __init__(self) -> None:
        """Begins with nothing counted."""
        self._table: Hashes = np.zeros(2 * _SLOTS, np.uint64)
        self._used = self._documents = 0
        self._found: list[tuple[Hashes, Hashes]] = []

    def add(self, text: pa.Array, lang: pa.Array, node: Hashes) -> npt.NDArray[np.int32]:
        """Counts the types of some documents.

        Args:
            text: Strings as they were read, no nulls.
            lang: The language of each, such as `swh_Latn`.
            node: Which document each is, uint64.

        Returns:
            How many distinct types each holds, int32.
        """
        coded = lang.dictionary_encode()
        known = alphabets(coded.dictionary.to_pylist())
        offsets, data = string_buffers(letters(text))
        longest = int(np.diff(offsets).max(initial=0))
        found = np.empty(int(offsets[-1] - offsets[0]) + 1, np.uint64)
        ends, held = np.zeros(len(text), np.int64), np.zeros(len(text), np.int32)
        self._table, self._used = _collect(
            offsets,
            data,
            known,
            coded.indices.to_numpy().astype(np.int64),
            self._documents,
            self._used,
            self._table,
            np.empty(longest + 1, np.uint64),
            found,
            ends,
            held,
        )
        self._documents += len(text)
        noted = int(ends[-1]) if len(ends) else 0
        nodes = np.repeat(node, np.diff(ends, prepend=0))
        self._found.append((found[:noted].copy(), nodes))
        return held

    def rare(self) -> tuple[Hashes, Hashes]:
        """Pairs of a type and a document that holds it, of types not known to be common."""
        nothing = np.empty(0, np.uint64)
        types = np.concatenate([nothing, *(types for types, _ in self._found)])
        nodes = np.concatenate([nothing, *(nodes for _, nodes in self._found)])
        kept = np.empty(len(types), np.bool_)
        _rare(self._table, types, kept)
        return types[kept], nodes[kept]

    def common(self) -> Hashes:
        """Types that more documents hold than a rare one may, ascending."""
        types, states = self._table[::2], self._table[1::2]
        return np.sort(types[states & _COUNT > _FEW])
