"""The plan: sizes per cell, number of shards, and why; or a refusal with arithmetic."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from transforms.errors import InfeasibleError
from transforms.rebalance.allocation import (
    Key,
    Stratum,
    language_weights,
    strata_of,
    stratum_quotas,
)
from transforms.rebalance.cells import Group, Rules
from transforms.rebalance.config import MILLION, RebalanceConfig
from transforms.rebalance.ease import BOULDER, eased
from transforms.rebalance.preference import preferred
from transforms.rebalance.program import Stock
from transforms.rebalance.refusal import refuse
from transforms.rebalance.solve import allocate, largest_size, limits, repaired

__all__ = ["Cell", "Plan", "make_plan", "stock_of"]

_DECAY = 15.4
"""R* of Muennighoff et al., Scaling Data-Constrained Language Models, 2023, eq. 5."""

_TARGET_SLACK = 200
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
        slack = max(self.config.target // _TARGET_SLACK, 4 * self.shards * mean)
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


def stock_of(
    strata: Sequence[Stratum], config: RebalanceConfig, groups: Sequence[Group] = ()
) -> tuple[Stock, ...]:
    """Sums strata up per cell, by mask."""
    rules = Rules.of(config, groups)
    cells: dict[int, list[Stratum]] = {}
    for stratum in strata:
        cells.setdefault(stratum.cell, []).append(stratum)
    return tuple(
        Stock(
            cell,
            sum(stratum.documents for stratum in some),
            sum(stratum.unique for stratum in some),
            max(stratum.largest for stratum in some),
            config.repeat_cap if rules.protected(cell) else 1,
        )
        for cell, some in sorted(cells.items())
    )


def make_plan(strata: pa.Table, config: RebalanceConfig, groups: tuple[Group, ...] = ()) -> Plan:
    """Plans the output from the summary of all strata.

    Args:
        strata: Rows of `ranks.STRATA` of all partitions, in any order.
        config: Floors, caps and sizes.
        groups: Sources and hosts whose share of an attribute's text is capped.

    Raises:
        InfeasibleError: If floors and caps cannot be met at the target; without a
            target, in one full shard, or in all text there is when that is less.
    """
    parts, rules = strata_of(strata), Rules.of(config, groups)
    stocks = stock_of(parts, config, groups)
    everything = sum(stock.unique for stock in stocks)
    if not everything:
        raise InfeasibleError("nothing is left to publish: the corpus has no documents")
    feasible = largest_size(stocks, rules)
    need = config.target or min(config.shard_size, everything)
    slack = need // _TARGET_SLACK if config.target else 0
    if feasible < max(1, need - slack):
        refuse(stocks, rules, config, need, feasible)
    low, high = min(need, feasible), config.target or feasible
    if config.target:
        low = high = _below(stocks, rules, min(high, feasible))
    quotas = eased(config, rules, stocks, allocate(stocks, rules, low, high))
    return _Made(config, groups, parts, stocks, feasible).plan(quotas)


def _below(stocks: Sequence[Stock], rules: Rules, target: int) -> int:
    """The target less what the last document of each protected line may overshoot."""
    protected = [stock for stock in stocks if rules.protected(stock.cell)]
    # Their quotas are rounded up, too.
    overshoot = sum(stock.largest + 1 + (target >> 25) for stock in protected)
    return max(1, target - min(overshoot, target >> 10))


@dataclasses.dataclass(frozen=True)
class _Made:
    """What a plan is made of."""

    config: RebalanceConfig
    groups: tuple[Group, ...]
    strata: tuple[Stratum, ...]
    stocks: tuple[Stock, ...]
    feasible: int

    @property
    def rules(self) -> Rules:
        return Rules.of(self.config, self.groups)

    def plan(self, quotas: dict[int, int]) -> Plan:
        """The plan that publishes so much of each cell, shared out among strata."""
        quotas, shares = self._shared(quotas)
        cells = tuple(self._cell(stock, quotas[stock.cell], shares) for stock in self.stocks)
        total, unique = sum(quotas.values()), 0
        for stratum, share in zip(self.strata, shares, strict=True):
            unique += min(stratum.unique, share)
        shards, notes = _shards(self.config, self.rules, cells, total)
        return Plan(
            config=self.config,
            groups=self.groups,
            cells=cells,
            strata=self.strata,
            quotas=shares,
            shards=shards,
            total=total,
            unique=unique,
            repeats=total - unique,
            effective=round(math.fsum(map(_effective, self.strata, shares))),
            feasible=self.feasible,
            binding=_binding(self, quotas),
            notes=notes,
        )

    def _shared(self, quotas: dict[int, int]) -> tuple[dict[int, int], tuple[int, ...]]:
        weights = language_weights(self.strata, self.config)
        most = {stock.cell: stock.appearances for stock in self.stocks}
        if self.config.objective == "unique":
            return quotas, stratum_quotas(self.strata, quotas, weights, most)
        sizes = preferred(self.strata, weights, most, self.rules, sum(quotas.values()))
        sums = {cell: sum(s for key, s in sizes.items() if key[0] == cell) for cell in quotas}
        quotas = repaired(sums, self.rules)
        weighed: dict[Key, int] = {key: max(1, size) for key, size in sizes.items()}
        return quotas, stratum_quotas(self.strata, quotas, weighed, most, whole_first=False)

    def _cell(self, stock: Stock, quota: int, shares: Sequence[int]) -> Cell:
        here = zip(self.strata, shares, strict=True)
        gaps = [quota * s.unique // x for s, x in here if s.cell == stock.cell and x > s.unique]
        return Cell(
            stock.cell,
            self.rules.describe(stock.cell),
            stock.documents,
            stock.unique,
            stock.largest,
            stock.appearances,
            quota,
            min(gaps, default=quota),
        )


def _effective(stratum: Stratum, share: int) -> float:
    unique = min(share, stratum.unique)
    repeats = share / unique - 1 if unique else 0.0
    return unique + unique * _DECAY * (1 - math.exp(-repeats / _DECAY))


def _shards(
    config: RebalanceConfig, rules: Rules, cells: Sequence[Cell], total: int
) -> tuple[int, tuple[str, ...]]:
    """As many as the total fills, but no more than each floor has documents to serve."""
    wanted = -(-total // config.shard_size)
    shards, notes = wanted, []
    for bit, rule in enumerate(rules.floors):
        serving = [cell for cell in cells if cell.cell >> bit & 1 and cell.unique]
        served = sum(-(-cell.documents * cell.quota // cell.unique) for cell in serving)
        if served < wanted:
            notes.append(
                f"{rule} has {served} documents, repeats counted, so that {wanted} shards "
                f"of {config.shard_size} {config.unit} became {min(shards, served)}"
            )
        shards = max(1, min(shards, served))
    return shards, tuple(notes)


def _binding(made: _Made, quotas: dict[int, int]) -> tuple[str, ...]:
    """What keeps the output from being larger, or from being all text."""
    config, stocks, total = made.config, made.stocks, sum(quotas.values())
    if all(quotas[stock.cell] == stock.unique for stock in stocks):
        return ("all text is used",)
    names = [
        " and ".join(str(rule) for rule in limit.rules) or f"repeat cap {config.repeat_cap}"
        for limit in limits(stocks, made.rules)
        if limit.size <= made.feasible and total > made.feasible - (made.feasible >> 10)
    ]
    if config.target is not None:
        names.insert(0, f"target {config.target}")
    elif any(quotas[stock.cell] < stock.unique for stock in stocks) and not names:
        names = _tightest(made.rules, quotas, total)
    return tuple(names) or ("all text is used",)


def _tightest(rules: Rules, quotas: dict[int, int], total: int) -> list[str]:
    """The floors and caps that are met with no more than a fiftieth of the output to spare."""
    slacks = {str(r): rules.slack(i, quotas) for i, r in enumerate(rules.constraints)}
    most = max(total * (MILLION // 50), min(slacks.values(), default=0))
    return [name for name, slack in slacks.items() if slack <= most]
