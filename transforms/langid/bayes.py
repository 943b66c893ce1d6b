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

from transforms.utf8 import string_buffers

__all__ = ["FEATURES", "ORDERS", "UNIT", "BayesModel", "Evidence", "gather", "gram_codes"]

ORDERS = (3, 5)
"""Lengths of the n-grams in code points; the marks < and > of a word count."""

UNIT = 256
"""Parts of a nat in which evidence is counted."""

FEATURES = 6
"""Coefficients of `BayesModel.confidence`; see `_confidence`."""

_SYLLABIC = 0xE0
"""First byte of three or more: scripts in which two characters say as much as three or
four letters do, and have pairs counted as well."""
_EMPTY = 0xFFFFFFFF
_LAST = 1 << 31
_WANTED = sum(1 << order for order in ORDERS)
_LONGEST = max(ORDERS)
_PER_START = len(ORDERS)

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
        usual: float64, labels: evidence per n-gram that a text of the language
            usually has, in nats.
        apart: float64, labels: how far ahead of the second label a text of the language
            usually is, as a share of what is usual among languages, at most 1. A
            language with a near relative need not be far ahead of it.
        confidence: float64, `FEATURES`: how a score comes of the evidence.
        table: uint32, slots by 2: hash table of `codes`: the code, and where its postings
            begin in `packed`; `_EMPTY` for an empty slot.
        packed: uint32, postings: `_LAST` with the last one of an n-gram, place, weight.
            A text's n-grams lie all over the memory, and each costs two reads of it.
    """

    labels: tuple[str, ...]
    codes: npt.NDArray[np.uint32]
    starts: npt.NDArray[np.int64]
    places: npt.NDArray[np.uint16]
    weights: npt.NDArray[np.uint8]
    unseen: Ints
    usual: npt.NDArray[np.float64]
    apart: npt.NDArray[np.float64]
    confidence: npt.NDArray[np.float64]
    table: npt.NDArray[np.uint32]
    packed: npt.NDArray[np.uint32]

    @classmethod
    def of(
        cls,
        labels: tuple[str, ...],
        codes: npt.NDArray[np.uint32],
        postings: tuple[npt.NDArray[np.int64], npt.NDArray[np.uint16], npt.NDArray[np.uint8]],
        unseen: Ints,
        learned: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]],
    ) -> BayesModel:
        """Makes a model of its parts and builds the hash table; see the class.

        `postings` are `starts`, `places` and `weights`; `learned` are `usual`, `apart` and
        `confidence`.
        """
        starts, places, weights = postings
        packed: npt.NDArray[np.uint32] = places.astype(np.uint32) << np.uint32(8) | weights
        packed[starts[1:] - 1] |= np.uint32(_LAST)
        table = np.full((1 << max(4, int(1.4 * len(codes)).bit_length()), 2), _EMPTY, np.uint32)
        _fill(codes, starts, table)
        return cls(labels, codes, *postings, unseen, *learned, table, packed)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for the best labels of each text.

    Attributes:
        places: int32, texts by k: places in `BayesModel.labels`, best first; -1 for none.
        scores: float64, texts by k: the first is the probability that the label is
            right; the others stand to it as their shares of a softmax do.
        nats: float64, texts by k: evidence per n-gram.
        grams: int32, texts: n-grams, known or not.
    """

    places: Ints
    scores: npt.NDArray[np.float64]
    nats: npt.NDArray[np.float64]
    grams: Ints


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
    )
    _gather(
        string_buffers(text),
        (model.table, model.packed),
        (model.unseen, model.usual, model.apart, model.confidence),
        barred,
        found,
    )
    return Evidence(*found)


def gram_codes(text: pa.StringArray) -> npt.NDArray[np.uint32]:
    """The hashes of all n-grams of all texts, in their order."""
    offsets, data = string_buffers(text)
    out = np.empty((2 * int(offsets[-1] - offsets[0]) + 2 * len(text)) * _PER_START, np.uint32)
    return out[: _codes_of_all(offsets, data, out)]


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
def _codes_of_all(offsets, data, out):  # type: ignore[no-untyped-def]
    count = 0
    for row in range(len(offsets) - 1):
        count += _codes(data[offsets[row] : offsets[row + 1]], out[count:])
    return count


@numba.njit(cache=True, nogil=True)
def _codes(data, out):  # type: ignore[no-untyped-def]
    """Writes the hash of every n-gram of a text; returns how many there are."""
    count, at = 0, 0
    word = np.empty(len(data) + 2, np.uint8)
    word[0] = 0x3C
    while at < len(data):
        size = 1
        while at < len(data) and data[at] != 0x20:
            word[size] = data[at]
            size += 1
            at += 1
        at += 1
        if size > 1:
            word[size] = 0x3E
            count += _codes_of_word(word[: size + 1], out[count:])
    return count


@numba.njit(cache=True, nogil=True, inline="always")
def _in_run(word, start):  # type: ignore[no-untyped-def]
    """Whether the bytes before and after are those of a run that began before."""
    if start == 0 or start + _LONGEST > len(word) or word[start - 1] != word[start]:
        return False
    for at in range(start + 1, start + _LONGEST):  # noqa: SIM110 (numba compiles no all())
        if word[at] != word[start]:
            return False
    return True


@numba.njit(cache=True, nogil=True)
def _codes_of_word(word, out):  # type: ignore[no-untyped-def]
    """Hashes a word's n-grams; in a run of one character, such as a rule, each once."""
    count = 0
    for start in range(len(word)):
        if word[start] & 0xC0 == 0x80 or _in_run(word, start):
            continue
        at, points, code = start, 0, np.uint32(2166136261)  # FNV-1a
        while at < len(word) and points < _LONGEST:
            code = np.uint32((code ^ np.uint32(word[at])) * np.uint32(16777619))
            at += 1
            while at < len(word) and word[at] & 0xC0 == 0x80:
                code = np.uint32((code ^ np.uint32(word[at])) * np.uint32(16777619))
                at += 1
            points += 1
            if _WANTED >> points & 1 or (points == 2 and word[start] >= _SYLLABIC):
                out[count] = (code ^ code >> np.uint32(15)) * np.uint32(2246822519)
                count += 1
    return count


@numba.njit(cache=True, nogil=True)
def _gather(text, postings, rates, barred, found):  # type: ignore[no-untyped-def]
    (offsets, data), (unseen, usual, apart, confidence) = text, rates
    places, scores, nats, grams = found
    sums = np.empty(len(unseen), np.int64)
    codes = np.empty(0, np.uint32)
    for row in range(len(offsets) - 1):
        # A word of n bytes has at most n + 2 starts, each with one n-gram per length.
        most = (2 * (offsets[row + 1] - offsets[row]) + 2) * _PER_START
        if len(codes) < most:
            codes = np.empty(most, np.uint32)
        count = _codes(data[offsets[row] : offsets[row + 1]], codes)
        grams[row] = count
        if _add_up(codes[:count], postings, unseen, sums) == 0:
            continue
        if barred[row] >= 0:
            sums[barred[row]] = -(2**62)
        _best(sums, places[row])
        for rank in range(len(places[row])):
            if places[row, rank] >= 0:
                nats[row, rank] = sums[places[row, rank]] / (UNIT * count)
        _scores(nats[row], places[row], count, (usual, apart, confidence), scores[row])


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
def _scores(nats, places, count, learned, scores):  # type: ignore[no-untyped-def]
    usual, apart, confidence = learned
    best = places[0]
    gap = nats[0] - nats[1] if places[1] >= 0 else nats[0] + 10.0
    scores[0] = _confidence(nats[0] / usual[best], gap, apart[best], count, confidence)
    for rank in range(1, len(places)):
        if places[rank] >= 0:
            behind = (nats[0] - nats[rank]) * np.sqrt(count) / 2
            scores[rank] = scores[0] * np.exp(-behind)


@numba.njit(cache=True, nogil=True)
def _confidence(share, gap, apart, count, weights):  # type: ignore[no-untyped-def]
    """The probability that the best label is right: a logistic function.

    Of the evidence per n-gram as a share of what the language usually has: a
    language that the model lacks reaches less, in a long text more surely so; and of
    the distance to the second label, times the root of the count of n-grams: as it is,
    for the two may be close, and as a multiple of what is usual, for a text of a language
    that the model lacks is about as far from several labels.
    """
    usual = np.log(min(max(share, 0.0), 1.2) + 0.1)
    size = np.log(count / 300)
    far = max(gap, 0.0) * np.sqrt(count)
    total = weights[0] + weights[1] * usual + weights[2] * usual * size + weights[3] * size
    total += weights[4] * np.exp(-far / 2) + weights[5] * np.exp(-far / (8 * apart))
    return 1.0 / (1.0 + np.exp(-total))
