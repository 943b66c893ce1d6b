"""The guard: takes out of a shard the least that makes every floor and cap hold."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transforms.errors import InfeasibleError
from transforms.kernels import njit
from transforms.rebalance.cells import Cells, Rules

__all__ = ["trim"]

Longs = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def trim(sizes: Longs, cells: Cells, rules: Rules) -> Mask:
    """Chooses documents to keep such that every rule holds, exactly.

    The rule that is furthest off is mended first, with documents that count against
    it: such as serve no floor, and only when these are used up others; in both cases
    from the cells whose loss breaks other rules least. What is taken is the smallest
    single document that is enough, or the largest that are not too much and one more,
    whichever is less.

    Args:
        sizes: Of the shard's documents, in a canonical order. Shape (n,).
        cells: Their cells. Shape (n,).
        rules: The run's floors and caps.

    Raises:
        InfeasibleError: If no documents are left that could be taken out.
    """
    keep = np.ones(len(sizes), dtype=np.bool_)
    held = {int(c): int(sizes[cells == c].sum()) for c in np.unique(cells)}
    protected = cells & np.uint32(rules.floor_bits) != 0
    while broken := rules.broken(held):
        rule, slack = max(broken, key=lambda pair: rules.excess(*pair))
        harms = _harms(cells, rule, rules)
        for candidates in (keep & (harms > 0) & ~protected, keep & (harms > 0) & protected):
            mildest = candidates & np.isin(cells, _mildest(cells[candidates], held, rules, rule))
            chosen = _choose(sizes * harms, mildest, -slack)
            if len(chosen):
                break
        if not len(chosen):
            raise InfeasibleError(
                f"{rules.constraints[rule]} cannot be met in a shard: nothing that may be taken "
                "out is left; use a larger --shard-size or a lower floor"
            )
        keep[chosen] = False
        for row in chosen.tolist():
            held[int(cells[row])] -= int(sizes[row])
    return keep


def _harms(cells: Cells, rule: int, rules: Rules) -> Longs:
    """By how much a unit of each document harms a rule, in millionths; below 0 it helps."""
    harms = np.zeros(len(cells), dtype=np.int64)
    for cell in np.unique(cells).tolist():
        harms[cells == cell] = -rules.helps(rule, cell)
    return harms


def _mildest(cells: Cells, held: dict[int, int], rules: Rules, rule: int) -> list[int]:
    """Of the cells of the candidates those that cost the other rules least.

    The cost of taking out of a cell what mends the rule is what all rules then want out
    in turn.
    """
    costs = {}
    for cell in np.unique(cells).tolist():
        need = -(rules.slack(rule, held) // -rules.helps(rule, cell))
        after = held | {cell: max(0, held[cell] - need)}
        costs[cell] = sum(rules.excess(*broken) for broken in rules.broken(after))
    return [cell for cell, cost in costs.items() if cost == min(costs.values())]


def _choose(sizes: Longs, candidates: Mask, need: int) -> Longs:
    """Rows among the candidates whose weights reach `need` with little to spare."""
    rows = np.flatnonzero(candidates)
    # Among equals the latest in the canonical order goes first.
    rows = rows[np.lexsort((-rows, sizes[rows]))]
    ascending = sizes[rows]
    single = int(np.searchsorted(ascending, need))
    several = np.asarray(rows[_greedy(ascending, need)], dtype=np.int64)
    if single < len(rows) and int(sizes[several].sum()) >= int(ascending[single]):
        return rows[single : single + 1]
    return several


@njit
def _greedy(ascending: Longs, need: int) -> Longs:
    taken = np.zeros(len(ascending), dtype=np.bool_)
    rest = need
    for i in range(len(ascending) - 1, -1, -1):
        if ascending[i] <= rest:
            taken[i] = True
            rest -= ascending[i]
    if rest > 0:  # all that are left are larger than the rest
        for i in range(len(ascending)):
            if not taken[i]:
                taken[i] = True
                break
    return np.nonzero(taken)[0]
