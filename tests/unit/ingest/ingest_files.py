"""Files for the tests of ingest, and a reader that gathers everything."""

from __future__ import annotations

import gzip
import pathlib
from collections.abc import Sequence
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from transforms.ingest.config import FieldMapping, IngestConfig
from transforms.ingest.listing import InputFile, list_inputs
from transforms.ingest.read import read_split
from transforms.ingest.splits import TARGET_BYTES, plan_splits
from transforms.records import DEAD_LETTERS, INGESTED

Row = dict[str, Any]


def config(**fields: str) -> IngestConfig:
    return IngestConfig(fields=FieldMapping(**fields))


def write_jsonl(path: pathlib.Path, lines: Sequence[bytes | Row]) -> pathlib.Path:
    data = b"".join((x if isinstance(x, bytes) else orjson.dumps(x)) + b"\n" for x in lines)
    if path.suffix == ".gz":
        data = gzip.compress(data, mtime=0)
    elif path.suffix == ".zst":
        data = zstandard.compress(data)
    path.write_bytes(data)
    return path


def write_parquet(path: pathlib.Path, table: pa.Table, rows: int = 1000) -> pathlib.Path:
    pq.write_table(table, path, row_group_size=rows, write_page_checksum=True)
    return path


def listed(path: pathlib.Path) -> InputFile:
    return list_inputs([str(path)])[0]


def read_batches(
    path: pathlib.Path, settings: IngestConfig | None = None, target: int = TARGET_BYTES
) -> list[tuple[str, pa.RecordBatch]]:
    """All batches of a file, split after split; every batch is checked against its schema."""
    batches: list[tuple[str, pa.RecordBatch]] = []
    for split in plan_splits(7, listed(path), target):
        batches.extend(read_split(split, settings or IngestConfig()))
    for kind, batch in batches:
        assert batch.schema.equals(INGESTED if kind == "documents" else DEAD_LETTERS)
        assert batch.num_rows
        batch.validate(full=True)
    return batches


def read_all(
    path: pathlib.Path, settings: IngestConfig | None = None, target: int = TARGET_BYTES
) -> tuple[list[Row], list[Row]]:
    """Documents in the order of their nodes, and dead letters by position."""
    found: dict[str, list[Row]] = {"documents": [], "dead": []}
    for kind, batch in read_batches(path, settings, target):
        found[kind].extend(batch.to_pylist())
    documents = sorted(found["documents"], key=lambda row: row["node"])
    assert len({row["node"] for row in documents}) == len(documents)
    return documents, sorted(found["dead"], key=lambda row: row["position"])


def texts(rows: list[Row]) -> list[str]:
    return [row["text"] for row in rows]


def reasons(dead: list[Row]) -> list[tuple[int, str]]:
    return [(row["position"], row["reason"]) for row in dead]
