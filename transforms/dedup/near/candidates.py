"""From band keys to candidate pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.dedup.rows import BAND, CROWD, NODE, PAIR, REQUEST, is_indexed, original, uint64
from transforms.kernels import Hashes, njit

__all__ = [
    "Bands",
    "band_rows",
    "bucket_pairs",
    "distinct",
    "may_remove",
    "pair_rows",
    "requests_of",
    "unique_pairs",
]

Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def band_rows(survivors: pa.RecordBatch) -> pa.RecordBatch:
    """One row of `BAND` per band of each document that has a signature.

    Args:
        survivors: With `node`, `hi`, `lo` and `bands`.
    """
    known = survivors.filter(survivors.column("bands").is_valid())
    bands = known.column("bands")
    keys = np.frombuffer(b"".join(bands.to_pylist()), dtype="<u8")
    each = len(keys) // len(bands) if len(bands) else 0
    repeated = [np.repeat(known.column(name).to_numpy(), each) for name in ("node", "hi", "lo")]
    return pa.record_batch([pa.array(column) for column in (keys, *repeated)], schema=BAND)


class Bands:
    """Rows of `BAND` of the buckets with two documents or more, in buckets.

    In a bucket, documents of the index come first, then the others in survivor order.

    Attributes:
        order: Rows of the table, bucket after bucket.
        starts, stops: Where each bucket lies in `order`.
        node, hi, lo: Of the rows, in `order`.
    """

    def __init__(self, rows: pa.Table) -> None:
        band, node = uint64(rows, "band"), uint64(rows, "node")
        hi, lo = uint64(rows, "hi"), uint64(rows, "lo")
        by_band = np.argsort(band, kind="stable")
        edge = np.flatnonzero(np.diff(band[by_band]) == 0)
        # Most buckets hold one document: leave those before the costly sort.
        shared = by_band[np.union1d(edge, edge + 1)]
        keys = [lo[shared], hi[shared], ~is_indexed(node[shared]), band[shared]]
        order = shared[np.lexsort(keys)]
        self.order: Index = order
        self.node, self.hi, self.lo = node[order], hi[order], lo[order]
        first = np.ones(len(order), dtype=bool)
        first[1:] = np.diff(band[order]) != 0
        self.starts: Index = np.flatnonzero(first)
        self.stops: Index = np.append(self.starts[1:], len(order))

    def kinds(self) -> tuple[Flags, Flags]:
        """Which rows are of the index, and which are originals."""
        return is_indexed(self.node), original(self.hi)


@njit
def may_remove(u: int, v: int, old: Flags, anchor: Flags) -> bool:  # pragma: no cover - compiled
    """Whether u, which comes first, may remove v.

    Nothing removes what is published, and of what is published only an original
    removes an original.
    """
    if old[v]:
        return False
    return not old[u] or anchor[u] or not anchor[v]


@njit
def _all_pairs(
    start: int, stop: int, old: Flags, anchor: Flags, left: Index, right: Index, count: int
) -> int:  # pragma: no cover - compiled
    for j in range(start + 1, stop):
        for i in range(start, j):
            if may_remove(i, j, old, anchor):
                left[count], right[count] = i, j
                count += 1
    return count


@njit
def _star(
    start: int, stop: int, old: Flags, anchor: Flags, left: Index, right: Index, count: int
) -> int:  # pragma: no cover - compiled
    """Pairs each document of a bucket with the first three that could remove it.

    Those are: the first of the index, its first original, the first that is new.
    """
    first_anchor, first_new = stop, stop
    for i in range(start, stop):
        if old[i] and anchor[i] and first_anchor == stop:
            first_anchor = i
        if not old[i]:
            first_new = i
            break
    for j in range(first_new, stop):
        if old[start] and start != first_anchor and may_remove(start, j, old, anchor):
            left[count], right[count] = start, j
            count += 1
        if first_anchor < stop:
            left[count], right[count] = first_anchor, j
            count += 1
        if j > first_new:
            left[count], right[count] = first_new, j
            count += 1
    return count


@njit
def _fill(
    starts: Index, stops: Index, most: int, old: Flags, anchor: Flags, left: Index, right: Index
) -> int:  # pragma: no cover - compiled
    count = np.int64(0)
    for bucket in range(len(starts)):
        start, stop = starts[bucket], stops[bucket]
        if stop - start <= most:
            count = _all_pairs(start, stop, old, anchor, left, right, count)
        else:
            count = _star(start, stop, old, anchor, left, right, count)
            count = _all_pairs(start, start + most, old, anchor, left, right, count)
    return int(count)


def _pairs(bands: Bands, most: int) -> tuple[Index, Index]:
    """Positions of the pairs of each bucket: all of a small one, a few of a hot one."""
    size = bands.stops - bands.starts
    head = np.minimum(size, most)
    total = int((head * (head - 1) // 2 + np.where(size <= most, 0, 3 * size)).sum())
    left, right = np.empty(total, np.int64), np.empty(total, np.int64)
    count = _fill(bands.starts, bands.stops, most, *bands.kinds(), left, right)
    return left[:count], right[:count]


def distinct(bands: Bands, left: Index, right: Index) -> Index:
    """Where each pair of documents stands first among pairs of positions."""
    u, v = bands.node[left], bands.node[right]
    order = np.lexsort((u, v))
    return np.asarray(order[_fresh(u[order], v[order])], dtype=np.int64)


def _fresh(u: Hashes, v: Hashes) -> Flags:
    """Where a pair differs from the one before it."""
    fresh = np.ones(len(u), dtype=bool)
    fresh[1:] = (u[1:] != u[:-1]) | (v[1:] != v[:-1])
    return fresh


def pair_rows(bands: Bands, u: Index, v: Index, dest: int) -> pa.Table:
    """Pairs of positions as rows of `PAIR`, to be compared at `dest`."""
    columns = [bands.node[u], bands.node[v], bands.hi[u], bands.lo[u], bands.hi[v], bands.lo[v]]
    columns.append(np.full(len(u), dest, dtype=np.uint32))
    return pa.table([pa.array(column) for column in columns], schema=PAIR)


def bucket_pairs(
    partition: int, tables: Mapping[str, pa.Table], *, most: int
) -> Iterator[tuple[str, pa.Table]]:
    """Pairs the documents that share a band key.

    A bucket of more than `most` documents is hot and not compared pair by pair: its
    first `most` are, and each other is paired with the first in survivor order. One
    million copies of a boilerplate cost a million pairs, and the best of them removes
    the others. What that leaves is compared in a second pass (`transforms.dedup.near.hot`).

    Args:
        partition: Not used.
        tables: `bands`: rows of `BAND`, every bucket whole, those of the index too.
        most: Largest bucket that is compared pair by pair.

    Yields:
        `pairs` (PAIR), each once per partition, and of hot buckets `crowd` (CROWD),
        their rows, and `late` (NODE), those not compared with all before them.
    """
    del partition
    rows = tables["bands"]
    bands = Bands(rows)
    if not len(bands.order):
        return
    left, right = _pairs(bands, most)
    once = distinct(bands, left, right)
    yield "pairs", pair_rows(bands, left[once], right[once], dest=0)
    size = bands.stops - bands.starts
    rank = np.arange(len(bands.order)) - np.repeat(bands.starts, size)
    of = np.repeat(size, size)
    crowd = of > most
    hot = rows.take(bands.order[crowd]).append_column("size", pa.array(of[crowd]))
    yield "crowd", hot.cast(CROWD)
    late = np.unique(bands.node[crowd & (rank >= most)])
    yield "late", pa.table([pa.array(late)], schema=NODE)


def unique_pairs(partition: int, tables: Mapping[str, pa.Table]) -> Iterator[tuple[str, pa.Table]]:
    """Keeps each pair once and says which vectors are needed to compare the pairs.

    Args:
        partition: Where the pairs will be compared: their `dest`.
        tables: `pairs` (PAIR), partitioned by `v`.

    Yields:
        `pairs` (PAIR) with `dest` set, and `requests` (REQUEST).
    """
    pairs = tables["pairs"]
    u, v = uint64(pairs, "u"), uint64(pairs, "v")
    order = np.lexsort((u, v))
    fresh = _fresh(u[order], v[order])
    dest = pa.array(np.full(int(fresh.sum()), partition, dtype=np.uint32))
    once = pairs.take(order[fresh])
    once = once.set_column(once.schema.get_field_index("dest"), PAIR.field("dest"), dest)
    yield "pairs", once
    yield "requests", requests_of(once, partition)


def requests_of(pairs: pa.Table, dest: int) -> pa.Table:
    """The nodes of some pairs, each once, wanted at `dest` (REQUEST)."""
    nodes = np.unique(np.concatenate([uint64(pairs, "u"), uint64(pairs, "v")]))
    return pa.table(
        [pa.array(nodes), pa.array(np.full(len(nodes), dest, dtype=np.uint32))], schema=REQUEST
    )
