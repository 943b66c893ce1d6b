"""What a classifier is worth on texts of known origin, slice by slice.

The operating point, and the probability that a score stands for, must not come
from the texts that they are judged by. Both are learnt, per language, from the
other files: the threshold is the one that 1 % of their human texts exceed, the
probability a logistic curve through their scores (Platt 1999). Where the other
files have too few human texts of a language, there is no operating point: the
classifier abstains.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.synthetic.attacks import ATTACKS, attacked
from transforms.synthetic.classifier import Classifier
from transforms.synthetic.examples import HUMAN, MACHINE, MIXED, Examples
from transforms.synthetic.quality import (
    auroc,
    expected_calibration_error,
    share_above,
    threshold_at,
    tpr_at,
)

__all__ = ["RATE", "Scored", "Slice", "evaluate", "evaluate_attacks", "scored"]

RATE: Final = 0.01
"""The false-positive rate that the operating point aims at."""

_LEAST_HUMAN: Final = 300
"""Human texts of a language without which there is no threshold."""
_LENGTHS: Final = (250, 500, 1000, 2000, 4000, 1 << 30)

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, slots=True)
class Slice:
    """Figures for some of the texts; NaN where there is nothing to compute them from.

    Attributes:
        kind: What the texts have in common: `data set`, `generator`, ...
        name: Which one.
        human: Human texts that have a score.
        machine: Machine texts that have a score.
        auroc: Of human against machine texts.
        tpr: Share of machine texts found at a false-positive rate of 1 % within the slice.
        abstains: Share of the texts for which there is no operating point.
        fpr: Share of human texts above the operating point.
        found: Share of machine texts above it.
        error: Expected calibration error.
    """

    kind: str
    name: str
    human: int
    machine: int
    auroc: float
    tpr: float
    abstains: float
    fpr: float
    found: float
    error: float


@dataclasses.dataclass(frozen=True, slots=True)
class Scored:
    """Examples that have a score, and what the other files say of it.

    Attributes:
        examples: The examples.
        scores: Thousandths.
        thresholds: The operating point of each; NaN where there is none.
        chances: Probability of machine text; NaN where nobody knows.
    """

    examples: Examples
    scores: Floats
    thresholds: Floats
    chances: Floats


def scored(examples: Examples, classifier: Classifier) -> Scored:
    """Scores examples; those too short for a score are left out."""
    raw = classifier.score(examples.text)
    valid = raw.is_valid().to_numpy(zero_copy_only=False)
    kept = examples.take(valid)
    scores = raw.drop_null().to_numpy().astype(np.float64)
    thresholds, chances = np.full(len(kept), np.nan), np.full(len(kept), np.nan)
    for place in np.unique(kept.places):
        here = kept.places == place
        source, _, lang = str(place).partition("|")
        others = (kept.source != source) & (kept.lang == lang)
        human = others & (kept.label == HUMAN)
        machine = others & (kept.label == MACHINE)
        if human.sum() >= _LEAST_HUMAN:
            thresholds[here] = threshold_at(scores[human], RATE)
            if machine.any():
                chances[here] = _platt(scores[human], scores[machine], scores[here])
    return Scored(kept, scores, thresholds, chances)


def _platt(human: Floats, machine: Floats, asked: Floats) -> Floats:
    """Probabilities by a logistic curve, fitted by Newton's method; both origins weigh the same."""
    x = np.concatenate([human, machine]) / 1000
    y = np.repeat([0.0, 1.0], [len(human), len(machine)])
    weight = np.repeat([0.5 / len(human), 0.5 / len(machine)], [len(human), len(machine)])
    design = np.stack([x, np.ones_like(x)], axis=1)
    line = np.array([1.0, 0.0])
    for _ in range(25):
        chance = 1 / (1 + np.exp(-np.clip(design @ line, -30, 30)))
        slope = design.T @ (weight * (chance - y)) + 1e-6 * line
        bend = (design * (weight * chance * (1 - chance))[:, None]).T @ design + 1e-6 * np.eye(2)
        line -= np.linalg.solve(bend, slope)
    fitted: Floats = 1 / (1 + np.exp(-np.clip(asked / 1000 * line[0] + line[1], -30, 30)))
    return fitted


def evaluate(given: Scored) -> list[Slice]:
    """Figures of all texts, and by data set, generator, domain, language and length."""
    return [
        _slice(given, kind, name, human, machine) for kind, name, human, machine in _masks(given)
    ]


def _masks(given: Scored) -> Iterator[tuple[str, str, Mask, Mask]]:
    examples = given.examples
    human, machine = examples.label == HUMAN, examples.label == MACHINE
    yield "all", "all", human, machine
    for source in np.unique(examples.source):
        here = examples.source == source
        yield "data set", str(source), human & here, machine & here
    for generator in np.unique(examples.generator[machine]):
        own = machine & (examples.generator == generator)
        # A generator is told from the human texts that lie beside its own.
        beside = human & np.isin(examples.places, examples.places[own])
        yield "generator", str(generator), beside, own
    for kind, column in (("domain", examples.domain), ("language", examples.lang)):
        for name in np.unique(column):
            yield kind, str(name), human & (column == name), machine & (column == name)
    chars = examples.chars
    for least, most in itertools.pairwise(_LENGTHS):
        here = (chars >= least) & (chars < most)
        name = f"{least} to {most - 1}" if most < 1 << 30 else f"{least} and more"
        yield "characters", name, human & here, machine & here
    mixed = examples.label == MIXED
    for generator in np.unique(examples.generator[mixed]):
        own = mixed & (examples.generator == generator)
        yield (
            "human, reworked",
            str(generator),
            human & np.isin(examples.places, examples.places[own]),
            own,
        )


def _slice(given: Scored, kind: str, name: str, human: Mask, machine: Mask) -> Slice:
    low, high = given.scores[human], given.scores[machine]
    either = human | machine
    speaks = ~np.isnan(given.thresholds)
    over = given.scores - given.thresholds
    known = either & ~np.isnan(given.chances)
    return Slice(
        kind,
        name,
        int(human.sum()),
        int(machine.sum()),
        auroc(low, high),
        tpr_at(low, high, RATE),
        float(1 - speaks[either].mean()) if either.any() else float("nan"),
        share_above(over[human & speaks], 0),
        share_above(over[machine & speaks], 0),
        expected_calibration_error(given.chances[known], machine[known]),
    )


def evaluate_attacks(given: Scored, classifier: Classifier) -> list[Slice]:
    """The same figures after each attack, against the operating points of unchanged text."""
    return [_after(given, classifier, name) for name in ATTACKS]


def _after(given: Scored, classifier: Classifier, name: str) -> Slice:
    raw: pa.Int16Array = classifier.score(attacked(given.examples.text, name))
    # A text that lost its score to an attack is not found.
    lowest = -(1 << 15)
    scores = raw.fill_null(0).to_numpy().astype(np.float64)
    scores[raw.is_null().to_numpy(zero_copy_only=False)] = lowest
    changed = dataclasses.replace(given, scores=scores, chances=np.full(len(scores), np.nan))
    label = given.examples.label
    return _slice(changed, "attack", name, label == HUMAN, label == MACHINE)
