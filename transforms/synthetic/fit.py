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
from transforms.synthetic.features import BUCKETS
from transforms.synthetic.wording import Buckets

__all__ = ["Design", "example_weights", "fit"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_PASSES: Final = 4
_RATE: Final = 0.05
_DECAY: Final = 1e-5
_LEAST_DOCUMENTS: Final = 10
_LEAST_PLACES: Final = 2
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


def example_weights(design: Design) -> Floats:
    """How much each document counts, 1 on average."""
    weights = np.zeros(len(design.machine))
    for place in np.unique(design.place):
        inside = np.flatnonzero(design.place == place)
        sides = [inside[design.machine[inside] == side] for side in (0.0, 1.0)]
        share = float(np.sqrt(min(len(inside), _LARGEST_PLACE)))
        share *= 1.0 if all(map(len, sides)) else _ONE_SIDED
        for side in filter(len, sides):
            _, kind, counts = np.unique(
                design.environment[side], return_inverse=True, return_counts=True
            )
            even = 1 / np.sqrt(counts[kind])
            weights[side] = share * even / even.sum()
    balanced: Floats = weights / weights.mean()
    return balanced


def fit(design: Design, *, seed: int = 0, least_places: int = _LEAST_PLACES) -> Floats:
    """Trains on documents.

    Args:
        design: The documents.
        seed: Of the order in which they are seen.
        least_places: Places in which a feature has to occur.

    Returns:
        A weight for every bucket; 0 for features that are too rare.
    """
    n = len(design.machine)
    order = np.stack([np.random.default_rng([seed, k]).permutation(n) for k in range(_PASSES)])
    averaged = np.zeros(BUCKETS)
    _descend(
        design.features,
        design.bounds,
        design.machine,
        design.place,
        example_weights(design),
        order,
        _frequent(design, least_places),
        np.zeros(int(design.place.max()) + 1),
        averaged,
    )
    return averaged


def _frequent(design: Design, least_places: int) -> npt.NDArray[np.bool_]:
    documents = np.zeros(BUCKETS, dtype=np.int32)
    places = np.zeros(BUCKETS, dtype=np.int32)
    last = np.full(BUCKETS, -1, dtype=np.int64)
    rows = np.argsort(design.place, kind="stable")
    _count(design.features, design.bounds, design.place, rows, documents, places, last)
    frequent: npt.NDArray[np.bool_] = (documents >= _LEAST_DOCUMENTS) & (places >= least_places)
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
        for row in order[turn]:
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
            slope = (chance - machine[row]) * importance[row]
            place_squares[here] += slope * slope
            intercepts[here] -= _RATE * slope / np.sqrt(place_squares[here])
            for feature in used[:n]:
                push = slope * scale + _DECAY * weights[feature]
                squares[feature] += push * push
                weights[feature] -= _RATE * push / np.sqrt(squares[feature])
        if turn >= len(order) // 2:
            averaged += weights / (len(order) - len(order) // 2)
