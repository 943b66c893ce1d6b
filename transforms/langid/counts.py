"""From sentences to the counts of their n-grams and words, and from counts to a model."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.langid.bayes import UNIT, BayesModel
from transforms.langid.confidence import FEATURES, Learned
from transforms.langid.grams import gram_codes
from transforms.langid.prepare import fold
from transforms.langid.tokens import list_seed, word_hashes

__all__ = ["Sample", "Tally", "fit", "join", "mix", "sample", "tally"]

PRIOR = 10_000.0
"""Counts that the prior is worth: what a label of so many n-grams has seen of itself
weighs as much as what all languages together have."""
LEAST_SIZE = 30_000.0
"""A label of fewer n-grams counts as if it had so many, lest its ignorance be cheap."""
MOST_GRAMS = 12_000
"""N-grams that a label keeps: those that say most of it. More would let a language
with much text win over its relatives by its rare words alone."""
_FREQUENT = 80
"""Words of a label that count as frequent: most of them say little but the language."""
_BARE = 0.15
"""Weight of the same text without its diacritics, as many people type it."""
_FINEST = 16
"""Parts of a nat in which a posting's weight is stored."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tally:
    """How often each n-gram, or each word, is met.

    Attributes:
        codes: uint32 (n-grams) or uint64 (words), ascending.
        shares: float64, summing to 1: of all that are met.
        size: How many were met.
    """

    codes: npt.NDArray[Any]
    shares: Floats
    size: float


@dataclass(frozen=True, slots=True)
class Sample:
    """What a label's texts are made of."""

    grams: Tally
    words: Tally


def sample(texts: Sequence[str]) -> Sample:
    """Counts what texts are made of."""
    return Sample(tally(texts), _tally_of(word_hashes(_folded(texts))))


def join(samples: Sequence[Sample]) -> Sample:
    """One sample of several sources; see `mix`."""
    return Sample(mix([one.grams for one in samples]), mix([one.words for one in samples]))


def tally(texts: Sequence[str]) -> Tally:
    """Counts the n-grams of texts, and those of the texts without diacritics."""
    whole = _count(texts)
    bare = [_bare(text) for text in texts]
    if bare == list(texts):
        return whole
    joined = _weighted([whole, _count(bare)], [1 - _BARE, _BARE])
    return Tally(joined.codes, joined.shares, whole.size)


def _count(texts: Sequence[str]) -> Tally:
    return _tally_of(gram_codes(_folded(texts)))


def _folded(texts: Sequence[str]) -> pa.StringArray:
    return fold(pa.array(texts, pa.string()))


def _tally_of(met: npt.NDArray[Any]) -> Tally:
    codes, counts = np.unique(met, return_counts=True)
    return Tally(codes, counts / max(1, counts.sum()), float(counts.sum()))


def _bare(text: str) -> str:
    plain = unicodedata.normalize("NFD", text)
    return "".join(c for c in plain if not "\u0300" <= c <= "\u036f")


def mix(tallies: Sequence[Tally]) -> Tally:
    """One tally of several sources: each weighs as the root of its size.

    So neither does the largest source stand for a language, nor a handful of
    sentences as much as a book.
    """
    roots = [tally.size**0.5 for tally in tallies]
    return _weighted(tallies, [root / sum(roots) for root in roots])


def _weighted(tallies: Sequence[Tally], weights: Sequence[float]) -> Tally:
    codes = np.concatenate([tally.codes for tally in tallies])
    shares = [tally.shares * weight for tally, weight in zip(tallies, weights, strict=True)]
    codes, place = np.unique(codes, return_inverse=True)
    summed: Floats = np.bincount(place, np.concatenate(shares), len(codes)).astype(np.float64)
    return Tally(codes, summed, sum(tally.size for tally in tallies))


def fit(samples: Mapping[str, Sample]) -> BayesModel:
    """Makes a model that is not calibrated yet: what is usual is 1.

    Args:
        samples: By label.
    """
    labels = tuple(sorted(samples))
    own = [samples[label].grams for label in labels]
    one = np.ones(len(labels))
    codes, places, weights = _postings(own)
    order = np.lexsort((places, codes))
    known, first = np.unique(codes[order], return_index=True)
    starts = np.append(first, len(codes)).astype(np.int64)
    sizes = np.array([_size(part) for part in own])
    return BayesModel.of(
        labels,
        known,
        (starts, places[order].astype(np.uint16), weights[order]),
        np.round(UNIT * np.log(PRIOR / (sizes + PRIOR))).astype(np.int32),
        _frequent([samples[label].words for label in labels]),
        Learned(one, one, one, np.zeros(FEATURES)),
    )


def _frequent(tallies: Sequence[Tally]) -> npt.NDArray[np.uint64]:
    """Each label's most frequent words, as keys."""
    keys = [
        part.codes[np.argsort(-part.shares, kind="stable")[:_FREQUENT]] ^ list_seed(place)
        for place, part in enumerate(tallies)
    ]
    return np.unique(np.concatenate(keys).astype(np.uint64))


def _size(tally: Tally) -> float:
    return max(tally.size, LEAST_SIZE)


def _postings(
    tallies: Sequence[Tally],
) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Code, label and weight of all that the labels keep, label by label."""
    background = _weighted(tallies, [1 / len(tallies)] * len(tallies))
    codes, places, weights = [], [], []
    for place, part in enumerate(tallies):
        usual = background.shares[np.searchsorted(background.codes, part.codes)]
        added = np.log1p(part.shares * _size(part) / (PRIOR * usual))
        fine = np.minimum(np.round(_FINEST * added), 255).astype(np.uint8)
        best = np.argsort(-part.shares * added, kind="stable")[:MOST_GRAMS]
        best = best[fine[best] > 0]
        codes.append(part.codes[best])
        weights.append(fine[best])
        places.append(np.full(len(best), place))
    return np.concatenate(codes), np.concatenate(places), np.concatenate(weights)
