"""A logistic regression that may not tell environments apart.

Three things keep it from learning the collections instead of the origin. Each
place (collection and language) has an intercept of its own while training, so
that only contrasts within a place move a weight. Within a place human and
machine text weigh the same, and its generators by the root of their size. A
feature has to occur in several places.

The optimiser is AdaGrad (Duchi et al. 2011) in double precision, one example at
a time in a fixed order, averaged over the later passes: the same data give the
same weights.
"""

from __future__ import annotations

import dataclasses
from typing import Final

import numpy as np
import numpy.typing as npt

from transforms.kernels import njit
from transforms.synthetic.wording import BITS, Buckets

__all__ = ["Design", "example_weights", "fit"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_PASSES: Final = 4
_RATE: Final = 0.05
_DECAY: Final = 1e-5
_LEAST_DOCUMENTS: Final = 25
_LEAST_PLACES: Final = 3
_LARGEST_PLACE: Final = 1500
_ONE_SIDED: Final = 0.3
"""Weight of a place that has human or machine text only, next to one that has both."""


@dataclasses.dataclass(frozen=True, slots=True)
class Design:
    """What the optimiser sees of the examples.

    Attributes:
        features: Buckets of all documents, end to end.
        bounds: n + 1 bounds in `features`.
        machine: 1.0 for machine text, 0.0 for human text.
        place: Number of the collection and language.
        environment: Number of the place and generator.
    """

    features: Buckets
    bounds: Ints
    machine: Floats
    place: Ints
    environment: Ints


def example_weights(design: Design, rows: Ints) -> Floats:
    """How much each of some documents counts, 1 on average.

    Args:
        design: All documents.
        rows: Those to be trained on.

    Returns:
        Weights, one for each of `rows`.
    """
    weights = np.zeros(len(rows))
    for place in np.unique(design.place[rows]):
        inside = np.flatnonzero(design.place[rows] == place)
        sides = [inside[design.machine[rows[inside]] == side] for side in (0.0, 1.0)]
        share = np.sqrt(min(len(inside), _LARGEST_PLACE))
        share *= 1.0 if all(map(len, sides)) else _ONE_SIDED
        for side in filter(len, sides):
            kinds = design.environment[rows[side]]
            _, inverse, counts = np.unique(kinds, return_inverse=True, return_counts=True)
            even = 1 / np.sqrt(counts[inverse])
            weights[side] = share * even / even.sum()
    return weights / weights.mean()


def fit(design: Design, rows: Ints, *, seed: int = 0) -> Floats:
    """Trains on some of the documents.

    Args:
        design: All documents.
        rows: Those to train on.
        seed: Of the order in which they are seen.

    Returns:
        A weight for every bucket; 0 for features that are too rare.
    """
    frequent = _frequent(design, rows)
    order = np.concatenate(
        [np.random.default_rng([seed, n]).permutation(len(rows)) for n in range(_PASSES)]
    ).reshape(_PASSES, len(rows))
    weights = np.zeros(1 << BITS)
    _descend(
        design.features,
        design.bounds,
        design.machine,
        design.place,
        rows,
        example_weights(design, rows),
        order,
        frequent,
        np.zeros(int(design.place.max()) + 1),
        weights,
    )
    return weights


def _frequent(design: Design, rows: Ints) -> npt.NDArray[np.bool_]:
    documents = np.zeros(1 << BITS, dtype=np.int32)
    places = np.zeros(1 << BITS, dtype=np.int32)
    by_place = rows[np.argsort(design.place[rows], kind="stable")]
    last = np.full(1 << BITS, -1, dtype=np.int64)
    _count(design.features, design.bounds, design.place, by_place, documents, places, last)
    frequent: npt.NDArray[np.bool_] = (documents >= _LEAST_DOCUMENTS) & (places >= _LEAST_PLACES)
    return frequent


@njit
def _count(
    features: Buckets,
    bounds: Ints,
    place: Ints,
    rows: Ints,
    documents: Buckets,
    places: Buckets,
    last: Ints,
) -> None:  # pragma: no cover - compiled
    for row in rows:
        for feature in features[bounds[row] : bounds[row + 1]]:
            documents[feature] += 1
            if last[feature] != place[row]:
                last[feature] = place[row]
                places[feature] += 1


@njit
def _descend(
    features: Buckets,
    bounds: Ints,
    machine: Floats,
    place: Ints,
    rows: Ints,
    importance: Floats,
    order: Ints,
    frequent: npt.NDArray[np.bool_],
    intercepts: Floats,
    averaged: Floats,
) -> None:  # pragma: no cover - compiled
    weights = np.zeros(len(averaged))
    squares = np.full(len(averaged), 1e-4)
    place_squares = np.full(len(intercepts), 1e-4)
    used = np.empty(np.diff(bounds).max() + 1, dtype=np.int32)
    for turn in range(len(order)):
        for step in order[turn]:
            row = rows[step]
            n = 0
            total = 0.0
            for feature in features[bounds[row] : bounds[row + 1]]:
                if frequent[feature]:
                    used[n] = feature
                    n += 1
                    total += weights[feature]
            if n == 0:
                continue
            scale = 1.0 / np.sqrt(n)
            here = place[row]
            chance = 1.0 / (1.0 + np.exp(-(total * scale + intercepts[here])))
            slope = (chance - machine[row]) * importance[step]
            place_squares[here] += slope * slope
            intercepts[here] -= _RATE * slope / np.sqrt(place_squares[here])
            for feature in used[:n]:
                push = slope * scale + _DECAY * weights[feature]
                squares[feature] += push * push
                weights[feature] -= _RATE * push / np.sqrt(squares[feature])
        if turn >= len(order) // 2:
            averaged += weights / (len(order) - len(order) // 2)
