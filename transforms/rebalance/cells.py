"""Cells: which floors and caps a document counts for, as a bit mask.

Constraint number i (floors in the order of their names, then caps, then caps on the
share of one source or host) owns bit i. Documents with the same mask are alike to every
promise, so that planning, dealing and trimming know cells only.

Every rule is a sum over cells: it holds when the sizes of the cells, each times an
integer that says how much a unit of it helps (above 0) or harms, add up to 0 or more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.errors import InfeasibleError
from transforms.rebalance.attributes import FLAGS, has_field
from transforms.rebalance.config import MILLION, RebalanceConfig, millionths

__all__ = ["Cells", "Constraint", "Group", "Rules", "cells_of", "thirds"]

Cells = npt.NDArray[np.uint32]
"""Bit masks."""
Flags = npt.NDArray[np.bool_]

_MOST_BITS = 24
_THIRDS = (0, 333_334, 666_667, MILLION)
"""What `likely_synthetic` text counts for a cap, by the upper third of its probability."""
_CERTAIN = 10_000


@dataclasses.dataclass(frozen=True)
class Group:
    """A source or host whose share of an attribute's text is capped.

    Attributes:
        within: The attribute, such as `tail`.
        attribute: Whose share: `source:NAME` or `host:NAME`.
        share: The most, in millionths.
    """

    within: str
    attribute: str
    share: int


@dataclasses.dataclass(frozen=True)
class Constraint:
    """One floor or cap.

    Attributes:
        kind: `floor` or `cap`.
        attribute: What it speaks of.
        share: In millionths, of a shard's size or of the size of what is `within`.
        within: Of which attribute's text the share is; empty for the whole shard.
    """

    kind: str
    attribute: str
    share: int
    within: str = ""

    def __str__(self) -> str:
        of = f" of {self.within}" if self.within else ""
        return f"{self.kind} {self.attribute}={self.share / MILLION:g}{of}"

    @property
    def against(self) -> int:
        """How much a unit that counts fully against the rule harms it, in millionths."""
        return self.share if self.kind == "floor" else MILLION - self.share


@dataclasses.dataclass(frozen=True)
class Rules:
    """Every floor and cap of a run; bit i of a cell belongs to `constraints[i]`.

    Above these bits stand those of attributes that only a `within` names, and two for
    the upper third of the probability of `likely_synthetic` text where a cap wants it.
    """

    constraints: tuple[Constraint, ...]

    @classmethod
    def of(cls, config: RebalanceConfig, groups: Sequence[Group] = ()) -> Rules:
        """Leaves out floors of 0 and caps of 1, which ask for nothing.

        Raises:
            InfeasibleError: There are more rules than cells can tell apart.
        """
        floors = [
            Constraint("floor", name, millionths(share))
            for name, share in sorted(config.floors.items())
            if share > 0
        ]
        caps = [
            Constraint("cap", name, millionths(share))
            for name, share in sorted(config.caps.items())
            if share < 1
        ]
        parts = [Constraint("cap", g.attribute, g.share, g.within) for g in groups]
        rules = cls((*floors, *caps, *parts))
        if rules.likely + 2 > _MOST_BITS:
            raise InfeasibleError(
                f"{len(rules.constraints)} floors, caps and capped sources are more than can be "
                f"kept at once ({_MOST_BITS - 2}); leave some out, or allow one source more"
            )
        return rules

    @property
    def floors(self) -> tuple[Constraint, ...]:
        """The floors, whose bits are the lowest."""
        return tuple(rule for rule in self.constraints if rule.kind == "floor")

    @property
    def floor_bits(self) -> int:
        """Mask of the bits of all floors; a cell that shares one is protected."""
        return (1 << len(self.floors)) - 1

    @property
    def besides(self) -> tuple[str, ...]:
        """Attributes with a bit though no rule on the whole shard names them."""
        named = {rule.attribute for rule in self.constraints if not rule.within}
        return tuple(sorted({r.within for r in self.constraints if r.within} - named))

    @property
    def likely(self) -> int:
        """The first of the two bits of `likely_synthetic` text."""
        return len(self.constraints) + len(self.besides)

    @property
    def whole(self) -> tuple[str, ...]:
        """The attributes of all bits but the last two; empty where a bit means a group."""
        named = ("" if rule.within else rule.attribute for rule in self.constraints)
        return (*named, *self.besides)

    def protected(self, cell: int) -> bool:
        """Whether documents of the cell serve a floor."""
        return bool(cell & self.floor_bits)

    def describe(self, cell: int) -> str:
        """Names the cell's attributes, for people."""
        names = {r.attribute for i, r in enumerate(self.constraints) if cell >> i & 1}
        names |= {n for i, n in enumerate(self.whole) if n and cell >> i & 1}
        names |= {"likely_synthetic"} if cell >> self.likely & 3 else set()
        return "+".join(sorted(names)) or "other"

    def mass(self, rule: int, cell: int) -> int:
        """What a unit of the cell counts for rule number `rule`, in millionths."""
        if cell >> rule & 1:
            return MILLION
        made = self.constraints[rule]
        if made.kind == "cap" and made.attribute == "synthetic":
            return _THIRDS[cell >> self.likely & 3]
        return 0

    def helps(self, rule: int, cell: int) -> int:
        """What a unit of the cell adds to the slack of rule number `rule`, in millionths."""
        made = self.constraints[rule]
        there = not made.within or cell >> self.whole.index(made.within) & 1
        surplus = self.mass(rule, cell) - (made.share if there else 0)
        return surplus if made.kind == "floor" else -surplus

    def slack(self, rule: int, sizes: Mapping[int, int]) -> int:
        """At least 0 when the rule holds: exact, in millionths of a size unit."""
        return sum(self.helps(rule, cell) * size for cell, size in sizes.items())

    def broken(self, sizes: Mapping[int, int]) -> list[tuple[int, int]]:
        """What a text with `sizes` per cell breaks: numbers of rules, with their slack."""
        slacks = ((rule, self.slack(rule, sizes)) for rule in range(len(self.constraints)))
        return [(rule, slack) for rule, slack in slacks if slack < 0]

    def excess(self, rule: int, slack: int) -> int:
        """The least size of what counts fully against a rule that takes its slack to 0."""
        return -(slack // self.constraints[rule].against)


def thirds(likely: npt.NDArray[np.int16]) -> Cells:
    """The upper third, 0 to 3, that probabilities in ten-thousandths lie in."""
    return np.asarray(-(-3 * likely.astype(np.int64) // _CERTAIN), dtype=np.uint32)


def cells_of(table: pa.Table | pa.RecordBatch, rules: Rules) -> Cells:
    """The cell of each row of `ranks.LIGHT`. Shape (rows,)."""
    cells = np.zeros(table.num_rows, dtype=np.uint32)
    for bit, rule in enumerate(rules.constraints):
        member = _member(table, rule.attribute)
        if rule.within:
            member = member & _member(table, rule.within)
        cells |= member.astype(np.uint32) << np.uint32(bit)
    for bit, name in enumerate(rules.besides, start=len(rules.constraints)):
        cells |= _member(table, name).astype(np.uint32) << np.uint32(bit)
    if any(rule.attribute == "synthetic" and rule.kind == "cap" for rule in rules.constraints):
        doubtful = pc.if_else(table.column("synthetic"), 0, table.column("likely"))
        cells |= thirds(doubtful.to_numpy(zero_copy_only=False)) << np.uint32(rules.likely)
    return cells


def _member(table: pa.Table | pa.RecordBatch, name: str) -> Flags:
    if name not in FLAGS:
        return has_field(table, name)
    return np.asarray(table.column(name).to_numpy(zero_copy_only=False), dtype=np.bool_)
