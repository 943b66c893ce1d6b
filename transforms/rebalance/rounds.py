"""What a round of the deal works on, and what it hands to the workers."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.rebalance.draws import halves
from transforms.rebalance.plan import Plan

__all__ = ["Deal", "Level", "Longs", "Round", "longs", "within"]

Longs = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Level:
    """How the sand of one cell is cut.

    Attributes:
        quota: Size of the sand that is taken, from the start of its line.
        over: Whether the grain in which the quota ends is taken as well.
        ends: Where each shard's stretch of the line ends. Shape (shards,).
    """

    quota: int
    over: bool
    ends: Longs


@dataclasses.dataclass(frozen=True)
class Deal:
    """What a worker needs to place the rows of its cells.

    Attributes:
        shards: Their number.
        levels: How the sand is cut, by cell; rows of other cells are not dealt here.
        pieces: `partition << 24 | cell`, ascending, of each piece of a line.
        offsets: Sand of the cell in the partitions before the piece.
        boulders: `partition << 40 | row`, ascending, of the boulders taken.
        owners: Shard of each boulder taken.
        notes: What a reader of the run's report should know.
    """

    shards: int
    levels: dict[int, Level]
    pieces: Longs
    offsets: Longs
    boulders: Longs
    owners: Longs
    notes: tuple[str, ...] = ()


@dataclasses.dataclass
class Round:
    """Columns of both summaries, and what has been dealt so far."""

    plan: Plan
    bins: dict[str, Longs]
    large: dict[str, Longs]
    dealt: dict[int, Longs]
    levels: dict[int, Level] = dataclasses.field(default_factory=dict)
    taken: list[tuple[Longs, Longs]] = dataclasses.field(default_factory=list)

    @classmethod
    def of(cls, plan: Plan, bins: pa.Table, boulders: pa.Table) -> Round:
        """Gathers the summaries of all partitions, which come in any order."""
        bins = bins.sort_by([("cell", "ascending"), ("partition", "ascending")])
        upper, lower = halves(boulders.column("doc_id"))
        names = ("partition", "row", "cell", "repeat", "size", "before")
        large = {name: longs(boulders, name) for name in names}
        # Documents as numbers in the order of their ids, for ties.
        pairs = np.stack([upper, lower], axis=1)
        large["document"] = np.unique(pairs, axis=0, return_inverse=True)[1].reshape(-1)
        return cls(plan, {name: longs(bins, name) for name in bins.column_names}, large, {})

    def beneath(self, mask: int) -> Longs:
        """Per shard, the size dealt of cells that serve all that `mask` serves."""
        total = np.zeros(self.plan.shards, dtype=np.int64)
        for cell, sizes in self.dealt.items():
            if cell & mask == mask:
                total += sizes
        return total

    def counted(self, rule: int) -> Longs:
        """Per shard, what was dealt that counts for a rule, times a million."""
        total = np.zeros(self.plan.shards, dtype=np.int64)
        for cell, sizes in self.dealt.items():
            total += sizes * self.plan.rules.mass(rule, cell)
        return total

    def finish(self, notes: tuple[str, ...] = ()) -> Deal:
        """What workers need of the round, sorted for lookup."""
        keys, owners = (
            np.concatenate([taken[i] for taken in self.taken] or [np.empty(0, np.int64)])
            for i in range(2)
        )
        order = np.argsort(keys)
        pieces, offsets = self._offsets()
        return Deal(
            self.plan.shards,
            self.levels,
            pieces,
            offsets,
            keys[order].astype(np.int64),
            owners[order].astype(np.int64),
            notes,
        )

    def _offsets(self) -> tuple[Longs, Longs]:
        pieces = (self.bins["partition"] << np.int64(24)) | self.bins["cell"]
        offsets = within(self.bins["sand"], self.bins["cell"])
        order = np.argsort(pieces)
        return pieces[order], offsets[order]


def longs(table: pa.Table, name: str) -> Longs:
    """A column of integers. Shape (rows,)."""
    return np.asarray(table.column(name).to_numpy(), dtype=np.int64)


def within(sizes: Longs, groups: Longs) -> Longs:
    """Exclusive running sums that start anew with each group of equal neighbours."""
    before = np.cumsum(sizes) - sizes
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    counts = np.diff(np.append(starts, len(groups)))
    return np.asarray(before - np.repeat(before[starts], counts), dtype=np.int64)
