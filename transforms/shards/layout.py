"""Names of what is published, and how one Parquet file of it is written."""

from __future__ import annotations

import hashlib
import io

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = [
    "CARD",
    "FILES",
    "GROUP_ROWS",
    "MANIFEST",
    "dead_letters_name",
    "digest",
    "dropped_name",
    "parquet_bytes",
    "shard_name",
]

MANIFEST = "manifest.json"
"""Written last: a run without it does not exist."""
CARD = "README.md"
FILES = "ledger/files.parquet"
"""The ledger by input file (`by_file.BY_FILE`)."""
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


def shard_name(shard: int, shards: int) -> str:
    """Path of a shard within a run."""
    return f"data/shard-{shard:05d}-of-{shards:05d}.parquet"


def dropped_name(part: int, parts: int) -> str:
    """Path of a part of the removed documents within a run."""
    return f"dropped/part-{part:05d}-of-{parts:05d}.parquet"


def dead_letters_name(part: int, parts: int) -> str:
    """Path of a part of the dead letters within a run."""
    return f"dead_letters/part-{part:05d}-of-{parts:05d}.parquet"


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


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
