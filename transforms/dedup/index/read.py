"""Reading pinned shards: what is compared, and where the rest of it lies."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms import storage
from transforms.dedup.index.pins import read_pins
from transforms.dedup.rows import PART, PUBLISHED
from transforms.errors import InputError
from transforms.records import PART_BITS

__all__ = ["pinned_shards", "published_rows", "signature_parts", "stored_rows", "text_parts"]

_COLUMNS = [name for name in PUBLISHED.names if name != "node"]


def pinned_shards(staging: str) -> Iterator[pa.RecordBatch]:
    """A row of `PIN` at a time, so that shards can be spread over workers."""
    yield from read_pins(staging).to_batches(max_chunksize=1)


def stored_rows(path: str, first: int, rows: int, columns: list[str]) -> Iterator[pa.Table]:
    """The rows of one shard in an index file, a row group at a time.

    Raises:
        InputError: The file does not hold them.
    """
    begin, found = 0, 0
    with storage.open_input(path) as source:
        file = pq.ParquetFile(source)
        for number in range(file.num_row_groups):
            size = file.metadata.row_group(number).num_rows
            low, high = max(first - begin, 0), min(first + rows - begin, size)
            if low < high:
                found += high - low
                yield file.read_row_group(number, columns=columns).slice(low, high - low)
            begin += size
    if found != rows:
        raise InputError(
            f"{path} holds {found} of the {rows} rows from row {first} on; the index is damaged"
        )


def published_rows(pin: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """First appearances in the pinned shards of a batch of `PIN`, as rows of `PUBLISHED`."""
    for shard in pin.to_pylist():
        node = shard["part"] << PART_BITS
        for table in stored_rows(
            shard["index"], shard["first"], shard["rows"], [*_COLUMNS, "repeat"]
        ):
            numbers = np.uint64(node) + np.arange(len(table), dtype=np.uint64)
            node += len(table)
            rows = table.select(_COLUMNS).add_column(0, "node", pa.array(numbers))
            first = rows.filter(pc.equal(table.column("repeat"), 0))
            yield from first.cast(PUBLISHED).combine_chunks().to_batches()


def signature_parts(pin: pa.RecordBatch) -> pa.RecordBatch:
    """Where the signatures of pinned shards lie (PART)."""
    columns = [pin.column(name) for name in ("part", "index", "rows", "first")]
    return pa.RecordBatch.from_arrays(columns, schema=PART)


def text_parts(pin: pa.RecordBatch) -> pa.RecordBatch:
    """Where the texts of pinned shards lie (PART); a shard that is gone has no row."""
    there = pin.filter(pin.column("text").is_valid())
    zeros = pa.array(np.zeros(len(there), dtype=np.int64))
    columns = [there.column(name) for name in ("part", "text", "rows")]
    return pa.RecordBatch.from_arrays([*columns, zeros], schema=PART)
