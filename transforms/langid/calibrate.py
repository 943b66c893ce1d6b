"""Teaches a model how sure it may be.

A model of one half of the text is shown the other half, of another source where a
language has several: once as it is, and once with the right label barred, as a
language that the model lacks would meet it. From the first comes the evidence that a
language usually has; from both, the logistic function that turns evidence into a
score (Platt 1999). So a score is the probability that the label is right among
texts some of which are in languages that the model does not know.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.langid.bayes import FEATURES, BayesModel, Evidence, gather
from transforms.langid.counts import fit, tally
from transforms.langid.prepare import fold
from transforms.langid.windows import spoil, windows

__all__ = ["Sentences", "calibrate", "features", "logistic"]

Sentences = Mapping[str, Mapping[str, Sequence[str]]]
"""Sentences by label, then by source."""

_CHARS = 6_000
"""Characters that a label shows, short windows and long ones each, and each half."""
_LONG = 250
_LEAST_SENTENCES = 12
_LEAST_GRAMS = 100
"""Windows with fewer n-grams do not tell what evidence is usual."""
_FEWEST = 5
_UNKNOWN = 0.6
"""What a text of an unknown language weighs against one of a known language."""
_OTHER_SOURCE = 0.65
"""Share of its evidence that a language keeps in text of another source than the one
that it is known from, as seen on the languages that have several."""
_LEAST_USUAL, _LEAST_APART = 0.05, 0.1
_STEPS, _RIDGE = 25, 1.0

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Trial:
    """Windows, the label of each (as a place), and what a model of other text found."""

    right: npt.NDArray[np.int64]
    found: Evidence


def calibrate(model: BayesModel, sentences: Sentences, rng: random.Random) -> BayesModel:
    """The same model with `usual`, `apart` and `confidence` learned from its sentences.

    Args:
        model: Made of the same sentences; its labels are theirs.
        sentences: By label and source.
        rng: Source of the windows.
    """
    halves = [_half(sentences, 0), _half(sentences, 1)]
    known, barred = [], []
    for one, other in (halves, halves[::-1]):
        first, second = _trials(one, other, model.labels, rng)
        known.append(first)
        barred.append(second)
    several = np.array([len(sentences[label]) > 1 for label in model.labels])
    usual, apart = _usual(known, several)
    rows, right, weights = [], [], []
    for trials, weight in ((known, 1.0), (barred, _UNKNOWN)):
        for trial in trials:
            rows.append(_rows(trial.found, usual, apart))
            hit = (trial.found.places[:, 0] == trial.right) & (weight == 1.0)
            right.append(hit.astype(np.float64))
            weights.append(np.full(len(hit), weight))
    confidence = logistic(np.concatenate(rows), np.concatenate(right), np.concatenate(weights))
    return dataclasses.replace(model, usual=usual, apart=apart, confidence=confidence)


def _half(sentences: Sentences, odd: int) -> dict[str, list[str]]:
    """Every other source of a label; of a single one the first or the second half."""
    found: dict[str, list[str]] = {}
    for label, sources in sentences.items():
        lists = [list(texts) for _, texts in sorted(sources.items())]
        if len(lists) == 1:
            middle = len(lists[0]) // 2
            lists = [lists[0][:middle], lists[0][middle:]]
        chosen = [text for texts in lists[odd::2] for text in texts]
        if len(chosen) >= _LEAST_SENTENCES:
            found[label] = chosen
    return found


def _trials(
    taught: dict[str, list[str]],
    shown: dict[str, list[str]],
    labels: Sequence[str],
    rng: random.Random,
) -> tuple[_Trial, _Trial]:
    model = fit({label: tally(texts) for label, texts in taught.items()})
    texts, right = [], []
    for label in model.labels:
        for shortest in (20, _LONG):
            for text in windows(shown.get(label, [""]), _CHARS, rng, shortest=shortest):
                texts.append(spoil(text, rng))
                right.append(model.labels.index(label))
    folded = fold(pa.array(texts, pa.string()))
    whole = np.array([labels.index(label) for label in model.labels])
    own = np.array(right, np.int32)
    trials = []
    for barred in (None, own):
        found = gather(folded, model, 2, barred)
        some = found.places[:, 1] >= 0
        places = whole[found.places[some]].astype(np.int32)
        found = Evidence(places, found.scores[some], found.nats[some], found.grams[some])
        trials.append(_Trial(whole[own[some]], found))
    return trials[0], trials[1]


def _usual(trials: Sequence[_Trial], several: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Median evidence per n-gram, and distance to the second label, of longer windows.

    Of those that a label was right for; where it hardly ever was, its relative is so near
    that no distance can be asked for, and the relative's evidence stands for its own.
    """
    nats = np.concatenate([trial.found.nats[:, :2] for trial in trials])
    right = np.concatenate([trial.right for trial in trials])
    best = np.concatenate([trial.found.places[:, 0] for trial in trials])
    grams = np.concatenate([trial.found.grams for trial in trials])
    long = grams > _LEAST_GRAMS
    good = long & (best == right)
    values = np.column_stack([nats[:, 0], nats[:, 0] - nats[:, 1]])
    every = np.median(values[good], axis=0) if good.any() else np.ones(2)
    found = np.tile(every, (len(several), 1))
    for place in range(len(several)):
        own, all_own = values[good & (right == place)], values[long & (right == place)]
        if len(own) >= _FEWEST:
            found[place] = np.median(own, axis=0)
        elif len(all_own) >= _FEWEST:
            found[place] = np.median(all_own[:, 0]), 0.0
    usual = np.maximum(np.where(several, found[:, 0], _OTHER_SOURCE * found[:, 0]), _LEAST_USUAL)
    return usual, np.clip(found[:, 1] / max(every[1], _LEAST_USUAL), _LEAST_APART, 1.0)


def _rows(found: Evidence, usual: Floats, apart: Floats) -> Floats:
    best = found.places[:, 0]
    gap = found.nats[:, 0] - found.nats[:, 1]
    return features(found.nats[:, 0] / usual[best], gap, apart[best], found.grams)


def features(share: Floats, gap: Floats, apart: Floats, grams: npt.NDArray[np.int32]) -> Floats:
    """What `bayes` weighs for a score; the same formula, for many texts.

    Args:
        share: Evidence per n-gram, as a share of what is usual.
        gap: Evidence per n-gram beyond that for the second label, in nats.
        apart: See `BayesModel`, for the best label.
        grams: Number of n-grams.

    Returns:
        float64, texts by `FEATURES`.
    """
    log = np.log(np.clip(share, 0.0, 1.2) + 0.1)
    size = np.log(grams / 300)
    far = np.maximum(gap, 0.0) * np.sqrt(grams)
    one = np.ones(len(share))
    return np.column_stack(
        [one, log, log * size, size, np.exp(-far / 2), np.exp(-far / (8 * apart))]
    )


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
