"""Which partition a row goes to, and cutting a batch accordingly."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["PartitionOf", "by_hash", "by_range", "by_value", "cut", "to_one", "words"]

PartitionOf = Callable[[pa.RecordBatch, int], npt.NDArray[np.int64]]
"""Maps a batch and the number of partitions to one partition per row."""

_MIX = np.uint64(0x9E3779B97F4A7C15)


def words(column: pa.Array) -> npt.NDArray[np.uint64]:
    """The first eight bytes of each value (little-endian) or each integer, as uint64.

    Args:
        column: Integers, or binary values of one width of at least 8 bytes, no nulls.
    """
    if pa.types.is_integer(column.type):
        return np.asarray(column.to_numpy(zero_copy_only=False)).astype(np.uint64)
    if not len(column):
        return np.empty(0, dtype=np.uint64)
    width = len(column[0].as_py())
    start = np.frombuffer(column.buffers()[1], dtype=np.int32)[column.offset]
    raw = np.frombuffer(column.buffers()[2], dtype=np.uint8)[start : start + len(column) * width]
    return np.ascontiguousarray(raw.reshape(-1, width)[:, :8]).view(np.uint64).ravel()


def by_hash(column: str) -> PartitionOf:
    """Partitions by a hash of an integer column, or of a `binary` one of one width (ids)."""

    def partition(batch: pa.RecordBatch, partitions: int) -> npt.NDArray[np.int64]:
        mixed = words(batch.column(column)) * _MIX
        return (mixed >> np.uint64(33)).astype(np.int64) % partitions

    return partition


def by_range(column: str, bits: int = 64) -> PartitionOf:
    """Partitions an unsigned column of `bits` significant bits into ranges, in order."""

    def partition(batch: pa.RecordBatch, partitions: int) -> npt.NDArray[np.int64]:
        top = words(batch.column(column)) >> np.uint64(max(0, bits - 32))
        return ((top * np.uint64(partitions)) >> np.uint64(min(bits, 32))).astype(np.int64)

    return partition


def by_value(column: str) -> PartitionOf:
    """Takes the partition from an integer column; the number of partitions is ignored."""

    def partition(batch: pa.RecordBatch, partitions: int) -> npt.NDArray[np.int64]:
        del partitions
        return words(batch.column(column)).astype(np.int64)

    return partition


def to_one(batch: pa.RecordBatch, partitions: int) -> npt.NDArray[np.int64]:
    """All rows to partition 0: for summaries."""
    del partitions
    return np.zeros(batch.num_rows, dtype=np.int64)


def cut(
    batch: pa.RecordBatch, by: PartitionOf, partitions: int
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Cuts a batch into one piece per partition that it has rows for."""
    if not batch.num_rows:
        return
    index = by(batch, partitions)
    order = np.argsort(index, kind="stable")
    index = index[order]
    starts = np.flatnonzero(np.diff(index, prepend=index[0] - 1))
    taken = batch.take(pa.array(order)) if len(starts) > 1 else batch
    for start, stop in zip(starts, [*starts[1:], len(index)], strict=True):
        yield int(index[start]), taken.slice(start, stop - start)
