"""Teaches a model how sure it may be.

Models that lack one source of every language are shown text of that source: once as it
is, and once with the right label barred, as a language that the model lacks would meet
it. From the first comes what a language usually has; from both, the logistic function
that turns evidence into a score (Platt 1999). So a score is the probability that the
label is right among texts some of which are in languages that the model does not know.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.langid.bayes import BayesModel, Evidence, gather
from transforms.langid.confidence import Learned, features, logistic
from transforms.langid.counts import Sample, fit, join, sample
from transforms.langid.prepare import fold
from transforms.langid.windows import spoil, windows

__all__ = ["Samples", "Sentences", "calibrate"]

Sentences = Mapping[str, Mapping[str, Sequence[str]]]
"""Sentences by label, then by source."""

Samples = Mapping[str, Mapping[str, Sample]]
"""Samples of the same sentences."""

_CHARS = 6_000
"""Characters that a label shows, short windows and long ones each, of each source."""
_LONG = 250
_LEAST_SENTENCES = 12
_LEAST_GRAMS = 100
"""Windows with fewer n-grams do not tell what is usual."""
_FEWEST = 5
_UNKNOWN = 0.6
"""What a text of an unknown language weighs against one of a known language, for the
shape of the function."""
_PRIOR = 0.15
"""How many texts of unknown languages a score reckons with, for one of a known language."""
_SAME_SOURCE = 0.3
"""What texts of a language with one source weigh: they are too much like what was learned."""
_OTHER_SOURCE = {"evidence": 0.65, "words": 0.8}
"""Share of its evidence, and of its frequent words, that a language keeps in text of
another source than the one that it is known from."""
_PULL = 0.3
"""How far what is usual for a language is drawn towards what is usual among all: one
source more or less changes it by so much."""
_LEAST_USUAL, _LEAST_APART, _LEAST_SPOKEN = 0.05, 0.1, 0.03

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Trial:
    """Windows, the label of each (as a place), and what a model of other text found."""

    right: npt.NDArray[np.int64]
    found: Evidence


def calibrate(
    model: BayesModel, sentences: Sentences, samples: Samples, rng: random.Random
) -> BayesModel:
    """The same model with `learned` learned from its sentences.

    Args:
        model: Made of the same sentences; its labels are theirs.
        sentences: By label and source.
        samples: Of the sentences.
        rng: Source of the windows.
    """
    known, barred = [], []
    for taught, shown in _folds(sentences, samples):
        first, second = _trials(fit(taught), shown, model.labels, rng)
        known.append(first)
        barred.append(second)
    several = np.array([len(sentences[label]) > 1 for label in model.labels])
    learned = _usual(known, several)
    rows, right, weights = [], [], []
    for trials, weight in ((known, 1.0), (barred, _UNKNOWN)):
        for trial in trials:
            found = trial.found
            rows.append(features(learned, found.places[:, 0], found.nats, found.grams, found.words))
            hit = (trial.found.places[:, 0] == trial.right) & (weight == 1.0)
            right.append(hit.astype(np.float64))
            weights.append(weight * np.where(several[trial.right], 1.0, _SAME_SOURCE))
    confidence = logistic(np.concatenate(rows), np.concatenate(right), np.concatenate(weights))
    # Another share of unknown texts moves the odds of all alike (Saerens et al. 2002).
    confidence[0] += np.log(_UNKNOWN / _PRIOR)
    return dataclasses.replace(model, learned=learned._replace(confidence=confidence))


def _folds(
    sentences: Sentences, samples: Samples
) -> Iterator[tuple[dict[str, Sample], dict[str, list[str]]]]:
    """What a model is taught, and what it is shown, without each source of a language in turn.

    Of a language with one source, without either half of it.
    """
    for number in range(max(2, *(len(sources) for sources in sentences.values()))):
        taught: dict[str, Sample] = {}
        shown: dict[str, list[str]] = {}
        for label, sources in sentences.items():
            rest, out = _without(number, sources, samples[label])
            if rest is not None:
                taught[label] = rest
                shown[label] = out if len(out) >= _LEAST_SENTENCES else []
        yield taught, shown


def _without(
    number: int, sources: Mapping[str, Sequence[str]], samples: Mapping[str, Sample]
) -> tuple[Sample | None, list[str]]:
    """A sample without the source of that number, if there is enough left, and its texts."""
    if len(sources) == 1:
        [texts] = sources.values()
        middle = len(texts) // 2
        halves = [list(texts[:middle]), list(texts[middle:])]
        if number > 1:
            return next(iter(samples.values())), []
        return sample(halves[1 - number]), halves[number]
    names = sorted(sources)
    out = list(sources[names[number]]) if number < len(names) else []
    rest = [name for at, name in enumerate(names) if at != number]
    enough = sum(len(sources[name]) for name in rest) >= _LEAST_SENTENCES
    return join([samples[name] for name in rest]) if enough else None, out


def _trials(
    model: BayesModel, shown: dict[str, list[str]], labels: Sequence[str], rng: random.Random
) -> tuple[_Trial, _Trial]:
    texts, right = [], []
    for place, label in enumerate(model.labels):
        for shortest in (20, _LONG):
            for text in windows(shown[label] or [""], _CHARS, rng, shortest=shortest):
                texts.append(spoil(text, rng))
                right.append(place)
    folded = fold(pa.array(texts, pa.string()))
    whole = np.array([labels.index(label) for label in model.labels])
    own = np.array(right, np.int32)
    trials = []
    for barred in (None, own):
        found = gather(folded, model, 2, barred)
        some = found.places[:, 1] >= 0
        places = whole[found.places[some]].astype(np.int32)
        found = Evidence(
            places, found.scores[some], found.nats[some], found.grams[some], found.words[some]
        )
        trials.append(_Trial(whole[own[some]], found))
    return trials[0], trials[1]


def _usual(trials: Sequence[_Trial], several: Bools) -> Learned:
    """What longer windows usually have; see `Learned`. `confidence` is left empty."""
    nats = np.concatenate([trial.found.nats for trial in trials])
    words = np.concatenate([trial.found.words for trial in trials])
    right = np.concatenate([trial.right for trial in trials])
    best = np.concatenate([trial.found.places[:, 0] for trial in trials])
    long = np.concatenate([trial.found.grams for trial in trials]) > _LEAST_GRAMS
    medians = _medians(right, long, best == right, len(several))
    evidence, _ = medians(nats[:, 0], None)
    spoken, _ = medians(words[:, 1] / np.maximum(words[:, 0], 1), None)
    apart, every = medians(nats[:, 0] - nats[:, 1], 0.0)
    spoken = _pulled(spoken, several, _OTHER_SOURCE["words"], _LEAST_SPOKEN)
    return Learned(
        _pulled(evidence, several, _OTHER_SOURCE["evidence"], _LEAST_USUAL),
        np.clip(apart / max(every, _LEAST_USUAL), _LEAST_APART, 1.0),
        np.where(spoken > _LEAST_SPOKEN, spoken, 0.0),
        np.zeros(0),
    )


def _medians(
    right: npt.NDArray[np.int64], long: Bools, hit: Bools, labels: int
) -> Callable[[Floats, float | None], tuple[Floats, float]]:
    """Finds the medians of longer windows that a label was right for, and the median of all.

    Where it hardly ever was, its relative is so near that the relative's values, or a
    `fallback` of another meaning, stand for its own.
    """
    good = long & hit

    def found(values: Floats, fallback: float | None) -> tuple[Floats, float]:
        every = float(np.median(values[good])) if good.any() else 1.0
        out = np.full(labels, every)
        for place in range(labels):
            own, all_own = values[good & (right == place)], values[long & (right == place)]
            if len(own) >= _FEWEST:
                out[place] = np.median(own)
            elif len(all_own) >= _FEWEST:
                out[place] = np.median(all_own) if fallback is None else fallback
        return out, every

    return found


def _pulled(usual: Floats, several: Bools, kept: float, least: float) -> Floats:
    """What is usual in text of a source that is not known, drawn towards the mean."""
    found: Floats = np.maximum(np.where(several, usual, kept * usual), least)
    if not several.any():
        return found
    mean = np.log(found[several]).mean()
    return np.where(several, np.exp((1 - _PULL) * np.log(found) + _PULL * mean), found)
