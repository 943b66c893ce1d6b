"""Records of what staging holds: written when it is whole, read by whoever goes on from it."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms import storage
from transforms.commits import label_of
from transforms.dead import DeadPolicy
from transforms.dedup.rows import KEPT, PART
from transforms.errors import InputError
from transforms.records import DEAD_LETTERS, SKIPPED

__all__ = ["ANNOTATED", "KEPT_RECORD", "PATH", "SPILL", "read_kept", "read_record", "spill"]
__all__ += ["staged_dead_letters", "staged_parts", "staged_skipped", "write_record"]

ANNOTATED = "annotated.json"
"""Names all parts and dead letters; its presence means that annotation is done."""
KEPT_RECORD = "kept.json"
"""Names the rows that deduplication kept; its presence means that fates are known."""

_MISSING = {
    ANNOTATED: "{0} was never annotated to the end; run `holdfast annotate` or `curate`",
    KEPT_RECORD: "{0} was never deduplicated; run `holdfast select {0}` once, even if it refuses",
}

PATH = pa.schema([("path", pa.string()), ("rows", pa.int64()), ("unreadable_bytes", pa.int64())])
"""A file of rows that are no parts; `unreadable_bytes` is 0 but for dead letters."""
SPILL = {"kept": KEPT, "dead_letters": DEAD_LETTERS}
"""Folders of staging that hold rows other than parts, and their schemas."""


def spill(batch: pa.RecordBatch, folder: str) -> pa.RecordBatch:
    """Writes a batch to a file of its own, unless it says that it is written; a row of `PATH`."""
    label = label_of(batch) or {"path": f"{folder}/{uuid.uuid4().hex}.parquet", "written": False}
    path = storage.join(folder, label["path"].rpartition("/")[2])
    if not label["written"]:
        sink = io.BytesIO()
        plain = batch.replace_schema_metadata(None)
        pq.write_table(pa.Table.from_batches([plain]), sink, compression="zstd")
        with storage.create(path) as file:
            file.write(sink.getvalue())
    lost = 0
    if "reason" in batch.schema.names:
        whole = pc.starts_with(batch.column("reason"), "unreadable")
        lost = pc.sum(batch.filter(whole).column("n_bytes")).as_py() or 0
    return pa.record_batch([[path], [batch.num_rows], [lost]], schema=PATH)


def write_record(
    partition: int,
    tables: Mapping[str, pa.Table],
    *,
    path: str,
    facts: Mapping[str, Any],
    dead_policy: DeadPolicy | None,
) -> Iterator[tuple[str, pa.Table]]:
    """Writes a record of everything in `tables`; yields `ready`, the record's path.

    Args:
        partition: Not used.
        tables: All rows to be named, by their name in the record.
        path: Of the record.
        facts: What else it holds.
        dead_policy: Applied to `parts` and `dead_letters` when the record is written;
            whoever finds the limit too low can go on from it.

    Raises:
        DeadLettersError, InputError: By the policy.
    """
    del partition
    rows = {
        name: table.sort_by(table.column_names[0]).to_pylist() for name, table in tables.items()
    }
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS
    storage.write_bytes_atomically(path, orjson.dumps({**facts, **rows}, option=options))
    if dead_policy is not None:
        letters = tables["dead_letters"]
        dead, lost = (sum(letters.column(n).to_pylist()) for n in ("rows", "unreadable_bytes"))
        dead_policy.check(sum(tables["parts"].column("rows").to_pylist()), dead, lost)
    yield "ready", pa.table([pa.array([path])], schema=pa.schema([("text", pa.string())]))


def read_record(staging: str, name: str) -> dict[str, Any]:
    """Reads a record of a staging folder.

    Raises:
        InputError: It is not there, or is damaged.
    """
    path = storage.join(staging, name)
    if not storage.exists(path):
        raise InputError(f"{path} does not exist: {_MISSING[name].format(staging)}")
    try:
        return orjson.loads(storage.read_bytes(path))  # type: ignore[no-any-return]
    except orjson.JSONDecodeError as error:
        raise InputError(f"{path} is no JSON ({error}); the staging folder is damaged") from error


def staged_parts(staging: str) -> Iterator[pa.RecordBatch]:
    """A row of `PART` at a time, so that parts can be spread over workers."""
    for part in read_record(staging, ANNOTATED)["parts"]:
        yield pa.RecordBatch.from_pylist([part], schema=PART)


def _rows(entries: list[dict[str, str]], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for entry in entries:
        with storage.open_input(entry["path"]) as source:
            for batch in pq.ParquetFile(source).iter_batches():
                yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)


def staged_dead_letters(staging: str) -> Iterator[pa.RecordBatch]:
    """The dead letters (DEAD_LETTERS) of annotation."""
    yield from _rows(read_record(staging, ANNOTATED)["dead_letters"], DEAD_LETTERS)


def staged_skipped(staging: str) -> Iterator[pa.RecordBatch]:
    """What annotation skipped (SKIPPED)."""
    yield pa.RecordBatch.from_pylist(
        read_record(staging, ANNOTATED).get("skipped", []), schema=SKIPPED
    )


def read_kept(staging: str) -> tuple[dict[str, Any], Iterator[pa.RecordBatch]]:
    """The record of deduplication, and the rows (KEPT) that it kept."""
    record = read_record(staging, KEPT_RECORD)
    return record, _rows(record["kept"], KEPT)
