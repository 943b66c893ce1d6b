"""The order inside a shard: every stretch of it keeps the shares of the whole.

Cells are merged two by two along a tree whose levels are the rules. A merge takes
from the side that is behind its share of what has been taken. With shares r and
1 - r and no document above L, the surplus D of one side stays between -r L and
(1 - r) L while both last, and moves back to 0 once one has run out: over any
window it changes by at most L.

At the root that is the first floor, short by at most L. The second floor's surplus
is the sum of its surplus inside the two subsequences (L each) and of the first
surplus times the difference of its shares in them (at most L): 3 L together. Each
order of the floors gives such a tree; the best is kept. With three floors the same
argument gives 7 L at the deepest level, and more with more; tests measure that the best
tree stays below the promised (1 + floors) L on random and on hostile shards. Floors on
classes that do not overlap, such as languages, form a chain that adds at most L a level.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from transforms.kernels import njit
from transforms.rebalance.cells import Cells, Rules
from transforms.rebalance.windows import worst_window

__all__ = ["interleave"]

Longs = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int64]

_ALL_ORDERS = 3
"""Floors of which every order is tried: six of them."""


@njit
def _merge(first: Rows, second: Rows, sizes: Longs) -> Rows:
    total, weight = np.int64(0), np.int64(0)
    for row in second:
        total += sizes[row]
    for row in first:
        weight += sizes[row]
    total += weight
    scale = total
    while total >= (1 << 62) // scale:  # keeps the products below in 64 bits
        scale >>= 1
        weight >>= 1
    merged = np.empty(len(first) + len(second), dtype=np.int64)
    i, j, taken, passed = 0, 0, np.int64(0), np.int64(0)
    for at in range(len(merged)):
        behind = taken * scale <= weight * passed
        if i < len(first) and (behind or j == len(second)):
            merged[at] = first[i]
            taken += sizes[first[i]]
            i += 1
        else:
            merged[at] = second[j]
            j += 1
        passed += sizes[merged[at]]
    return merged


def _tree(rows: Rows, sizes: Longs, cells: Cells, bits: Sequence[int]) -> Rows:
    if not bits or len(rows) < 2:
        return rows
    inside = (cells[rows] >> np.uint32(bits[0])) & np.uint32(1) == 1
    first = _tree(rows[inside], sizes, cells, bits[1:])
    second = _tree(rows[~inside], sizes, cells, bits[1:])
    if not len(first) or not len(second):
        return first if len(first) else second
    return np.asarray(_merge(first, second, sizes), dtype=np.int64)


def interleave(sizes: Longs, cells: Cells, rules: Rules) -> Rows:
    """Orders documents so that no window is far short of any floor.

    Args:
        sizes: Of the documents, each cell's in the order to keep. Shape (n,).
        cells: Of the documents. Shape (n,).
        rules: The run's floors and caps.

    Returns:
        The rows in their new order. Shape (n,).
    """
    floors = range(len(rules.floors))
    caps = tuple(range(len(rules.floors), len(rules.constraints)))
    rows = np.arange(len(sizes), dtype=np.int64)
    best, least = rows, -1
    for order in _orders(len(floors)):
        tree = _tree(rows, sizes, cells, (*order, *caps))
        worst = _worst(sizes[tree], cells[tree], rules)
        if least < 0 or worst < least:
            best, least = tree, worst
    return best


def _orders(floors: int) -> Iterator[tuple[int, ...]]:
    """Orders of the floors to try: all of up to three, of more each one first once."""
    if floors <= _ALL_ORDERS:
        yield from itertools.permutations(range(floors))
    else:
        for first in range(floors):
            yield tuple((first + i) % floors for i in range(floors))


def _worst(sizes: Longs, cells: Cells, rules: Rules) -> int:
    return max(
        (
            worst_window(sizes, (cells >> np.uint32(bit)) & np.uint32(1) == 1, rule.share)[0]
            for bit, rule in enumerate(rules.floors)
        ),
        default=0,
    )
