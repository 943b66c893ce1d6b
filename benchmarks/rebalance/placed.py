"""Documents placed in shards, by several ways; the worst shard and window of each."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import subprocess
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

__all__ = ["ATTRIBUTES", "Documents", "Worst", "hashed", "shuffled", "stratified", "worst"]

ATTRIBUTES = ("original", "tail")
WINDOW = 512
"""Documents of a window, and of a stratified batch."""
PART = 16
"""The other window is this part of a shard's size."""
_SCRIPT = pathlib.Path(__file__).parent / "scripts" / "streaming_stratified.py"

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Shards = list[Ints]
"""The rows of each shard, in their order."""


@dataclasses.dataclass(frozen=True)
class Documents:
    """What there is to place. Every array has one value a row.

    Attributes:
        key: Eight bytes of the document's id.
        size: In characters.
        members: By attribute.
    """

    key: npt.NDArray[np.uint64]
    size: Ints
    members: Mapping[str, Flags]

    @property
    def stratum(self) -> Ints:
        """A number for what is alike to every floor."""
        flags = [self.members[name].astype(np.int64) << bit for bit, name in enumerate(ATTRIBUTES)]
        return np.sum(flags, axis=0)

    def share(self, name: str, rows: Ints | slice = slice(None)) -> float:
        """Of some rows, in characters."""
        inside = self.size[rows][self.members[name][rows]]
        return float(inside.sum() / self.size[rows].sum())


@dataclasses.dataclass(frozen=True)
class Worst:
    """Least shares of one attribute in a shard and in windows within shards."""

    whole: float
    shard: float
    window: float
    part: float


def shuffled(documents: Documents, shards: int, seed: int = 1) -> Shards:
    """All rows in random order, cut into shards of as many documents."""
    order = np.random.default_rng(seed).permutation(len(documents.size)).astype(np.int64)
    return np.array_split(order, shards)


def hashed(documents: Documents, shards: int) -> Shards:
    """Each row in the shard that its document's id says, in the order of the input."""
    index = documents.key % np.uint64(shards)
    return [np.flatnonzero(index == number) for number in range(shards)]


def stratified(
    documents: Documents,
    shards: int,
    python: str,
    work: pathlib.Path,
    asked: Documents | None = None,
) -> Shards:
    """Streaming's stratified batches, cut into shards of as many documents.

    Args:
        documents: What there is.
        shards: How many.
        python: An interpreter that has the library.
        work: For files.
        asked: Whose number of documents, and proportions of strata, to ask for; None
            takes every document once.
    """
    given, order = work / "stratified.npz", work / "stratified.npy"
    proportions, samples = np.zeros(0), 0
    if asked is not None:
        samples = len(asked.size)
        proportions = np.bincount(asked.stratum, minlength=1 << len(ATTRIBUTES)) / samples
    np.savez(
        given,
        stratum=documents.stratum,
        batch_size=WINDOW,
        samples=samples,
        proportions=proportions,
    )
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([python, str(_SCRIPT), str(given), str(order)], check=True, env=kept)
    return np.array_split(np.load(order), shards)


def worst(documents: Documents, name: str, shards: Shards) -> Worst:
    """The worst of an attribute over all shards."""
    rows = [shard for shard in shards if len(shard)]
    least = [_least(documents.size[shard], documents.members[name][shard]) for shard in rows]
    shard, window, part = np.min(least, axis=0)
    return Worst(documents.share(name, np.concatenate(rows)), shard, window, part)


def _least(size: Ints, member: Flags) -> tuple[float, float, float]:
    """Of one shard: its share, and that of the worst window of each kind."""
    ends = np.concatenate([[0], np.cumsum(size)])
    inside = np.concatenate([[0], np.cumsum(size * member)])
    starts = np.arange(max(1, len(size) - WINDOW + 1))
    window = _shares(ends, inside, starts, np.minimum(starts + WINDOW, len(size)))
    # The shortest run of documents from each start that is as large as the part asked for.
    stops = np.searchsorted(ends, ends[:-1] + -(-ends[-1] // PART))
    full = np.flatnonzero(stops <= len(size))
    part = _shares(ends, inside, full, stops[full])
    return inside[-1] / ends[-1], float(window.min()), float(part.min())


def _shares(ends: Ints, inside: Ints, starts: Ints, stops: Ints) -> npt.NDArray[np.float64]:
    return (inside[stops] - inside[starts]) / (ends[stops] - ends[starts])
