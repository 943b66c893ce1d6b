"""Every pair of documents at a similarity or above: an exact join, for a judge.

Prefix filtering (Bayardo, Ma, Srikant, Scaling Up All Pairs Similarity Search, 2007;
Xiao et al., PPJoin, 2008): order all shingles from the rarest on. Two sets with
Jaccard t or above share one of the first n - ceil(t n) + 1 shingles of each, n being
the size of the set. What this offers is settled by `reference.jaccard`, so that
neither bands nor estimates have a part in the answer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from benchmarks.reference import Shingles, jaccard

__all__ = ["Shingled", "close_pairs", "likely_pairs", "shingle_hashes"]

Index = npt.NDArray[np.int64]
_EPSILON = 1e-9


class Shingled(Protocol):
    """Documents that tell their shingles."""

    def shingles(self, row: int) -> Shingles:
        """The reference shingles of a document."""
        ...


def _ranked(sets: Sequence[Index]) -> list[Index]:
    """Each set as the ranks of its shingles, the rarest first."""
    ends = np.cumsum([len(s) for s in sets])
    _, inverse, counts = np.unique(np.concatenate(sets), return_inverse=True, return_counts=True)
    rank = np.empty(len(counts), dtype=np.int64)
    rank[np.argsort(counts, kind="stable")] = np.arange(len(counts))
    return [np.sort(part) for part in np.split(rank[inverse], ends[:-1])]


def _candidates(ranked: Sequence[Index], threshold: float) -> Index:
    """Pairs of sets, shape (pairs, 2), that share a shingle of their prefixes."""
    keep = [len(s) - math.ceil(threshold * len(s) - _EPSILON) + 1 for s in ranked]
    prefixes = [s[:n] for s, n in zip(ranked, keep, strict=True)]
    shingle = np.concatenate(prefixes)
    owner = np.repeat(np.arange(len(ranked)), [len(s) for s in prefixes])
    order = np.lexsort((owner, shingle))
    shingle, owner = shingle[order], owner[order]
    size = np.array([len(s) for s in ranked])
    found, shift = [np.empty((0, 2), dtype=np.int64)], 1
    while (same := np.flatnonzero(shingle[shift:] == shingle[:-shift])).size:
        pairs = np.stack([owner[same], owner[same + shift]], axis=1)
        sizes = size[pairs]
        alike = sizes.min(axis=1) >= threshold * sizes.max(axis=1) - _EPSILON
        found.append(np.unique(pairs[alike], axis=0))
        shift += 1
    return np.unique(np.concatenate(found), axis=0)


def likely_pairs(sets: Sequence[Index], threshold: float) -> Iterator[tuple[int, int]]:
    """Pairs of sets at the threshold or above, as far as hashes can tell.

    Args:
        sets: The hashes of each document's shingles, each once; none is empty.
        threshold: Least Jaccard.

    Yields:
        Positions of two sets. No pair at the threshold is missing; where hashes
        collide, one a little below it may be among them.
    """
    if len(sets) < 2:
        return
    ranked = _ranked(sets)
    for a, b in _candidates(ranked, threshold).tolist():
        shared = len(np.intersect1d(ranked[a], ranked[b], assume_unique=True))
        least = threshold / (1 + threshold) * (len(ranked[a]) + len(ranked[b]))
        if shared >= least - 1:  # a collision of hashes may hide one
            yield a, b


def shingle_hashes(shingles: Shingles) -> Index:
    """Each shingle as a number of this process: good for choosing candidates, not for more."""
    return np.fromiter({hash(s) for s in shingles}, dtype=np.int64)


def close_pairs(
    texts: Shingled, rows: Sequence[int], threshold: float
) -> list[tuple[int, int, float]]:
    """All pairs of the given documents at the threshold or above, with their Jaccard.

    Args:
        texts: The documents.
        rows: Those to compare; ones without a token are left out.
        threshold: Least Jaccard.
    """
    named, sets = [], []
    for row in rows:
        hashes = shingle_hashes(texts.shingles(row))
        if len(hashes):
            named.append(row)
            sets.append(hashes)
    close = []
    for a, b in likely_pairs(sets, threshold):
        similarity = jaccard(texts.shingles(named[a]), texts.shingles(named[b]))
        if similarity >= threshold:
            close.append((named[a], named[b], similarity))
    return close
