"""From staged columns to the light rows that deduplication works on."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.dedup.config import DedupConfig
from transforms.dedup.rows import LIGHT, TIERS
from transforms.dedup.signature import band_keys
from transforms.records import Unit

__all__ = ["COLUMNS", "bands_of", "light_rows", "sizes"]

COLUMNS = (
    "node",
    "doc_id",
    "text_hash",
    "date_day",
    "origin_tier",
    "origin_declared",
    "p_synthetic",
    "synthetic_tag",
    "source",
    "host",
    "n_chars",
    "lang",
    "mixed",
    "tail",
    "weight",
    "signature",
)
"""Staged columns that `light_rows` reads, besides the one of the size unit."""


def sizes(table: pa.Table, unit: Unit) -> pa.ChunkedArray | pa.Array:
    """The size of each document in the unit, int64."""
    if unit == "docs":
        return pa.array(np.ones(len(table), dtype=np.int64))
    return table.column(f"n_{unit}").cast(pa.int64())


def bands_of(signature: pa.Array, config: DedupConfig) -> pa.Array:
    """Band keys of each signature, uint64 little-endian as binary; null where there is none."""
    known = signature.is_valid().to_numpy(zero_copy_only=False)
    words = np.frombuffer(b"".join(signature.drop_null().to_pylist()), dtype="<u4")
    keys = band_keys(words.reshape(-1, config.permutations), config)
    ends = np.concatenate([[0], np.cumsum(known * (8 * config.bands))]).astype(np.int32)
    valid = pa.py_buffer(np.packbits(known, bitorder="little"))
    buffers = [valid, pa.py_buffer(ends), pa.py_buffer(keys.astype("<u8"))]
    return pa.Array.from_buffers(pa.binary(), len(known), buffers)


def light_rows(
    table: pa.Table, excluded: pa.Array, convicted: pa.Array, unit: Unit, config: DedupConfig
) -> pa.Table:
    """Light rows of staged documents.

    Args:
        table: The staged `COLUMNS`, and `n_<unit>`.
        excluded: Bool per row: on the list of what must not appear.
        convicted: Bool per row: carries a convicting artefact.
        unit: What `size` counts.
        config: Bands.

    Returns:
        Rows of `LIGHT`.
    """
    tier = pc.index_in(table.column("origin_tier"), pa.array(TIERS[:2])).fill_null(2)
    declared = pc.equal(table.column("origin_declared"), "synthetic").fill_null(False)
    chance = pc.round(pc.multiply(table.column("p_synthetic"), 10_000.0)).fill_null(-1)
    likely = pc.equal(table.column("synthetic_tag"), "likely_synthetic").fill_null(False)
    columns = {
        "tier": tier,
        "declared": declared,
        "convicted": convicted,
        "excluded": excluded,
        "p": chance,
        "likely": pc.if_else(likely, pc.max_element_wise(chance, 0), 0),
        "size": sizes(table, unit),
        "bands": bands_of(table.column("signature").combine_chunks(), config),
    }
    given = [columns[f.name] if f.name in columns else table.column(f.name) for f in LIGHT]
    return pa.table(
        [column.cast(f.type) for column, f in zip(given, LIGHT, strict=True)], schema=LIGHT
    )
