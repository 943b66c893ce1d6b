"""Opening Parquet files that may be corrupt.

Of a row group, only rows and uncompressed size are asked. Asking for a column's
metadata aborts the whole process when its level histograms are corrupt (an
exception that pyarrow up to 25 does not catch), so what a row group takes on
storage is worked out from its share of the uncompressed size.
"""

from __future__ import annotations

import io
import itertools
from typing import BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["CORRUPT", "OpenParquet", "RowGroup", "open_parquet"]

CORRUPT = (pa.ArrowException, OSError, ValueError)
"""What corrupt Parquet raises; storage's own errors are of another family."""

_MAX_ROWS = 1 << 40
_MAX_BYTES = 1 << 42
"""Uncompressed; more is believed of files above a quarter of it alone."""


class RowGroup(NamedTuple):
    """One row group.

    Attributes:
        first: Row of the file at which it starts.
        rows: Number of rows.
        size: Uncompressed bytes.
        stored: Bytes on storage, by its share of the uncompressed size.
    """

    first: int
    rows: int
    size: int
    stored: int


class OpenParquet(NamedTuple):
    """An open file, and its row groups."""

    file: pq.ParquetFile
    groups: list[RowGroup]


def open_parquet(source: BinaryIO) -> OpenParquet:
    """Opens a file so that the checksums of its pages count, where there are any.

    Raises:
        CORRUPT: One of these, when the footer cannot be read or makes no sense.
    """
    stored = source.seek(0, io.SEEK_END)
    file = pq.ParquetFile(source, page_checksum_verification=True)
    _ = file.schema_arrow  # reads the schema, which may make no sense either
    metas = [file.metadata.row_group(i) for i in range(file.num_row_groups)]
    rows = [meta.num_rows for meta in metas]
    sizes = [meta.total_byte_size for meta in metas]
    total = sum(sizes)
    if min([0, *rows, *sizes]) < 0 or sum(rows) != file.metadata.num_rows:
        raise ValueError("the footer's row counts or sizes contradict each other")
    if sum(rows) > _MAX_ROWS or (total > _MAX_BYTES and stored < _MAX_BYTES // 4):
        raise ValueError(f"the footer claims {sum(rows)} rows and {total} bytes")
    firsts = itertools.accumulate(rows, initial=0)
    groups = [
        RowGroup(first, n, size, stored * size // max(total, 1))
        for first, n, size in zip(firsts, rows, sizes, strict=False)
    ]
    return OpenParquet(file, groups)
