"""Shards as Parquet: what is written unless something else is asked for."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.formats.format import Member

__all__ = ["GROUP_ROWS", "Parquet", "parquet_bytes"]

GROUP_ROWS = 4096
"""Rows in a row group of a shard: some megabytes of text, so that a reader can skip."""

_DICTIONARY = (
    "source",
    "host",
    "date",
    "lang",
    "lang_second",
    "lang_declared",
    "origin",
    "origin_tier",
    "origin_declared",
    "synthetic_tag",
    "reason",
    "file",
)
"""Columns whose values repeat; ids and text would only fill a dictionary."""
_STATISTICS = ("lang", "date", "n_chars")
"""Columns that readers filter by."""


def parquet_bytes(table: pa.Table) -> bytes:
    """One table as a Parquet file; equal rows give equal bytes, however they were chunked."""
    sink = io.BytesIO()
    pq.write_table(
        table.combine_chunks(),
        sink,
        row_group_size=GROUP_ROWS,
        compression="zstd",
        compression_level=3,
        use_dictionary=[name for name in _DICTIONARY if name in table.column_names],
        write_statistics=[name for name in _STATISTICS if name in table.column_names],
        store_schema=True,
    )
    return sink.getvalue()


class Parquet:
    """A Parquet file a shard."""

    name = "parquet"
    extension = ".parquet"
    package = None

    def require(self) -> None:
        """Nothing lacks."""

    def write(self, shard: pa.Table) -> bytes:
        """Rows of `records.PUBLISHED` as a file."""
        return parquet_bytes(shard)

    def read(self, data: bytes) -> pa.Table:
        """The rows of a file, with the schema that it has."""
        return pq.ParquetFile(io.BytesIO(data)).read()

    def index(self, members: Sequence[Member]) -> dict[str, bytes]:
        """Nothing."""
        del members
        return {}
