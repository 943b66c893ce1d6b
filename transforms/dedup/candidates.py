"""From band keys to candidate pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.dedup.rows import BAND, PAIR, REQUEST, uint64
from transforms.kernels import njit

__all__ = ["band_rows", "bucket_pairs", "requests_of", "unique_pairs"]

Index = npt.NDArray[np.int64]


def band_rows(survivors: pa.RecordBatch) -> pa.RecordBatch:
    """One row of `BAND` per band of each survivor that has a signature."""
    known = survivors.filter(survivors.column("bands").is_valid())
    bands = known.column("bands")
    keys = np.frombuffer(b"".join(bands.to_pylist()), dtype="<u8")
    each = len(keys) // len(bands) if len(bands) else 0
    repeated = [np.repeat(known.column(name).to_numpy(), each) for name in ("node", "hi", "lo")]
    return pa.record_batch([pa.array(column) for column in (keys, *repeated)], schema=BAND)


@njit
def _fill(
    starts: Index, stops: Index, most: int, left: Index, right: Index
) -> None:  # pragma: no cover - compiled
    count = 0
    for bucket in range(len(starts)):
        start, stop = starts[bucket], stops[bucket]
        for j in range(start + 1, stop):
            if stop - start <= most:
                for i in range(start, j):
                    left[count], right[count] = i, j
                    count += 1
            else:
                left[count], right[count] = start, j
                count += 1
                if j > start + 1:
                    left[count], right[count] = j - 1, j
                    count += 1


def _pairs(starts: Index, stops: Index, most: int) -> tuple[Index, Index]:
    """Positions of the pairs of each bucket: all of a small one, a few of a hot one."""
    size = stops - starts
    total = int(np.where(size <= most, size * (size - 1) // 2, 2 * size - 3).sum())
    left, right = np.empty(total, np.int64), np.empty(total, np.int64)
    _fill(starts, stops, most, left, right)
    return left, right


def bucket_pairs(
    partition: int, tables: Mapping[str, pa.Table], *, most: int
) -> Iterator[tuple[str, pa.Table]]:
    """Pairs the documents that share a band key.

    A bucket of more than `most` documents is not compared pair by pair: each member
    is paired with the bucket's best in survivor order, and with the one before it.
    One million copies of a boilerplate cost two million pairs, and the best of them
    removes the others.

    Args:
        partition: Not used.
        tables: `bands`: rows of `BAND`, every bucket whole.
        most: Largest bucket that is compared pair by pair.

    Yields:
        `pairs` (PAIR), each once per partition.
    """
    del partition
    rows = tables["bands"]
    band, node = uint64(rows, "band"), uint64(rows, "node")
    hi, lo = uint64(rows, "hi"), uint64(rows, "lo")
    by_band = np.argsort(band, kind="stable")
    edge = np.flatnonzero(np.diff(band[by_band]) == 0)
    if not len(edge):
        return
    # Most buckets hold one document: leave those before the costly sort.
    shared = by_band[np.union1d(edge, edge + 1)]
    order = shared[np.lexsort((lo[shared], hi[shared], band[shared]))]
    bounds = np.flatnonzero(np.diff(band[order], prepend=~band[order[0]]))
    left, right = _pairs(bounds, np.append(bounds[1:], len(order)), most)
    _, once = np.unique(
        np.stack([node[order[left]], node[order[right]]], axis=1).view("u8,u8").ravel(),
        return_index=True,
    )
    u, v = order[left[once]], order[right[once]]
    columns = [node[u], node[v], hi[u], lo[u], hi[v], lo[v], np.zeros(len(u), np.uint32)]
    yield "pairs", pa.table([pa.array(column) for column in columns], schema=PAIR)


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
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (np.diff(u[order]) != 0) | (np.diff(v[order]) != 0)
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
