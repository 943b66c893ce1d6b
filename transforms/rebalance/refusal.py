"""Saying no with arithmetic: what there is, what is needed, and what would work."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import NoReturn

from transforms.errors import InfeasibleError
from transforms.rebalance.cells import Rules
from transforms.rebalance.config import MILLION, RebalanceConfig
from transforms.rebalance.solve import Limit, Stock, best_share, largest_size, limits

__all__ = ["refuse"]


def refuse(
    stocks: Sequence[Stock], rules: Rules, config: RebalanceConfig, need: int, feasible: int
) -> NoReturn:
    """Raises the `InfeasibleError` of a plan that cannot be had.

    Args:
        stocks: What there is.
        rules: The run's floors and caps.
        config: What was asked for.
        need: The size that was asked for, or stands for it.
        feasible: The largest size that the rules allow, below `need`.
    """
    why = "the target" if config.target else _default(stocks, config)
    binding = [limit for limit in limits(stocks, rules) if limit.size < need]
    reasons = [_reason(limit, config, need) for limit in binding] or [
        f"{', '.join(map(str, rules.constraints))} cannot be met together"
    ]
    reasons += _concentrated(stocks, rules, config, need)
    ways = [_largest(config, feasible), *_shares(stocks, rules, config, need)]
    ways += _repeat_cap(stocks, rules, config, need)
    raise InfeasibleError(
        f"no output of {need:,} {config.unit} ({why}) keeps every floor and cap: "
        f"{'; '.join(reasons)}. {'; '.join(ways)}."
    )


def _default(stocks: Sequence[Stock], config: RebalanceConfig) -> str:
    everything = sum(stock.unique for stock in stocks)
    return "one full shard" if everything >= config.shard_size else "all text there is"


def _reason(limit: Limit, config: RebalanceConfig, need: int) -> str:
    needed = -(-need * limit.share // MILLION)
    what = " and ".join(str(rule) for rule in limit.rules) or f"repeat cap {config.repeat_cap}"
    kinds = {rule.kind for rule in limit.rules}
    whose = {
        (): "all text",
        ("floor",): "text that serves it" if len(limit.rules) == 1 else "text that serves both",
        ("cap",): "text outside it" if len(limit.rules) == 1 else "text outside both",
    }.get(tuple(sorted(kinds)), "text that serves the floor outside the cap")
    if not limit.have:
        return f"{what}: no document is {whose}, and {needed:,} {config.unit} are needed"
    return (
        f"{what}: have {limit.have:,} {config.unit} of {whose} "
        f"({limit.unique:,} unique, up to {config.repeat_cap} appearances), need {needed:,}"
    )


def _concentrated(
    stocks: Sequence[Stock], rules: Rules, config: RebalanceConfig, need: int
) -> list[str]:
    """The rules on single sources and hosts, where without them there would be enough."""
    free = Rules(tuple(rule for rule in rules.constraints if not rule.within))
    named = ", ".join(str(rule) for rule in rules.constraints if rule.within)
    if not named or largest_size(stocks, rules) == (size := _without(stocks, rules, free)):
        return []
    return [f"{named}: without, {size:,} {config.unit} would be feasible (needed: {need:,})"]


def _without(stocks: Sequence[Stock], rules: Rules, free: Rules) -> int:
    """The largest feasible size where only the rules of `free` hold."""
    bits = [i for i, rule in enumerate(rules.constraints) if rule in free.constraints]
    moved = [
        dataclasses.replace(
            stock,
            cell=sum((stock.cell >> bit & 1) << at for at, bit in enumerate(bits))
            | (stock.cell >> rules.likely & 3) << free.likely,
        )
        for stock in stocks
    ]
    return largest_size(moved, free)


def _largest(config: RebalanceConfig, feasible: int) -> str:
    if not feasible:
        return "No size is feasible: lower or leave out the floor, or add such documents"
    return f"The largest feasible output is {feasible:,} {config.unit} (--target {feasible})"


def _shares(stocks: Sequence[Stock], rules: Rules, config: RebalanceConfig, need: int) -> list[str]:
    """The strictest share of each rule that alone would make `need` feasible."""
    ways = []
    for bit, rule in enumerate(rules.constraints):
        share = None if rule.within else best_share(stocks, rules, bit, need)
        if share is None:
            continue
        if rule.kind == "floor":
            nearest = math.floor(share * 10_000 - 1e-6) / 10_000
            if nearest * MILLION < rule.share:
                ways.append(
                    f"at {need:,} {config.unit} the largest feasible floor is "
                    f"{rule.attribute}={max(0.0, nearest):g}"
                )
        else:
            nearest = math.ceil(share * 10_000 + 1e-6) / 10_000
            if nearest * MILLION > rule.share:
                ways.append(
                    f"at {need:,} {config.unit} the smallest feasible cap is "
                    f"{rule.attribute}={min(1.0, nearest):g}"
                )
    return ways


def _repeat_cap(
    stocks: Sequence[Stock], rules: Rules, config: RebalanceConfig, need: int
) -> list[str]:
    """The least repeat cap, up to 100, that would do; repeats wear off after about four."""
    for cap in range(config.repeat_cap + 1, 101):
        more = [
            Stock(s.cell, s.documents, s.unique, s.largest, cap if rules.protected(s.cell) else 1)
            for s in stocks
        ]
        if largest_size(more, rules) >= need:
            return [f"or allow more repeats (--repeat-cap {cap})"]
    return []
