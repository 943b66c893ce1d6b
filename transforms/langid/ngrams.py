"""Prediction with a fastText n-gram model, straight from Arrow's buffers.

The kernel computes what `fasttext.predict` does (Joulin et al. 2016: the mean of
the n-grams' vectors, a linear layer, softmax) without making a string of each
text, each word and each n-gram. It sums in one fixed order, a text at a time, so
that a score depends neither on the batch nor on threads.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.langid.fasttext_file import NgramModel
from transforms.utf8 import string_buffers

__all__ = ["predict_ngrams"]


def predict_ngrams(
    text: pa.StringArray, model: NgramModel, k: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
    """The best labels of each text, best first; the first of equals.

    Args:
        text: Words parted by single spaces, without nulls.
        model: The model.
        k: Labels wanted for each.

    Returns:
        Places in `model.labels` (int32; -1 for none) and probabilities (float32),
        both texts by k. A text without words has no label.
    """
    places = np.full((len(text), k), -1, np.int32)
    scores = np.zeros((len(text), k), np.float32)
    offsets, data = string_buffers(text)
    lengths = (model.shortest, model.longest)
    _predict((offsets, data), (model.input, model.output, lengths), (places, scores))
    return places, scores


@numba.njit(cache=True, nogil=True)
def _predict(text, model, found):  # type: ignore[no-untyped-def]
    (offsets, data), (inputs, outputs, lengths), (places, scores) = text, model, found
    hidden = np.empty(inputs.shape[1], np.float32)
    raw = np.empty(outputs.shape[1], np.float32)
    # A word of n bytes has at most n + 2 starts, each with one n-gram per length.
    grams = np.empty(0, np.uint32)
    for row in range(len(offsets) - 1):
        most = (2 * (offsets[row + 1] - offsets[row]) + 2) * lengths[1]
        if len(grams) < most:
            grams = np.empty(most, np.uint32)
        count = _ngrams(data[offsets[row] : offsets[row + 1]], len(inputs), lengths, grams)
        if count > 0:
            _mean(inputs, grams[:count], hidden)
            _softmax(outputs, hidden, raw)
            _best(raw, places[row], scores[row])


@numba.njit(cache=True, nogil=True)
def _ngrams(data, buckets, lengths, grams):  # type: ignore[no-untyped-def]
    """Writes the bucket of every n-gram of a text; returns how many there are."""
    count = 0
    word = np.empty(len(data) + 2, np.uint8)
    at = 0
    while at < len(data):
        size = 1
        word[0] = 0x3C  # fastText marks words as <word>
        while at < len(data) and data[at] != 0x20:
            word[size] = data[at]
            size += 1
            at += 1
        at += 1
        if size > 1:
            word[size] = 0x3E
            count += _add_word(word[: size + 1], buckets, lengths, grams[count:])
    return count


@numba.njit(cache=True, nogil=True)
def _add_word(word, buckets, lengths, grams):  # type: ignore[no-untyped-def]
    size, count = len(word), 0
    shortest, longest = lengths
    # Division costs more than the rest; for a power of two a mask does the same.
    mask = np.uint32(buckets - 1) if buckets & (buckets - 1) == 0 else np.uint32(0)
    for start in range(size):
        if word[start] & 0xC0 == 0x80:
            continue
        at, points, code = start, 0, np.uint32(2166136261)  # FNV-1a over signed bytes
        while at < size and points < longest:
            code = np.uint32((code ^ np.uint32(np.int8(word[at]))) * np.uint32(16777619))
            at += 1
            while at < size and word[at] & 0xC0 == 0x80:
                code = np.uint32((code ^ np.uint32(np.int8(word[at]))) * np.uint32(16777619))
                at += 1
            points += 1
            if points >= shortest and not (points == 1 and (start == 0 or at == size)):
                grams[count] = code & mask if mask else code % np.uint32(buckets)
                count += 1
    return count


@numba.njit(cache=True, nogil=True)
def _mean(inputs, grams, hidden):  # type: ignore[no-untyped-def]
    hidden[:] = 0
    for gram in grams:
        for column in range(len(hidden)):
            hidden[column] += inputs[gram, column]
    hidden /= np.float32(len(grams))


@numba.njit(cache=True, nogil=True)
def _softmax(outputs, hidden, raw):  # type: ignore[no-untyped-def]
    # Column by column: the labels of one column are summed side by side.
    raw[:] = 0
    for column in range(len(hidden)):
        weight = hidden[column]
        for label in range(len(raw)):
            raw[label] += outputs[column, label] * weight
    top = raw.max()
    total = np.float32(0)
    for label in range(len(raw)):
        raw[label] = np.exp(raw[label] - top)
        total += raw[label]
    for label in range(len(raw)):
        raw[label] /= total


@numba.njit(cache=True, nogil=True)
def _best(raw, places, scores):  # type: ignore[no-untyped-def]
    """The k greatest, by insertion."""
    k = len(places)
    for label in range(len(raw)):
        value = raw[label]
        if places[k - 1] >= 0 and value <= scores[k - 1]:
            continue
        spot = k - 1
        while spot > 0 and (places[spot - 1] < 0 or value > scores[spot - 1]):
            places[spot], scores[spot] = places[spot - 1], scores[spot - 1]
            spot -= 1
        places[spot], scores[spot] = label, value
