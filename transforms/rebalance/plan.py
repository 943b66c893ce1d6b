"""The plan: sizes per cell, number of shards, and why; or a refusal with arithmetic."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.errors import InfeasibleError
from transforms.rebalance.cells import Rules
from transforms.rebalance.config import MILLION, RebalanceConfig
from transforms.rebalance.ease import BOULDER, eased
from transforms.rebalance.refusal import refuse
from transforms.rebalance.solve import Stock, allocate, largest_size, limits

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
    """

    cell: int
    name: str
    documents: int
    unique: int
    largest: int
    appearances: int
    quota: int

    @property
    def whole(self) -> bool:
        """Whether every allowed appearance is published."""
        return self.quota >= self.unique * self.appearances


@dataclasses.dataclass(frozen=True)
class Plan:
    """What to publish, before whole documents round it.

    Attributes:
        config: What was asked for.
        cells: What is taken of each cell, by mask.
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
    cells: tuple[Cell, ...]
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
        return Rules.of(self.config)

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

    def to_json(self) -> str:
        """A file for people and for `from_json`; the same plan gives the same bytes."""
        fields = dataclasses.asdict(self)
        fields["config"] = self.config.model_dump(mode="json")
        return json.dumps(fields, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """Reads what `to_json` wrote."""
        fields: dict[str, Any] = json.loads(text)
        fields["config"] = RebalanceConfig(**fields["config"])
        fields["cells"] = tuple(Cell(**cell) for cell in fields["cells"])
        fields["binding"], fields["notes"] = tuple(fields["binding"]), tuple(fields["notes"])
        return cls(**fields)


def stock_of(strata: pa.Table, config: RebalanceConfig) -> tuple[Stock, ...]:
    """Sums strata rows (`ranks.STRATA`, any order) up per cell, by mask."""
    rules = Rules.of(config)
    masks = strata.column("cell").to_numpy()
    columns = {name: strata.column(name).to_numpy() for name in ("documents", "size", "largest")}
    return tuple(
        Stock(
            int(mask),
            int(columns["documents"][masks == mask].sum()),
            int(columns["size"][masks == mask].sum()),
            int(columns["largest"][masks == mask].max()),
            config.repeat_cap if rules.protected(int(mask)) else 1,
        )
        for mask in np.unique(masks)
    )


def make_plan(strata: pa.Table, config: RebalanceConfig) -> Plan:
    """Plans the output from the summary of all strata.

    Args:
        strata: Rows of `ranks.STRATA` of all partitions, in any order.
        config: Floors, caps and sizes.

    Raises:
        InfeasibleError: If floors and caps cannot be met at the target; without a
            target, in one full shard, or in all text there is when that is less.
    """
    stocks, rules = stock_of(strata, config), Rules.of(config)
    everything = sum(stock.unique for stock in stocks)
    if not everything:
        raise InfeasibleError("nothing is left to publish: the corpus has no documents")
    feasible = largest_size(stocks, rules)
    need = config.target or min(config.shard_size, everything)
    slack = need // _TARGET_SLACK if config.target else 0
    if feasible < max(1, need - slack):
        refuse(stocks, config, need, feasible)
    low, high = min(need, feasible), config.target or feasible
    if config.target:
        low = high = _below(stocks, rules, min(high, feasible))
    quotas = eased(config, stocks, allocate(stocks, rules, low, high))
    return _plan(config, stocks, quotas, feasible)


def _below(stocks: Sequence[Stock], rules: Rules, target: int) -> int:
    """The target less what the last document of each protected line may overshoot."""
    protected = [stock for stock in stocks if rules.protected(stock.cell)]
    # Their quotas are rounded up, too.
    overshoot = sum(stock.largest + 1 + (target >> 25) for stock in protected)
    return max(1, target - min(overshoot, target >> 10))


def _plan(
    config: RebalanceConfig, stocks: Sequence[Stock], quotas: dict[int, int], feasible: int
) -> Plan:
    rules = Rules.of(config)
    total = sum(quotas.values())
    cells = tuple(
        Cell(
            stock.cell,
            rules.describe(stock.cell),
            stock.documents,
            stock.unique,
            stock.largest,
            stock.appearances,
            quotas[stock.cell],
        )
        for stock in stocks
    )
    unique = sum(min(cell.quota, cell.unique) for cell in cells)
    shards, notes = _shards(config, rules, cells, total)
    return Plan(
        config=config,
        cells=cells,
        shards=shards,
        total=total,
        unique=unique,
        repeats=total - unique,
        effective=round(math.fsum(_effective(cell) for cell in cells)),
        feasible=feasible,
        binding=_binding(config, stocks, quotas, feasible),
        notes=notes,
    )


def _effective(cell: Cell) -> float:
    unique = min(cell.quota, cell.unique)
    repeats = cell.quota / unique - 1 if unique else 0.0
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


def _binding(
    config: RebalanceConfig, stocks: Sequence[Stock], quotas: dict[int, int], feasible: int
) -> tuple[str, ...]:
    """What keeps the output from being larger, or from being all text."""
    rules = Rules.of(config)
    total = sum(quotas.values())
    if all(quotas[stock.cell] == stock.unique for stock in stocks):
        return ("all text is used",)
    names = [
        " and ".join(str(rule) for rule in limit.rules) or f"repeat cap {config.repeat_cap}"
        for limit in limits(stocks, rules)
        if limit.size <= feasible and total > feasible - (feasible >> 10)
    ]
    if config.target is not None:
        names.insert(0, f"target {config.target}")
    elif any(quotas[stock.cell] < stock.unique for stock in stocks) and not names:
        names = _tightest(rules, quotas, total)
    return tuple(names) or ("all text is used",)


def _tightest(rules: Rules, quotas: dict[int, int], total: int) -> list[str]:
    """The floors and caps that are met with no more than a fiftieth of the output to spare."""
    slacks = {
        str(rule): rule.slack(sum(q for c, q in quotas.items() if c >> bit & 1), total)
        for bit, rule in enumerate(rules.constraints)
    }
    most = max(total * (MILLION // 50), min(slacks.values(), default=0))
    return [name for name, slack in slacks.items() if slack <= most]
