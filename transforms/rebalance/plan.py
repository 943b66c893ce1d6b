"""The plan: sizes per cell and stratum, number of shards, and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import orjson

from transforms.rebalance.allocation import (
    Stratum,
)
from transforms.rebalance.cells import Group, Rules
from transforms.rebalance.config import RebalanceConfig
from transforms.rebalance.ease import BOULDER

__all__ = ["TARGET_SLACK", "Cell", "Plan"]

TARGET_SLACK = 200
"""An output may fall short of its target by one part in so many."""


@dataclasses.dataclass(frozen=True)
class Cell:
    """What the plan takes of one cell.

    Attributes:
        cell: Bit mask over the rules.
        name: The attributes that it stands for.
        documents: Documents there are.
        unique: Their size.
        largest: Size of the largest.
        appearances: Most appearances of one document.
        quota: Size to publish, repeats included.
        spacing: Size of the line between two appearances of the document that has most.
    """

    cell: int
    name: str
    documents: int
    unique: int
    largest: int
    appearances: int
    quota: int
    spacing: int


@dataclasses.dataclass(frozen=True)
class Plan:
    """What to publish, before whole documents round it.

    Attributes:
        config: What was asked for.
        groups: Sources and hosts whose share of an attribute's text is capped.
        cells: What is taken of each cell, by mask.
        languages: By label, documents and size there are, and the size to publish.
        strata: Every stratum of the run, in the order of its keys; only where it is made.
        quotas: What is taken of each of them.
        shards: Number of shards.
        total: Size to publish, repeats included.
        unique: Size of the distinct text in it.
        repeats: Size of second and later appearances.
        effective: Unique text that `total` is worth to a model trained on it:
            per cell U + U R* (1 - exp(-R / R*)) with R the mean number of repeats.
        feasible: The largest size that the floors and caps allow.
        binding: What keeps the output from being larger or from being all text.
        notes: What a reader should know besides.
    """

    config: RebalanceConfig
    groups: tuple[Group, ...]
    cells: tuple[Cell, ...]
    languages: Mapping[str, tuple[int, int, int]]
    strata: tuple[Stratum, ...]
    quotas: tuple[int, ...]
    shards: int
    total: int
    unique: int
    repeats: int
    effective: int
    feasible: int
    binding: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def rules(self) -> Rules:
        """The floors and caps in the order of a cell's bits."""
        return Rules.of(self.config, self.groups)

    @property
    def boulder(self) -> int:
        """Documents larger than this are dealt to shards one by one."""
        return max(1, self.total // self.shards // BOULDER)

    @property
    def least(self) -> int:
        """The least size that may be published: 0 without a target.

        One part in 200 below the target, or four mean documents a shard where
        shards have so few documents that whole ones cannot come nearer.
        """
        if self.config.target is None:
            return 0
        mean = sum(c.unique for c in self.cells) // max(1, sum(c.documents for c in self.cells))
        slack = max(self.config.target // TARGET_SLACK, 4 * self.shards * mean)
        return max(0, self.config.target - slack)

    def cell(self, mask: int) -> Cell:
        """The entry of one cell."""
        return next(cell for cell in self.cells if cell.cell == mask)

    def told(self) -> dict[str, Any]:
        """The plan as JSON can hold it, but for its strata, of which there may be very many."""
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        fields["config"] = self.config.model_dump(mode="json")
        fields["cells"] = [dataclasses.asdict(cell) for cell in self.cells]
        fields["groups"] = [dataclasses.asdict(group) for group in self.groups]
        fields["languages"] = {lang: list(sums) for lang, sums in self.languages.items()}
        for name in ("strata", "quotas"):
            fields.pop(name)
        return fields

    def to_json(self) -> str:
        """What `told` says, for workers and people; the same plan gives the same bytes."""
        return orjson.dumps(self.told(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Reads what `to_json` wrote: a plan without strata."""
        fields: dict[str, Any] = orjson.loads(text)
        fields["config"] = RebalanceConfig(**fields["config"])
        fields["cells"] = tuple(Cell(**cell) for cell in fields["cells"])
        fields["groups"] = tuple(Group(**group) for group in fields["groups"])
        fields["languages"] = {lang: tuple(sums) for lang, sums in fields["languages"].items()}
        fields["binding"], fields["notes"] = tuple(fields["binding"]), tuple(fields["notes"])
        return cls(strata=(), quotas=(), **fields)
