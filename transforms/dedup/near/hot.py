"""Hot buckets: more documents share a band than can be compared pair by pair.

The first pass compares a hot bucket's first documents with each other and the rest
with the first. Where they are near-duplicates, as the copies of a boilerplate are,
nearly all are covered then: they have a verified neighbour with nothing before it
(`cover`). The second pass takes what is not covered (`thin`), ships its signatures to
the bucket and compares all of it there (`hot_pairs`); pairs that look alike are
verified as any others. So a hot bucket costs its size times the number of its kept
documents, not its size squared, and the selection over the edges of both passes is
the one over all of them: every removed document has a kept witness, and of two kept
documents none is the other's neighbour.

Three things can be left open, and are named rather than guessed (`rows.WHY_OPEN`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.dedup.near.candidates import Bands, distinct, may_remove, pair_rows, requests_of
from transforms.dedup.near.compare import agreement, read_rows, signature_matrix
from transforms.dedup.rows import COVERED, ESTIMATED, HOT, OPEN, WHY_OPEN, is_indexed, uint64
from transforms.kernels import njit
from transforms.records import PART_BITS

__all__ = ["cover", "hot_pairs", "thin"]

Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_WHOLE = 8192
"""Largest bucket whose signatures are all compared: 33 million comparisons."""
_REACH = 512
"""In a larger one, a document is compared with so many of the first, and of those
before it."""
_MOST = 64
"""Most pairs of one document in one bucket; the most alike are taken."""
_UNCOMPARED = WHY_OPEN.index("uncompared")
_LOST = WHY_OPEN.index("witness_lost")


def cover(partition: int, tables: Mapping[str, pa.Table]) -> Iterator[tuple[str, pa.Table]]:
    """Finds the documents with a verified neighbour that nothing comes before.

    Nothing can come before a neighbour that was compared with all before it in all its
    buckets: it is sure to be kept. One of the late may still meet what removes it.

    Args:
        partition: Not used.
        tables: `edges` (EDGE) by u, `beaten` (NODE), the documents that have an edge
            into them, and `late` (NODE), those not compared with all before them.

    Yields:
        `covered` (COVERED), each once per partition.
    """
    del partition
    u, v = uint64(tables["edges"], "u"), uint64(tables["edges"], "v")
    free = ~np.isin(u, uint64(tables["beaten"], "node"))
    sure = free & (is_indexed(u) | ~np.isin(u, uint64(tables["late"], "node")))
    node = np.unique(v[free])
    columns = [pa.array(node), pa.array(np.isin(node, v[sure]))]
    yield "covered", pa.table(columns, schema=COVERED)


def thin(
    partition: int, tables: Mapping[str, pa.Table], *, whole: int = _WHOLE
) -> Iterator[tuple[str, pa.Table]]:
    """Takes covered documents out of hot buckets and reads the signatures of the others.

    Who is surely covered goes. Who is covered by one that may itself go leaves only
    the buckets that are too large to be compared as a whole.

    Args:
        partition: Not used.
        tables: By part of staging: `crowd` (CROWD), `covered` (COVERED), `parts` (PART).
        whole: Largest bucket that is compared as a whole.

    Yields:
        `hot` (HOT), and as `open` (OPEN) those left out that are not surely covered:
        they are open if, in the end, they are kept.
    """
    del partition
    hot = tables["crowd"]
    node, covered = uint64(hot, "node"), tables["covered"]
    some, sure = uint64(covered, "node"), covered.column("sure").to_numpy()
    gone = np.isin(node, some[sure])
    risky = np.isin(node, some[~sure]) & ~gone & (hot.column("size").to_numpy() > whole)
    yield "open", _open(np.unique(node[risky]), _LOST)
    hot = hot.drop_columns(["size"]).filter(pa.array(~(gone | risky)))
    hot = hot.take(np.argsort(uint64(hot, "node"), kind="stable"))
    node = uint64(hot, "node")
    part = node >> np.uint64(PART_BITS)
    for file in tables["parts"].to_pylist():
        first, last = np.searchsorted(part, [file["part"], file["part"] + 1])
        if first == last:
            continue
        row = (node[first:last] & np.uint64((1 << PART_BITS) - 1)).astype(np.int64)
        for rows, read in read_rows(file, np.unique(row), ["doc_id", "signature"]):
            low, high = np.searchsorted(row, [rows[0], rows[-1] + 1])
            here = hot.slice(first + low, high - low)
            found = read.take(np.searchsorted(rows, row[low:high]))
            yield "hot", pa.table([*here.columns, *found.columns], schema=HOT)


def _open(node: npt.NDArray[np.uint64], why: int) -> pa.Table:
    columns = [pa.array(node), pa.array(np.full(len(node), why, dtype=np.int8))]
    return pa.table(columns, schema=OPEN)


@njit
def _grown(values: Index) -> Index:  # pragma: no cover - compiled
    longer = np.empty(2 * len(values), np.int64)
    longer[: len(values)] = values
    return longer


@njit
def _alike(
    signature: npt.NDArray[np.uint32],
    span: tuple[int, int, int, int],
    v: int,
    flags: tuple[Flags, Flags],
    least: int,
    best: Index,
    score: Index,
) -> tuple[int, bool]:  # pragma: no cover - compiled
    """The documents before v in its bucket that are most like it, and whether there are more."""
    count, full = 0, False
    first, head, tail, stop = span
    for u in range(first, stop):
        if head <= u < tail or not may_remove(u, v, flags[0], flags[1]):
            continue
        same = agreement(signature, u, v, least)
        if same < 0:
            continue
        at = count
        if count == len(best):
            full = True
            at = int(np.argmin(score))
            if score[at] >= same:
                continue
        else:
            count += 1
        best[at], score[at] = u, same
    return count, full


@njit
def _search(
    signature: npt.NDArray[np.uint32],
    starts: Index,
    stops: Index,
    flags: tuple[Flags, Flags],
    least: int,
    limits: tuple[int, int, int],
    short: Flags,
) -> tuple[Index, Index, Index]:  # pragma: no cover - compiled
    """Pairs (u, v) that agree in `least` values, and in how many; marks the cut short."""
    whole, reach, most = limits
    left, right, same = np.empty(1024, np.int64), np.empty(1024, np.int64), np.empty(1024, np.int64)
    best, score = np.empty(most, np.int64), np.empty(most, np.int64)
    filled = 0
    for bucket in range(len(starts)):
        start, stop = starts[bucket], stops[bucket]
        for v in range(start + 1, stop):
            if flags[0][v]:
                continue
            # Of a bucket that is too large, the middle between head and tail is passed over.
            head = v if stop - start <= whole else min(start + reach, v)
            tail = max(head, v - reach)
            count, full = _alike(signature, (start, head, tail, v), v, flags, least, best, score)
            short[v] = full or tail > head
            while filled + count > len(left):
                left, right, same = _grown(left), _grown(right), _grown(same)
            for k in range(count):
                left[filled], right[filled], same[filled] = best[k], v, score[k]
                filled += 1
    return left[:filled], right[:filled], same[:filled]


def hot_pairs(
    partition: int,
    tables: Mapping[str, pa.Table],
    *,
    least: float,
    limits: tuple[int, int, int] = (_WHOLE, _REACH, _MOST),
) -> Iterator[tuple[str, pa.Table]]:
    """Compares the signatures of what is left in hot buckets.

    Args:
        partition: The `dest` of the pairs.
        tables: `hot` (HOT), every bucket whole.
        least: Least estimated similarity of a pair.
        limits: Largest bucket that is compared as a whole; how far a document looks in
            a larger one; most pairs of a document.

    Yields:
        `pairs` (ESTIMATED), `requests` (REQUEST) for their shingle sets, and as `open`
        (OPEN) the documents that could not be compared with all of their bucket.
    """
    rows = tables["hot"]
    bands = Bands(rows)
    if not len(bands.order):
        return
    signature = signature_matrix(rows.column("signature").take(bands.order))
    size, short = signature.shape[1], np.zeros(len(bands.order), dtype=bool)
    left, right, same = _search(
        signature,
        bands.starts,
        bands.stops,
        bands.kinds(),
        math.ceil(least * size),
        limits,
        short,
    )
    once = distinct(bands, left, right)
    pairs = pair_rows(bands, left[once], right[once], partition)
    witness = rows.column("doc_id").take(bands.order[left[once]])
    columns = [*pairs.columns, pa.array(same[once] / size), witness]
    near = pa.table(columns, schema=ESTIMATED)
    yield "pairs", near
    yield "requests", requests_of(near, partition)
    yield "open", _open(np.unique(bands.node[short]), _UNCOMPARED)
