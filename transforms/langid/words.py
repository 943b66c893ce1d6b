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
from transforms.langid.tokens import count_on_list, key_table, list_seed, word_hashes
from transforms.utf8 import string_buffers

__all__ = ["LEAST_WORDS", "WordList", "WordLists", "load_word_lists"]

LEAST_WORDS = 8
"""A text with fewer words is not tested: it may well hold none of the list."""

Counts = npt.NDArray[np.int32]
_COLUMNS = ("label", "least", "miss", "passes", "words")


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
            word_hashes(pa.array([" ".join(one.words)], pa.string())) ^ list_seed(place)
            for place, one in enumerate(self.lists.values())
        ]
        self._table = key_table(np.unique(np.concatenate(keys or [np.empty(0, np.uint64)])))

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


@numba.njit(cache=True, nogil=True)
def _count(offsets, data, places, table, total, found):  # type: ignore[no-untyped-def]
    for row in range(len(places)):
        if places[row] >= 0:
            total[row], found[row] = count_on_list(
                data,
                np.int64(offsets[row]),
                np.int64(offsets[row + 1]),
                np.int64(places[row]),
                table,
            )


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
