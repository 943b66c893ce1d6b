"""The plan: sizes per cell and stratum, number of shards, and why."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

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
        strata: Every stratum of the run, in the order of its keys.
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
        """What a manifest says of the plan: all but the strata, which are summed up.

        `languages` has, by label, documents and size there are, and the size published.
        """
        fields = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        fields["config"] = self.config.model_dump(mode="json")
        fields["cells"] = [dataclasses.asdict(cell) for cell in self.cells]
        fields["groups"] = [dataclasses.asdict(group) for group in self.groups]
        strata, quotas = fields.pop("strata"), fields.pop("quotas")
        languages: dict[str, list[int]] = {}
        for stratum, quota in zip(strata, quotas, strict=True):
            sums = languages.setdefault(stratum.lang, [0, 0, 0])
            for i, more in enumerate((stratum.documents, stratum.unique, quota)):
                sums[i] += more
        return fields | {"languages": languages}

    def to_json(self) -> str:
        """A file for people and for `from_json`; the same plan gives the same bytes."""
        rows = zip(self.strata, self.quotas, strict=True)
        strata = [[*dataclasses.astuple(stratum), quota] for stratum, quota in rows]
        fields = self.told() | {"strata": strata}
        return json.dumps(fields, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Reads what `to_json` wrote."""
        fields: dict[str, Any] = json.loads(text)
        fields.pop("languages")
        fields["config"] = RebalanceConfig(**fields["config"])
        fields["cells"] = tuple(Cell(**cell) for cell in fields["cells"])
        fields["groups"] = tuple(Group(**group) for group in fields["groups"])
        fields["quotas"] = tuple(row[-1] for row in fields["strata"])
        fields["strata"] = tuple(Stratum(*row[:-1]) for row in fields["strata"])
        fields["binding"], fields["notes"] = tuple(fields["binding"]), tuple(fields["notes"])
        return cls(**fields)
