"""How a text is written, in sixteen numbers: word and sentence lengths, variety, punctuation.

Alone such numbers tell the collections of a data set apart better than the
origin of a text. Cut into a few classes each, and weighed next to a thousand
sequences of words, they add what sequences cannot say. All are integers.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.kernels import Buffer, Hashes, integer_root, njit
from transforms.synthetic.wording import hash_bytes
from transforms.utf8 import string_buffers

__all__ = ["CLASSES", "MEASURES", "Edges", "Measures", "edges_of", "measure", "measures_of"]

MEASURES: Final = (
    "word_letters",  # mean, in hundredths
    "word_letters_deviation",  # in hundredths
    "variety_100",  # distinct among the first hundred words, per mille
    "variety_40",
    "sentence_words",  # mean, in tenths
    "sentence_words_deviation",  # of the mean, per mille
    "commas",  # this and what follows: per thousand words
    "full_stops",
    "quotation_marks",
    "numbers",
    "parentheses",
    "apostrophes",
    "question_marks",
    "exclamation_marks",
    "ellipses",
    "colons",
)
"""What is measured, in the order of the columns."""

CLASSES: Final = 8
"""Classes that a measure is cut into."""

Measures = npt.NDArray[np.int32]
Totals = npt.NDArray[np.int64]
Edges = npt.NDArray[np.int32]
"""The least value of each class but the first: measures by `CLASSES` - 1."""

_SHARES: Final = (0.05, 0.15, 0.3, 0.5, 0.7, 0.85, 0.95)
_N: Final = len(MEASURES)
_WIDE: Final = 100
_NARROW: Final = 40
_WORD: Final = 100
_NOTHING: Final = 101
_ENDS: Final = (7, 12, 13, 14)
"""Columns of the marks that end a sentence."""
_APOSTROPHES: Final = 11
_ELLIPSES: Final = 14
_TOTALS: Final = 9
"""Running totals: words, letters, their squares, distinct words among the first hundred and
forty, sentences, words in sentences, their squares, words of the open sentence."""


def _columns() -> npt.NDArray[np.int8]:
    """Which column a token counts in, by its first byte."""
    columns = np.full(256, _WORD, dtype=np.int8)
    marks = {",": 6, ".": 7, '"': 8, "0": 9, "(": 10, "?": 12, "!": 13, ":": 15}
    for mark, column in (marks | {")": _NOTHING, ";": _NOTHING}).items():
        columns[ord(mark)] = column
    return columns


_COLUMNS: Final = _columns()


@njit
def _column(data: Buffer, first: int, stop: int) -> int:  # pragma: no cover - compiled
    # The ellipsis is the one mark of more than a byte: E2 80 A6.
    if stop - first == 3 and data[first] == 0xE2 and data[first + 1] == 0x80:
        return _ELLIPSES if data[first + 2] == 0xA6 else _WORD
    return int(_COLUMNS[data[first]])


@njit
def _note(hashes: Hashes, word: np.uint64, totals: Totals) -> None:  # pragma: no cover
    """Counts a word among the first hundred, if it is new."""
    count = totals[0]
    hashes[count] = word
    for i in range(count):
        if hashes[i] == word:
            return
    totals[3] += 1
    totals[4] += count < _NARROW


@njit
def _take(
    data: Buffer, first: int, stop: int, recent: Hashes, totals: Totals
) -> int:  # pragma: no cover - compiled
    """Takes a word; returns its apostrophes."""
    size, apostrophes = np.int64(0), 0
    for i in range(first, stop):
        size += (data[i] & 0xC0) != 0x80
        apostrophes += data[i] == 39
    if totals[0] < _WIDE:
        _note(recent, hash_bytes(data, first, stop), totals)
    totals[0] += 1
    totals[1] += size
    totals[2] += size * size
    totals[8] += 1
    return apostrophes


@njit
def _end_sentence(totals: Totals) -> None:  # pragma: no cover - compiled
    if totals[8] > 0:
        totals[5] += 1
        totals[6] += totals[8]
        totals[7] += totals[8] * totals[8]
        totals[8] = 0


@njit
def _conclude(totals: Totals, out: Measures) -> None:  # pragma: no cover - compiled
    words, letters, squares, wide, narrow, sentences, lengths, length_squares, _ = totals
    for column in range(6, len(out)):
        out[column] = out[column] * 1000 // words
    out[0] = letters * 100 // words
    out[1] = integer_root((squares * words - letters * letters) * 10_000) // words
    out[2] = wide * 1000 // min(words, np.int64(_WIDE))
    out[3] = narrow * 1000 // min(words, np.int64(_NARROW))
    out[4] = lengths * 10 // sentences
    out[5] = integer_root((length_squares * sentences - lengths * lengths) * 1_000_000) // lengths


@njit
def measure(
    data: Buffer, start: int, stop: int, recent: Hashes, out: Measures
) -> None:  # pragma: no cover - compiled
    """Measures one text in normal form.

    Args:
        data: UTF-8.
        start: Where the text begins.
        stop: Where it ends.
        recent: Room for the hashes of a hundred words.
        out: Receives the measures, int32, in the order of `MEASURES`; 0 without words.
    """
    out[:] = 0
    totals = np.zeros(_TOTALS, dtype=np.int64)
    first = start
    for at in range(start, stop + 1):
        if at < stop and data[at] != 32:
            continue
        if at > first:
            column = _column(data, first, at)
            if column == _WORD:
                out[_APOSTROPHES] += _take(data, first, at, recent, totals)
            elif column != _NOTHING:
                out[column] += 1
            if column in _ENDS:
                _end_sentence(totals)
        first = at + 1
    _end_sentence(totals)
    if totals[0] > 0:
        _conclude(totals, out)


@njit
def _measure_all(
    offsets: npt.NDArray[np.int32], data: Buffer, recent: Hashes, out: Measures
) -> None:  # pragma: no cover - compiled
    for row in range(len(out)):
        measure(data, np.int64(offsets[row]), np.int64(offsets[row + 1]), recent, out[row])


def measures_of(folded: pa.StringArray) -> Measures:
    """Measures of all texts.

    Args:
        folded: What `folding.fold` returns.

    Returns:
        int32, texts by `MEASURES`.
    """
    offsets, data = string_buffers(folded)
    out = np.zeros((len(folded), _N), dtype=np.int32)
    _measure_all(offsets, data, np.empty(_WIDE, np.uint64), out)
    return out


def edges_of(measures: Measures) -> Edges:
    """Where the classes begin, so that each measure has its share of the texts in each.

    Args:
        measures: Of the training texts.

    Returns:
        int32, measures by 7, ascending in each row.
    """
    cut = np.quantile(measures, _SHARES, axis=0, method="lower")
    return np.ascontiguousarray(cut.T.astype(np.int32))
