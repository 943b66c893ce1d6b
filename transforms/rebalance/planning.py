"""Making the plan from what there is; or refusing, with arithmetic."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

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
from transforms.rebalance.ease import eased
from transforms.rebalance.plan import TARGET_SLACK, Cell, Plan
from transforms.rebalance.preference import preferred
from transforms.rebalance.program import Stock
from transforms.rebalance.refusal import refuse
from transforms.rebalance.solve import allocate, largest_size, limits, repaired

__all__ = ["make_plan", "stock_of"]

_DECAY = 15.4
"""R* of Muennighoff et al., Scaling Data-Constrained Language Models, 2023, eq. 5."""


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
    slack = need // TARGET_SLACK if config.target else 0
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
        gaps = self._gaps(quotas, shares)
        cells = tuple(self._cell(stock, quotas[stock.cell], gaps) for stock in self.stocks)
        total, unique = sum(quotas.values()), 0
        for stratum, share in zip(self.strata, shares, strict=True):
            unique += min(stratum.unique, share)
        shards, notes = _shards(self.config, self.rules, cells, total)
        return Plan(
            config=self.config,
            groups=self.groups,
            cells=cells,
            languages=self._languages(shares),
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

    def _gaps(self, quotas: dict[int, int], shares: Sequence[int]) -> dict[int, int]:
        """By cell, the least size of the line between two appearances of a document."""
        gaps: dict[int, int] = {}
        for stratum, share in zip(self.strata, shares, strict=True):
            if share > stratum.unique:
                quota = quotas[stratum.cell]
                gap = quota * stratum.unique // share
                gaps[stratum.cell] = min(gaps.get(stratum.cell, quota), gap)
        return gaps

    def _languages(self, shares: Sequence[int]) -> dict[str, tuple[int, int, int]]:
        found: dict[str, tuple[int, int, int]] = {}
        for s, share in zip(self.strata, shares, strict=True):
            documents, unique, taken = found.get(s.lang, (0, 0, 0))
            found[s.lang] = (documents + s.documents, unique + s.unique, taken + share)
        return found

    def _cell(self, stock: Stock, quota: int, gaps: dict[int, int]) -> Cell:
        return Cell(
            stock.cell,
            self.rules.describe(stock.cell),
            stock.documents,
            stock.unique,
            stock.largest,
            stock.appearances,
            quota,
            gaps.get(stock.cell, quota),
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
