"""A little more of protected text than the arithmetic needs, for whole documents' sake."""

from __future__ import annotations

from collections.abc import Sequence

from transforms.rebalance.cells import Rules
from transforms.rebalance.config import MILLION, RebalanceConfig
from transforms.rebalance.program import Stock

__all__ = ["BOULDER", "eased"]

BOULDER = 512
"""A document above this part of a shard is dealt by itself, not with the line."""


def eased(
    config: RebalanceConfig, rules: Rules, stocks: Sequence[Stock], quotas: dict[int, int]
) -> dict[int, int]:
    """Gives a floor that is just met two mean documents a shard more, if there are any.

    Whole documents leave shards unevenly short of several tight floors, and without
    this ease more of other text, seen once, would make way for it. The total grows
    by it where target and floors let it; else unprotected text gives way.
    """
    more = dict(quotas)
    if len(rules.floors) < 2:
        return quotas
    for bit in range(len(rules.floors)):
        serving = [s for s in stocks if s.cell >> bit & 1 and s.cell <= rules.floor_bits]
        if serving:
            stock = max(serving, key=lambda s: (s.most - quotas[s.cell], -s.cell))
            ease = _ease(config, rules, bit, stock, quotas)
            more[stock.cell] = max(more[stock.cell], quotas[stock.cell] + ease)
    lowered = _lower(more, rules, sum(more.values()) - sum(quotas.values()))
    for choice in (more, lowered) if config.target is None else (lowered,):
        if choice and not rules.broken(choice):
            return choice
    return quotas


def _ease(
    config: RebalanceConfig, rules: Rules, bit: int, stock: Stock, quotas: dict[int, int]
) -> int:
    total = sum(quotas.values())
    shards = -(-total // config.shard_size)
    more = shards * min(2 * stock.unique // stock.documents, total // shards // BOULDER)
    more -= max(0, rules.slack(bit, quotas)) // MILLION
    return max(0, min(more, stock.most - quotas[stock.cell]))


def _lower(quotas: dict[int, int], rules: Rules, size: int) -> dict[int, int]:
    """The quotas with `size` taken out of unprotected cells, in proportion, if it can be."""
    others = [cell for cell in quotas if not rules.protected(cell)]
    total = sum(quotas[cell] for cell in others)
    if size > total:
        return {}
    return quotas | {c: quotas[c] - -(-quotas[c] * size // max(1, total)) for c in others}
