"""Cells: which floors and caps a document counts for, as a bit mask.

Constraint number i (floors in the order of their names, then caps) owns bit i.
Documents with the same mask are alike to every promise, so that planning,
dealing and trimming know cells only.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.rebalance.config import MILLION, RebalanceConfig, millionths

__all__ = ["Constraint", "Rules", "cells_of"]


@dataclasses.dataclass(frozen=True)
class Constraint:
    """One floor or cap.

    Attributes:
        kind: `floor` or `cap`.
        attribute: The boolean column that it speaks of.
        share: In millionths of a shard's size.
    """

    kind: str
    attribute: str
    share: int

    def __str__(self) -> str:
        return f"{self.kind} {self.attribute}={self.share / MILLION:g}"

    def slack(self, inside: int, total: int) -> int:
        """At least 0 when it holds: exact, in millionths of a size unit."""
        slack = inside * MILLION - self.share * total
        return slack if self.kind == "floor" else -slack


@dataclasses.dataclass(frozen=True)
class Rules:
    """Every floor and cap of a run; bit i of a cell belongs to `constraints[i]`."""

    constraints: tuple[Constraint, ...]

    @classmethod
    def of(cls, config: RebalanceConfig) -> Rules:
        """Leaves out floors of 0 and caps of 1, which ask for nothing."""
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
        return cls(tuple(floors + caps))

    @property
    def floors(self) -> tuple[Constraint, ...]:
        """The floors, whose bits are the lowest."""
        return tuple(rule for rule in self.constraints if rule.kind == "floor")

    @property
    def floor_bits(self) -> int:
        """Mask of the bits of all floors; a cell that shares one is protected."""
        return (1 << len(self.floors)) - 1

    def protected(self, cell: int) -> bool:
        """Whether documents of the cell serve a floor."""
        return bool(cell & self.floor_bits)

    def describe(self, cell: int) -> str:
        """Names the cell's attributes, for people."""
        names = {r.attribute for i, r in enumerate(self.constraints) if cell >> i & 1}
        return "+".join(sorted(names)) or "other"

    def broken(self, sizes: Mapping[int, int]) -> list[tuple[Constraint, int, int]]:
        """What a text with `sizes` per cell breaks: rule, size inside, total."""
        total = sum(sizes.values())
        insides = (
            (rule, sum(size for cell, size in sizes.items() if cell >> bit & 1))
            for bit, rule in enumerate(self.constraints)
        )
        return [(rule, inside, total) for rule, inside in insides if rule.slack(inside, total) < 0]


def cells_of(table: pa.Table | pa.RecordBatch, rules: Rules) -> npt.NDArray[np.uint16]:
    """The cell of each row, from its boolean columns. Shape (rows,)."""
    cells = np.zeros(table.num_rows, dtype=np.uint16)
    for bit, rule in enumerate(rules.constraints):
        column = table.column(rule.attribute)
        member = np.asarray(column.to_numpy(zero_copy_only=False), dtype=bool)
        cells |= member.astype(np.uint16) << np.uint16(bit)
    return cells
