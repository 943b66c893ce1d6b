"""Small parts of staging, and tables of what became of their rows."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.dedup.rows import FATE, KEPT, PART
from transforms.rebalance.finalise import ASSIGNED, TRIMMED
from transforms.rebalance.ranks import LIGHT
from transforms.records import PART_BITS, STAGED

SCHEMAS = {
    "kept": KEPT,
    "fates": FATE,
    "assigned": ASSIGNED,
    "trimmed": TRIMMED,
    "too_large": LIGHT,
}
_ORIGINS = ("anchor", "unverified", "synthetic")
_FILL: dict[pa.DataType, Any] = {
    pa.bool_(): False,
    pa.string(): "",
    pa.binary(): b"",
    pa.list_(pa.string()): [],
}


def node(row: int, part: int = 7) -> int:
    return part << PART_BITS | row


def filled(schema: pa.Schema, **fields: Any) -> dict[str, Any]:
    """A row with something in every column that must not be null."""
    empty = {f.name: None if f.nullable else _FILL.get(f.type, 0) for f in schema}
    return empty | fields


def staged(rows: int, part: int = 7, **fields: Any) -> pa.RecordBatch:
    """Rows of STAGED: row r has doc_id r, and a size of 10 + r characters."""
    made = [
        filled(STAGED, node=node(r, part), text=f"text {r}", doc_id=bytes([part, r]) * 8)
        | {"text_hash": bytes([r]) * 16, "url": f"u{r}", "lang": ("eng_Latn", "swh_Latn")[r % 2]}
        | {"origin": "unverified", "synthetic_tag": "unverified", "n_chars": 10 + r}
        | fields
        for r in range(rows)
    ]
    return pa.RecordBatch.from_pylist(made, schema=STAGED)


def written(
    folder: pathlib.Path, rows: int, part: int = 7, group: int = 3, **fields: Any
) -> dict[str, Any]:
    """Writes a part in small row groups; its row of PART."""
    path = folder / f"part-{part}.parquet"
    table = pa.Table.from_batches([staged(rows, part, **fields)])
    pq.write_table(table, path, row_group_size=group)
    return {"part": part, "path": str(path), "rows": rows, "first": 0}


def tables(parts: Sequence[dict[str, Any]], **rows: list[dict[str, Any]]) -> dict[str, pa.Table]:
    made = {
        name: pa.Table.from_pylist(rows.get(name, []), schema=schema)
        for name, schema in SCHEMAS.items()
    }
    return made | {"parts": pa.Table.from_pylist(list(parts), schema=PART)}


def kept(row: int, part: int = 7, origin: int = 1, tier: int = 2) -> dict[str, Any]:
    return filled(
        KEPT, node=node(row, part), doc_id=bytes([part, row]) * 8, origin=origin, tier=tier,
        copies=1 + row, copies_original=row, size=10 + row, lang="eng_Latn", tail=False,
    )  # fmt: skip


def fate(row: int, reason: int, witness: bytes | None = None, part: int = 7) -> dict[str, Any]:
    similarity = None if witness is None else 0.9
    fields = {
        "reason": reason,
        "witness": witness,
        "similarity": similarity,
        "tier": 2,
        "origin": 1,
    }
    return filled(FATE, node=node(row, part), **fields)


def assigned(row: int, position: int, shard: int = 0, part: int = 7) -> dict[str, Any]:
    return filled(ASSIGNED, node=node(row, part), shard=shard, position=position)
