"""The rows of an index file: one for each row of a published shard, in its order."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import uuid
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms import storage
from transforms.dedup.config import DedupConfig
from transforms.dedup.index import layout
from transforms.dedup.light import bands_of
from transforms.dedup.rows import TIERS
from transforms.dedup.survivor import UNDATED, survivor_keys

__all__ = ["GROUP_ROWS", "INDEXED", "Days", "Recorder", "index_bytes", "index_rows"]

Days = Callable[[pa.Array], pa.Array]
"""The last day that each published `date` can mean, as an ordinal; null where undated."""

GROUP_ROWS = 4096
"""Rows in a row group, as in a shard."""

INDEXED = pa.schema(
    [
        pa.field("run", pa.string(), nullable=False),
        pa.field("doc_id", pa.binary(), nullable=False),
        pa.field("text_hash", pa.binary(), nullable=False),
        pa.field("hi", pa.uint64(), nullable=False),
        pa.field("lo", pa.uint64(), nullable=False),
        pa.field("original", pa.bool_(), nullable=False),
        pa.field("repeat", pa.int32(), nullable=False),
        ("bands", pa.binary()),
        ("signature", pa.binary()),
    ]
)
"""A row of an index file. `run` published the document; `hi` and `lo` are its survivor
key; `original`, that its tier is A or B; `bands` its band keys and `signature` its
signature, little-endian, null for a text without tokens. Readers pass over rows with
`repeat` above 0."""

# Ids and hashes do not compress; the rest does at the fastest level.
_STORED = ("doc_id", "text_hash", "bands", "signature")
_CODECS = {field.name: "none" if field.name in _STORED else "zstd" for field in INDEXED}


def index_rows(
    shard: pa.Table, signature: pa.Array, days: Days, run: str, config: DedupConfig
) -> pa.Table:
    """What the index keeps of the rows of a shard.

    Args:
        shard: Rows of `records.PUBLISHED`, in the order of the shard.
        signature: Of each row.
        days: Reads published dates.
        run: Name of the run.
        config: How signatures were made and bands are cut.

    Returns:
        Rows of `INDEXED`, in the same order.
    """
    tier = pc.index_in(shard.column("origin_tier"), pa.array(TIERS[:2])).fill_null(2)
    chance = pc.round(pc.multiply(shard.column("p_synthetic"), 10_000.0)).fill_null(-1)
    hi, lo = survivor_keys(
        tier.to_numpy().astype(np.int8),
        days(shard.column("date").combine_chunks()).fill_null(UNDATED).to_numpy(),
        chance.cast(pa.int16()).to_numpy(),
        shard.column("n_chars").to_numpy(),
        shard.column("doc_id"),
    )
    columns = {
        "run": pa.array([run]).take(pa.array(np.zeros(len(shard), np.int64))),
        "hi": pa.array(hi),
        "lo": pa.array(lo),
        "original": pc.less(tier, 2),
        "bands": bands_of(signature, config),
        "signature": signature,
    }
    given = [columns[n] if n in columns else shard.column(n) for n in INDEXED.names]
    return pa.table(given, schema=INDEXED)


def index_bytes(tables: list[pa.Table]) -> bytes:
    """Rows of `INDEXED` as one Parquet file; each table begins a row group of its own."""
    sink = io.BytesIO()
    with pq.ParquetWriter(
        sink,
        INDEXED,
        compression=_CODECS,
        use_dictionary=["run"],
        write_statistics=["doc_id", "repeat"],
    ) as writer:
        for table in tables:
            writer.write_table(table.combine_chunks(), row_group_size=GROUP_ROWS)
    return sink.getvalue()


@dataclasses.dataclass(frozen=True)
class Recorder:
    """Writes the index files of a run under temporary names.

    Attributes:
        index: The index.
        run: Name of the run.
        config: How signatures were made and bands are cut.
        days: Reads published dates.
    """

    index: str
    run: str
    config: DedupConfig
    days: Days

    @property
    def folder(self) -> str:
        """Of the temporary names."""
        return layout.segment_place(self.index, self.run, layout.TEMPORARY)

    def write(self, shard: pa.Table, signature: pa.Array) -> tuple[str, str]:
        """Writes the index file of one shard.

        Args:
            shard: Rows of `records.PUBLISHED`, in the order of the shard.
            signature: Of each row.

        Returns:
            Its path, and its sha256 in hexadecimal.
        """
        rows = index_rows(shard, signature, self.days, self.run, self.config)
        data = index_bytes([rows])
        # Unique per attempt: which attempt counts travels in the data.
        path = storage.join(self.folder, f"{uuid.uuid4().hex}.parquet")
        with storage.create(path) as sink:
            sink.write(data)
        return path, hashlib.sha256(data).hexdigest()
