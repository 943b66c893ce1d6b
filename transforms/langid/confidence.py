"""From evidence to a score: the probability that the best label is right.

Two questions are one number: which language it is, and whether the model knows it. A
text in a language that the model lacks has less evidence for its nearest relative, and
fewer of the relative's frequent words, than texts in the relative have.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["FEATURES", "Learned", "features", "logistic", "score"]

FEATURES = 9
"""Coefficients of `Learned.confidence`; see `features`."""

_LEAST_NATS = 0.05
_STEPS, _RIDGE = 25, 1.0

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]


class Learned(NamedTuple):
    """What calibration learns.

    Attributes:
        usual: float64, labels: evidence per n-gram that a text of the language
            usually has, in nats.
        apart: float64, labels: how far ahead of the second label a text of the language
            usually is, as a share of what is usual among languages, at most 1. A
            language with a near relative need not be far ahead of it.
        spoken: float64, labels: share of the words of a text of the language that are
            usually among its frequent ones; 0 where that says nothing.
        confidence: float64, `FEATURES`: how a score comes of the evidence.
    """

    usual: Floats
    apart: Floats
    spoken: Floats
    confidence: Floats


def features(
    learned: Learned, best: Ints, nats: Floats, grams: Ints, words: Ints
) -> npt.NDArray[np.float64]:
    """What is weighed for a score.

    - Evidence per n-gram as a share of what the language usually has: a language that the
      model lacks reaches less, in a long text more surely so.
    - Frequent words, as a share of what is usual; a word more that is as usual is added,
      lest a text of two words say much. They depend less on the subject than n-grams do.
    - The distance to the second label, times the root of the count of n-grams: as it is,
      for the two may be close, and as a multiple of what is usual, for a text of a language
      that the model lacks is about as far from several labels.
    - The same distance as a share of the evidence: whatever the subject, a text in a known
      language has hardly any evidence for the second label.

    Args:
        learned: Of the model.
        best: Places of the best labels.
        nats: float64, texts by 2: evidence per n-gram for the two best labels.
        grams: Number of n-grams.
        words: int32, texts by 2: words, and those among the best label's frequent ones.

    Returns:
        float64, texts by `FEATURES`.
    """
    rows = np.empty((len(best), FEATURES))
    _all_features(learned, best, nats, grams, words, rows)
    return rows


@numba.njit(cache=True, nogil=True)
def _all_features(learned, best, nats, grams, words, rows):  # type: ignore[no-untyped-def]
    for row in range(len(best)):
        own, gap = nats[row, 0], nats[row, 0] - nats[row, 1]
        _features(learned, best[row], (own, gap), grams[row], words[row], rows[row])


@numba.njit(cache=True, nogil=True)
def _features(learned, best, nats, grams, words, row):  # type: ignore[no-untyped-def]
    own, gap = nats
    share = np.log(min(max(own / learned.usual[best], 0.0), 1.2) + 0.1)
    usual = learned.spoken[best]
    said = (words[1] + usual) / ((words[0] + 1) * usual) if usual > 0 else 1.0
    said = np.log(min(said, 1.5) + 0.1)
    size = np.log(grams / 300)
    far = max(gap, 0.0) * np.sqrt(grams)
    row[0], row[1], row[2], row[3] = 1.0, share, share * size, size
    row[4], row[5] = np.exp(-far / 2), np.exp(-far / (8 * learned.apart[best]))
    row[6], row[7] = said, said * size
    row[8] = min(max(gap, 0.0) / max(own, _LEAST_NATS), 1.5)


@numba.njit(cache=True, nogil=True)
def score(learned, best, nats, grams, words):  # type: ignore[no-untyped-def]
    """The logistic function of a text's features; `nats` are its own and the gap."""
    row = np.empty(FEATURES)
    _features(learned, best, nats, grams, words, row)
    total = 0.0
    for at in range(FEATURES):
        total += learned.confidence[at] * row[at]
    return 1.0 / (1.0 + np.exp(-total))


def logistic(rows: Floats, right: Floats, weights: Floats) -> Floats:
    """Fits a logistic function by Newton's method, with a small ridge.

    Sums are taken column by column in one order, and so are the same on any number
    of threads.

    Args:
        rows: Texts by `FEATURES`.
        right: 1 where the label is right, else 0.
        weights: Of the texts.
    """
    found = np.zeros(FEATURES)
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-(rows * found).sum(axis=1)))
        slope = (rows * (weights * (right - chance))[:, None]).sum(axis=0) - _RIDGE * found
        curve = weights * chance * (1 - chance)
        bend = np.array(
            [(rows * (rows[:, i] * curve)[:, None]).sum(axis=0) for i in range(FEATURES)]
        )
        found = found + np.linalg.solve(bend + _RIDGE * np.eye(FEATURES), slope)
    return found
