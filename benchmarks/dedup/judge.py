"""Which documents of a corpus are near each other, by exact Jaccard, and who found them.

Every pair at the threshold is found by `benchmarks.allpairs` over the shingles of
`benchmarks.reference`: no code of holdfast has a part in it, nor of any peer.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import itertools
import pathlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from benchmarks.allpairs import likely_pairs, shingle_hashes
from benchmarks.reference import Shingles, jaccard, normal_form, shingles

__all__ = ["Found", "Texts", "Truth", "find_truth", "judge", "kept_truth"]

Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_UNSPACED_LENGTH = 1.6
"""Mean length of a token, its marks included, below which a text is taken for unspaced."""


class Texts:
    """Texts with their reference shingles.

    Args:
        read: Gives the text of a row.
    """

    def __init__(self, read: Callable[[int], str]) -> None:
        self._read = read

    @functools.lru_cache(maxsize=8192)  # noqa: B019  # lives as long as the process
    def shingles(self, row: int) -> Shingles:
        """The reference shingles of a document."""
        return shingles(self._read(row))

    def copy_key(self, row: int) -> bytes:
        """Equal for two documents with the same shingles; without any, with the same text."""
        found = self.shingles(row)
        told = np.sort(shingle_hashes(found)).tobytes() or normal_form(self._read(row)).encode()
        return hashlib.blake2b(told, digest_size=16).digest()

    def unspaced(self, row: int) -> bool:
        """Whether the text is, for the most part, written without spaces between words."""
        found = self.shingles(row)
        return sum(len(s[0]) for s in found) < _UNSPACED_LENGTH * len(found)


@dataclasses.dataclass(frozen=True)
class Truth:
    """All pairs of documents at the threshold or above.

    Attributes:
        pairs: Shape (pairs, 2), rows of the corpus.
        similarity: Exact Jaccard, float64, shape (pairs,).
        unspaced: Whether a document is written without spaces, shape (documents,).
    """

    pairs: Index
    similarity: npt.NDArray[np.float64]
    unspaced: Flags


@dataclasses.dataclass(frozen=True)
class Found:
    """How well some documents were kept.

    Attributes:
        pairs: How many there are to find.
        hit: Pairs of which at least one document was removed.
        removed: Documents removed.
        right: Those of them near a document that was kept.
    """

    pairs: int
    hit: int
    removed: int
    right: int


def _grouped(texts: Texts, rows: Sequence[int]) -> tuple[list[list[int]], list[Index], Flags]:
    """Rows of equal shingles, the hashes of each group, and which rows are unspaced."""
    groups: defaultdict[bytes, list[int]] = defaultdict(list)
    sets, unspaced = {}, np.zeros(len(rows), dtype=np.bool_)
    for row in rows:
        key = texts.copy_key(row)
        groups[key].append(row)
        unspaced[row] = texts.unspaced(row)
        if key not in sets:
            sets[key] = shingle_hashes(texts.shingles(row))
    return list(groups.values()), list(sets.values()), unspaced


def _between(
    texts: Texts, groups: Sequence[list[int]], sets: Sequence[Index], threshold: float
) -> Iterator[tuple[int, int, float]]:
    named = [k for k, found in enumerate(sets) if len(found)]
    for a, b in likely_pairs([sets[k] for k in named], threshold):
        left, right = groups[named[a]], groups[named[b]]
        similarity = jaccard(texts.shingles(left[0]), texts.shingles(right[0]))
        if similarity >= threshold:
            yield from ((i, j, similarity) for i in left for j in right)


def find_truth(texts: Texts, documents: int, threshold: float) -> Truth:
    """Compares all documents, exactly; time and memory grow with the text."""
    groups, sets, unspaced = _grouped(texts, range(documents))
    inside = ((i, j, 1.0) for rows in groups for i, j in itertools.combinations(rows, 2))
    found = [*inside, *_between(texts, groups, sets, threshold)]
    pairs = np.array([pair[:2] for pair in found], dtype=np.int64).reshape(-1, 2)
    return Truth(pairs, np.array([pair[2] for pair in found]), unspaced)


def kept_truth(texts: Texts, documents: int, threshold: float, folder: pathlib.Path) -> Truth:
    """`find_truth`, written beside the corpus for the next time."""
    path = folder / f"pairs-{threshold}.npz"
    if not path.exists():
        print(f"comparing all {documents:,} documents of {folder} exactly ...", flush=True)
        found = find_truth(texts, documents, threshold)
        np.savez_compressed(path, **dataclasses.asdict(found))
    with np.load(path, allow_pickle=False) as kept:
        return Truth(kept["pairs"], kept["similarity"], kept["unspaced"])


def judge(truth: Truth, kept: Flags, pairs: Flags | None = None) -> Found:
    """Holds what was kept against the truth.

    Args:
        truth: All pairs.
        kept: Per document.
        pairs: Which pairs count for `hit`; all by default.
    """
    chosen = truth.pairs if pairs is None else truth.pairs[pairs]
    both = kept[chosen].all(axis=1)
    near_kept = np.zeros(len(kept), dtype=np.bool_)
    for one, other in ((0, 1), (1, 0)):
        near_kept[truth.pairs[kept[truth.pairs[:, other]], one]] = True
    right = int((near_kept & ~kept).sum())
    return Found(len(chosen), int((~both).sum()), int((~kept).sum()), right)
