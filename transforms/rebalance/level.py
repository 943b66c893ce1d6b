"""Sharing sizes out evenly: water for sand, longest processing time for boulders."""

from __future__ import annotations

import heapq

import numpy as np
import numpy.typing as npt

__all__ = ["deal_boulders", "proportional", "water_fill"]

Longs = npt.NDArray[np.int64]


def water_fill(base: Longs, quantity: int, bound: Longs | None = None) -> Longs:
    """Pours `quantity` so that the lowest of `base` rise to one level.

    Args:
        base: Level of each vessel before; may be negative. Shape (n,).
        quantity: Size units to pour, all of which are poured if the bounds allow.
        bound: Most that a vessel takes. Shape (n,).

    Returns:
        What each vessel gets, at least 0. The first vessels get odd units.
    """
    most = np.full(len(base), quantity, dtype=np.int64)
    if bound is not None:
        most = np.clip(bound, 0, quantity)
    quantity = min(quantity, int(most.sum()) if bound is not None else quantity)
    low, high = int(base.min()), int(base.max()) + quantity
    while low < high:  # the highest level that does not need more than there is
        middle = (low + high + 1) // 2
        if sum(np.clip(middle - base, 0, most).tolist()) <= quantity:
            low = middle
        else:
            high = middle - 1
    poured = np.clip(low - base, 0, most)
    odd = np.flatnonzero((poured < most) & (base <= low))[: quantity - int(poured.sum())]
    poured[odd] += 1
    return np.asarray(poured, dtype=np.int64)


def proportional(weights: Longs, quantity: int) -> Longs:
    """Splits `quantity` in proportion to `weights`, exactly, by cumulative rounding."""
    total = sum(weights.tolist())
    if not total:
        weights, total = np.ones_like(weights), len(weights)
    ends, passed = [], 0
    for weight in weights.tolist():
        passed += weight
        ends.append(quantity * passed // total)
    cumulative = np.array([0, *ends], dtype=np.int64)
    return cumulative[1:] - cumulative[:-1]


def deal_boulders(sizes: Longs, documents: Longs, level: Longs, room: Longs) -> Longs:
    """Deals large documents one by one, each to the shard with the lowest level.

    Args:
        sizes: Of the documents, largest first. Shape (rows,).
        documents: A number per document; its appearances stand side by side.
        level: Of each shard, before; updated in place. Shape (shards,).
        room: What each shard can still take; updated in place.

    Returns:
        The shard of each row, -1 where no shard has room. Appearances of one
        document go to different shards while there are any.
    """
    heap = [(height, shard) for shard, height in enumerate(level.tolist())]
    heapq.heapify(heap)
    dealt = np.full(len(sizes), -1, dtype=np.int64)
    aside: list[int] = []
    document = -1
    for row, (size, owner) in enumerate(zip(sizes.tolist(), documents.tolist(), strict=True)):
        if owner != document or not heap:
            document = owner
            for shard in aside:
                heapq.heappush(heap, (int(level[shard]), shard))
            aside = []
        shard = _with_room(heap, room, size)
        if shard >= 0:
            dealt[row] = shard
            level[shard] += size
            room[shard] -= size
            aside.append(shard)
    return dealt


def _with_room(heap: list[tuple[int, int]], room: Longs, size: int) -> int:
    """Takes the lowest shard that has room off the heap; -1 if there is none."""
    if room[heap[0][1]] >= size:
        return heapq.heappop(heap)[1]
    fitting = [entry for entry in heap if room[entry[1]] >= size]
    if not fitting:
        return -1
    lowest = min(fitting)
    heap.remove(lowest)
    heapq.heapify(heap)
    return lowest[1]
