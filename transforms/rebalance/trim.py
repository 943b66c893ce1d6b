"""The guard: takes out of a shard the least that makes every floor and cap hold."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transforms.errors import InfeasibleError
from transforms.kernels import njit
from transforms.rebalance.cells import Constraint, Rules
from transforms.rebalance.config import MILLION

__all__ = ["trim"]

Longs = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def trim(sizes: Longs, cells: npt.NDArray[np.uint16], last: Mask, rules: Rules) -> Mask:
    """Chooses documents to keep such that every rule holds, exactly.

    The rule that is furthest off is mended first, with documents that count against
    it: such as serve no floor, and only when these are used up others, of which only
    a last appearance may go; in both cases from the cells whose loss breaks other
    rules least. What is taken is the smallest single document that is
    enough, or the largest that are not too much and one more, whichever is less.

    Args:
        sizes: Of the shard's documents, in a canonical order. Shape (n,).
        cells: Their cells. Shape (n,).
        last: Whether a row is its document's last appearance. Shape (n,).
        rules: The run's floors and caps.

    Raises:
        InfeasibleError: If no documents are left that could be taken out.
    """
    keep = np.ones(len(sizes), dtype=np.bool_)
    held = {int(c): int(sizes[cells == c].sum()) for c in np.unique(cells)}
    protected = cells & np.uint16(rules.floor_bits) != 0
    while broken := rules.broken(held):
        rule, need = max(
            ((rule, _need(rule, inside, total)) for rule, inside, total in broken),
            key=lambda pair: pair[1],
        )
        against = keep & _against(cells, rule, rules)
        for candidates in (against & ~protected, against & protected & last):
            mildest = candidates & np.isin(cells, _mildest(cells[candidates], held, rules, need))
            chosen = _choose(sizes, mildest, need)
            if len(chosen):
                break
        if not len(chosen):
            raise InfeasibleError(
                f"{rule} cannot be met in a shard: nothing that may be taken out is left; "
                "use a larger --shard-size or a lower floor"
            )
        keep[chosen] = False
        for row in chosen.tolist():
            held[int(cells[row])] -= int(sizes[row])
    return keep


def _need(rule: Constraint, inside: int, total: int) -> int:
    """Size to take out of what counts against the rule, so that it holds."""
    weight = rule.share if rule.kind == "floor" else MILLION - rule.share
    return -(rule.slack(inside, total) // weight)


def _against(cells: npt.NDArray[np.uint16], rule: Constraint, rules: Rules) -> Mask:
    bit = np.uint16(rules.constraints.index(rule))
    member = (cells >> bit) & np.uint16(1) == 1
    return np.asarray(member if rule.kind == "cap" else ~member, dtype=np.bool_)


def _mildest(
    cells: npt.NDArray[np.uint16], held: dict[int, int], rules: Rules, need: int
) -> list[int]:
    """Of the cells of the candidates those that cost the other rules least.

    The cost of taking `need` out of a cell is what all rules then want out in turn.
    """
    costs = {}
    for cell in np.unique(cells).tolist():
        after = held | {cell: max(0, held[cell] - need)}
        costs[cell] = sum(_need(*broken) for broken in rules.broken(after))
    return [cell for cell, cost in costs.items() if cost == min(costs.values())]


def _choose(sizes: Longs, candidates: Mask, need: int) -> Longs:
    """Rows among the candidates whose sizes reach `need` with little to spare."""
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
