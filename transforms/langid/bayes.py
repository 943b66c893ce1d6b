"""A naive Bayes classifier over character n-grams, straight from Arrow's buffers.

A label's evidence in a text is the sum, over the n-grams of the text that any
label knows, of log p(n-gram | label) / p(n-gram), in whole units of 1/256, so that
the sum depends on no order. p(n-gram | label) is smoothed towards p(n-gram)
(Dirichlet prior: Zhai and Lafferty 2004), and so an n-gram that a label does not
know costs it a constant: a posting holds what a known one adds to that.

Naive Bayes, since a classifier trained to part labels learns the subject of the one
book that a small language has; counts do so less (Jauhiainen et al. 2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.langid.confidence import Learned, score
from transforms.langid.grams import PER_START, codes_of
from transforms.langid.tokens import count_on_list, key_table
from transforms.utf8 import string_buffers

__all__ = ["UNIT", "BayesModel", "Evidence", "gather"]

UNIT = 256
"""Parts of a nat in which evidence is counted."""

_EMPTY = 0xFFFFFFFF
_LAST = 1 << 31

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class BayesModel:
    """What a prediction needs.

    Attributes:
        labels: Canonical, sorted.
        codes: uint32, ascending: the n-grams known, by their hash.
        starts: int64, codes + 1: bounds of each n-gram's postings.
        places: uint16, postings: the label, as a place in `labels`.
        weights: uint8, postings: what the n-gram adds, in 1/16 nat.
        unseen: int32, labels: what an n-gram that a label lacks adds (below 0), in
            1/256 nat.
        frequent: uint64, ascending: each label's frequent words, as keys of
            `tokens.count_on_list`.
        learned: What calibration learned.
        table: uint32, slots by 2: hash table of `codes`: the code, and where its postings
            begin in `packed`; `_EMPTY` for an empty slot.
        packed: uint32, postings: `_LAST` with the last one of an n-gram, place, weight.
            A text's n-grams lie all over the memory, and each costs two reads of it.
        keys: Hash table of `frequent`.
    """

    labels: tuple[str, ...]
    codes: npt.NDArray[np.uint32]
    starts: npt.NDArray[np.int64]
    places: npt.NDArray[np.uint16]
    weights: npt.NDArray[np.uint8]
    unseen: Ints
    frequent: npt.NDArray[np.uint64]
    learned: Learned
    table: npt.NDArray[np.uint32]
    packed: npt.NDArray[np.uint32]
    keys: npt.NDArray[np.uint64]

    @classmethod
    def of(
        cls,
        labels: tuple[str, ...],
        codes: npt.NDArray[np.uint32],
        postings: tuple[npt.NDArray[np.int64], npt.NDArray[np.uint16], npt.NDArray[np.uint8]],
        unseen: Ints,
        frequent: npt.NDArray[np.uint64],
        learned: Learned,
    ) -> BayesModel:
        """Makes a model of its parts and builds the hash tables; see the class.

        `postings` are `starts`, `places` and `weights`.
        """
        starts, places, weights = postings
        packed: npt.NDArray[np.uint32] = places.astype(np.uint32) << np.uint32(8) | weights
        packed[starts[1:] - 1] |= np.uint32(_LAST)
        table = np.full((1 << max(4, int(1.4 * len(codes)).bit_length()), 2), _EMPTY, np.uint32)
        _fill(codes, starts, table)
        keys = key_table(frequent)
        return cls(labels, codes, *postings, unseen, frequent, learned, table, packed, keys)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for the best labels of each text.

    Attributes:
        places: int32, texts by k: places in `BayesModel.labels`, best first; -1 for none.
        scores: float64, texts by k: the first is the probability that the label is
            right; the others stand to it as their shares of a softmax do.
        nats: float64, texts by k: evidence per n-gram.
        grams: int32, texts: n-grams, known or not.
        words: int32, texts by 2: words, and those among the best label's frequent ones.
    """

    places: Ints
    scores: npt.NDArray[np.float64]
    nats: npt.NDArray[np.float64]
    grams: Ints
    words: Ints


def gather(text: pa.StringArray, model: BayesModel, k: int, barred: Ints | None = None) -> Evidence:
    """Gathers the evidence for the best labels of each text; the first of equals.

    Args:
        text: Words parted by single spaces, without nulls.
        model: The model.
        k: Labels wanted for each, at least 2.
        barred: For each text a label that it may not get, or -1.

    Returns:
        The evidence. A text without n-grams that any label knows has no label.
    """
    count = len(text)
    barred = np.full(count, -1, np.int32) if barred is None else barred
    found = (
        np.full((count, k), -1, np.int32),
        np.zeros((count, k), np.float64),
        np.zeros((count, k), np.float64),
        np.zeros(count, np.int32),
        np.zeros((count, 2), np.int32),
    )
    _gather(
        string_buffers(text),
        (model.table, model.packed, model.keys),
        (model.unseen, model.learned),
        barred,
        found,
    )
    return Evidence(*found)


@numba.njit(cache=True, nogil=True, inline="always")
def _slot(code, mask):  # type: ignore[no-untyped-def]
    return (code * np.uint32(2654435769) >> np.uint32(7)) & mask


@numba.njit(cache=True, nogil=True)
def _fill(codes, starts, table):  # type: ignore[no-untyped-def]
    mask = np.uint32(len(table) - 1)
    for place in range(len(codes)):
        slot = _slot(codes[place], mask)
        while table[slot, 1] != _EMPTY:
            slot = (slot + np.uint32(1)) & mask
        table[slot, 0], table[slot, 1] = codes[place], starts[place]


@numba.njit(cache=True, nogil=True)
def _gather(text, tables, rates, barred, found):  # type: ignore[no-untyped-def]
    (offsets, data), (table, packed, keys), (unseen, learned) = text, tables, rates
    places, scores, nats, grams, words = found
    sums = np.empty(len(unseen), np.int64)
    codes = np.empty(0, np.uint32)
    for row in range(len(offsets) - 1):
        first, last = np.int64(offsets[row]), np.int64(offsets[row + 1])
        # A word of n bytes has at most n + 2 starts, each with one n-gram per length.
        most = (2 * (last - first) + 2) * PER_START
        if len(codes) < most:
            codes = np.empty(most, np.uint32)
        count = codes_of(data[first:last], codes)
        grams[row] = count
        if _add_up(codes[:count], (table, packed), unseen, sums) == 0:
            continue
        if barred[row] >= 0:
            sums[barred[row]] = -(2**62)
        _best(sums, places[row])
        for rank in range(len(places[row])):
            if places[row, rank] >= 0:
                nats[row, rank] = sums[places[row, rank]] / (UNIT * count)
        words[row, 0], words[row, 1] = count_on_list(
            data, first, last, np.int64(places[row, 0]), keys
        )
        _scores(nats[row], places[row], count, words[row], learned, scores[row])


@numba.njit(cache=True, nogil=True)
def _add_up(codes, postings, unseen, sums):  # type: ignore[no-untyped-def]
    """Sums the evidence for every label; returns how many n-grams any label knows."""
    table, packed = postings
    mask = np.uint32(len(table) - 1)
    sums[:] = 0
    known = 0
    for code in codes:
        slot = _slot(code, mask)
        while table[slot, 1] != _EMPTY and table[slot, 0] != code:
            slot = (slot + np.uint32(1)) & mask
        posting = table[slot, 1]
        if posting != _EMPTY:
            known += 1
            more = True
            while more:
                entry = packed[posting]
                sums[entry >> 8 & 0xFFFF] += entry & 0xFF
                more = entry < _LAST
                posting += np.uint32(1)
    for label in range(len(sums)):
        sums[label] = (UNIT // 16) * sums[label] + known * unseen[label]
    return known


@numba.njit(cache=True, nogil=True)
def _best(sums, places):  # type: ignore[no-untyped-def]
    """The k greatest, by insertion."""
    k = len(places)
    for label in range(len(sums)):
        if places[k - 1] >= 0 and sums[label] <= sums[places[k - 1]]:
            continue
        spot = k - 1
        while spot > 0 and (places[spot - 1] < 0 or sums[label] > sums[places[spot - 1]]):
            places[spot] = places[spot - 1]
            spot -= 1
        places[spot] = label


@numba.njit(cache=True, nogil=True)
def _scores(nats, places, count, words, learned, scores):  # type: ignore[no-untyped-def]
    gap = nats[0] - nats[1] if places[1] >= 0 else nats[0] + 10.0
    scores[0] = score(learned, places[0], (nats[0], gap), count, words)
    for rank in range(1, len(places)):
        if places[rank] >= 0:
            behind = (nats[0] - nats[rank]) * np.sqrt(count) / 2
            scores[rank] = scores[0] * np.exp(-behind)
