"""Word lists: what a text in a language is expected to say.

A classifier must answer, and what is in none of its languages gets the nearest one's
label. A word list knows better: words frequent in a language and rare elsewhere. A
text without them is hardly in the language, whatever its score.
"""

from __future__ import annotations

import csv
import functools
import importlib.resources
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.errors import InputError
from transforms.langid.prepare import PREPARATION
from transforms.utf8 import string_buffers

__all__ = ["LEAST_WORDS", "WordList", "WordLists", "load_word_lists", "word_hashes"]

LEAST_WORDS = 8
"""A text with fewer words is not tested: it may well hold none of the list."""

Counts = npt.NDArray[np.int32]
_COLUMNS = ("label", "least", "miss", "passes", "words")
_MIX = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True)
class WordList:
    """The list of one language, and how well it tells the language.

    Attributes:
        label: Of the language.
        least: Least share of a text's words that must be on the list, in 1/10,000.
        miss: Share of texts of the language that fail it, in 1/10,000.
        passes: Share of texts of other languages that pass it, in 1/10,000.
        words: Folded, most frequent first.
    """

    label: str
    least: int
    miss: int
    passes: int
    words: tuple[str, ...]


class WordLists:
    """All lists, ready to count words on them."""

    def __init__(self, lists: Iterable[WordList]) -> None:
        """Hashes the words of lists whose labels are distinct."""
        self.lists: Mapping[str, WordList] = {one.label: one for one in lists}
        self._places = {label: place for place, label in enumerate(self.lists)}
        keys = [
            word_hashes(pa.array([" ".join(one.words)], pa.string())) ^ _seed(place)
            for place, one in enumerate(self.lists.values())
        ]
        self._table = _table(np.unique(np.concatenate(keys or [np.empty(0, np.uint64)])))

    def places(self, labels: Iterable[str]) -> npt.NDArray[np.int64]:
        """The place of each label's list; -1 for one without."""
        return np.array([self._places.get(label, -1) for label in labels], np.int64)

    def count(self, folded: pa.StringArray, places: npt.NDArray[np.int64]) -> tuple[Counts, Counts]:
        """Counts words.

        Args:
            folded: Texts as `prepare.fold` makes them.
            places: For each, the place of the list to look in; -1 for none.

        Returns:
            Words of each text, and how many of them are on the list.
        """
        total, found = np.zeros(len(folded), np.int32), np.zeros(len(folded), np.int32)
        offsets, data = string_buffers(folded)
        _count(offsets, data, places, self._table, total, found)
        return total, found


def _seed(place: int) -> np.uint64:
    """What tells one list's words from another's."""
    return np.uint64((place + 1) * _MIX & 0xFFFFFFFFFFFFFFFF)


def _table(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """An open-addressing table of keys, a quarter full at most; 0 is an empty slot."""
    size = 1 << max(4, int(4 * len(keys)).bit_length())
    table = np.zeros(size, np.uint64)
    _fill(keys, table)
    return table


def word_hashes(folded: pa.StringArray) -> npt.NDArray[np.uint64]:
    """FNV-1a of every word of all texts, one after the other (Fowler, Noll and Vo 1991)."""
    offsets, data = string_buffers(folded)
    out = np.empty(len(data) // 2 + len(folded) + 1, np.uint64)
    return out[: _hashes(offsets, data, out)]


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


@numba.njit(cache=True, nogil=True)
def _hashes(offsets, data, out):  # type: ignore[no-untyped-def]
    count = 0
    for row in range(len(offsets) - 1):
        key = np.uint64(0xCBF29CE484222325)
        begun = False
        for at in range(offsets[row], offsets[row + 1] + 1):
            if at < offsets[row + 1] and data[at] != 0x20:
                key = (key ^ np.uint64(data[at])) * np.uint64(0x100000001B3)
                begun = True
            elif begun:
                out[count] = key
                count += 1
                key, begun = np.uint64(0xCBF29CE484222325), False
    return count


@numba.njit(cache=True, nogil=True)
def _count(offsets, data, places, table, total, found):  # type: ignore[no-untyped-def]
    mask = np.uint64(len(table) - 1)
    for row in range(len(places)):
        if places[row] < 0:
            continue
        seed = np.uint64(places[row] + 1) * np.uint64(0x9E3779B97F4A7C15)
        key = np.uint64(0xCBF29CE484222325)
        begun = False
        for at in range(offsets[row], offsets[row + 1] + 1):
            if at < offsets[row + 1] and data[at] != 0x20:
                key = (key ^ np.uint64(data[at])) * np.uint64(0x100000001B3)
                begun = True
            elif begun:
                total[row] += 1
                key ^= seed
                slot = _slot(key, mask)
                while table[slot] != 0 and table[slot] != key:
                    slot = (slot + np.uint64(1)) & mask
                found[row] += table[slot] != 0
                key, begun = np.uint64(0xCBF29CE484222325), False


@functools.cache
def load_word_lists() -> WordLists:
    """The lists that ship with the package, read once per process.

    Raises:
        InputError: They are damaged, or were made of text folded otherwise.
    """
    source = importlib.resources.files("transforms.data") / "words.tsv"
    with source.open("r", encoding="utf-8") as file:
        first = file.readline().split()
        if first != ["#", "preparation", str(PREPARATION)]:
            raise InputError(
                f"transforms/data/words.tsv says {' '.join(first)!r}, but text is folded by "
                f"preparation {PREPARATION}; build it again with scripts/build_words.py"
            )
        rows = csv.DictReader(file, _COLUMNS, delimiter="\t", quoting=csv.QUOTE_NONE)
        try:
            return WordLists([_word_list(row) for row in rows])
        except (KeyError, ValueError, AttributeError) as error:
            raise InputError(
                f"transforms/data/words.tsv, line {rows.line_num + 1}: {error!r}; build it again "
                f"with scripts/build_words.py"
            ) from error


def _word_list(row: Mapping[str, str]) -> WordList:
    least, miss, passes = (int(row[name]) for name in ("least", "miss", "passes"))
    return WordList(row["label"], least, miss, passes, tuple(row["words"].split(" ")))
