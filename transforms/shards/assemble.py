"""From a partition of routed rows to files under temporary names."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from transforms import storage
from transforms.dedup.index.write import Recorder
from transforms.errors import LedgerError
from transforms.formats.choose import PARQUET, by_name
from transforms.records import DEAD_LETTERS, DROPPED, PUBLISHED
from transforms.shards.check import REPORT, check_shard
from transforms.shards.identities import FINDING, check_dropped, claims_of_dropped
from transforms.shards.layout import digest, parquet_bytes
from transforms.shards.promise import Assess, Promise
from transforms.shards.sources import sources_of
from transforms.staging.survey.decisions import read_decisions

__all__ = ["FILE", "assemble_shard", "write_dead_letters", "write_dropped"]

FILE = pa.schema(
    [
        ("folder", pa.string()),
        ("partition", pa.int64()),
        ("path", pa.string()),
        ("sha256", pa.string()),
        ("rows", pa.int64()),
        ("facts", pa.binary()),
    ]
)
"""A file that is no shard, under its temporary name. `facts` is JSON: documents by
reason, and bytes lost."""


def _put(folder: str, data: bytes, extension: str = PARQUET.extension) -> str:
    """Writes under a name of this attempt's own."""
    path = storage.join(folder, f"{uuid.uuid4().hex}{extension}")
    with storage.create(path) as sink:
        sink.write(data)
    return path


def assemble_shard(
    partition: int,
    tables: Mapping[str, pa.Table],
    *,
    folder: str,
    promise: Promise,
    assess: Assess,
    recorder: Recorder | None = None,
    decisions: Iterable[pa.RecordBatch] = (),
    written_as: str = PARQUET.name,
) -> Iterator[tuple[str, pa.Table]]:
    """Writes one shard and checks what then lies on storage.

    Args:
        partition: The shard.
        tables: `routed`: rows of `staging.ROUTED`, all of the shard; for a recorder, of
            `staging.INDEXED`.
        folder: For temporary names.
        promise: What the shard has to keep.
        assess: Provenance, recomputed.
        recorder: Writes the shard's index file; None where nothing is appended.
        decisions: Rows of `survey.DECISIONS`: what the promise has to wait for.
        written_as: Name of the shard's format.

    Yields:
        `reports` (REPORT, `path` temporary), `claims` (CLAIM) and `sources` (SOURCES),
        and with a recorder `index` (FILE).

    Raises:
        LedgerError: A row of the shard is missing.
    """
    routed = tables["routed"]
    order = np.argsort(routed.column("position").to_numpy(), kind="stable")
    positions = routed.column("position").to_numpy()[order]
    if not np.array_equal(positions, np.arange(len(routed))):
        raise LedgerError(f"shard {partition}: {len(routed)} rows do not fill their places")
    ordered = routed.take(order)
    shard = ordered.select(PUBLISHED.names).cast(PUBLISHED)
    shape = by_name(written_as)
    path = _put(folder, shape.write(shard), shape.extension)
    if made := read_decisions(decisions):
        promise = promise.decided(made)
    report, claims = check_shard(partition, path, storage.read_bytes(path), promise, assess, shape)
    yield "reports", report.cast(REPORT)
    yield "claims", claims
    yield "sources", sources_of(routed, promise.sizes(routed))
    if recorder is not None:
        signature = ordered.column("signature").combine_chunks()
        path, sha256 = recorder.write(shard, signature)
        row = {"folder": "index", "partition": partition, "path": path, "sha256": sha256}
        row |= {"rows": len(shard), "facts": orjson.dumps({})}
        yield "index", pa.Table.from_pylist([row], schema=FILE)


def _file(
    folder: str, partition: int, path: str, data: bytes, rows: int, facts: Mapping[str, Any]
) -> pa.Table:
    row = {"folder": folder, "partition": partition, "path": path, "sha256": digest(data)}
    row |= {"rows": rows, "facts": orjson.dumps(facts)}
    return pa.Table.from_pylist([row], schema=FILE)


def write_dropped(
    partition: int, tables: Mapping[str, pa.Table], *, folder: str, threshold: float
) -> Iterator[tuple[str, pa.Table]]:
    """Writes one part of `dropped/`, in order of its rows' values.

    Yields:
        `files` (FILE), `claims` (CLAIM) and `findings` (FINDING).
    """
    rows = tables["dropped"].sort_by([(name, "ascending") for name in DROPPED.names])
    data = parquet_bytes(rows)
    counts = {v["values"]: v["counts"] for v in rows.column("reason").value_counts().to_pylist()}
    yield "files", _file("dropped", partition, _put(folder, data), data, len(rows), counts)
    yield "claims", claims_of_dropped(rows)
    found = list(check_dropped(rows, threshold))
    yield "findings", pa.table([pa.array(found, pa.string())], schema=FINDING)


def write_dead_letters(
    partition: int, tables: Mapping[str, pa.Table], *, folder: str
) -> Iterator[tuple[str, pa.Table]]:
    """Writes one part of `dead_letters/`, in order of file and position.

    Yields:
        `files` (FILE), with the bytes of unreadable files in `facts`, and the letters of
        every file.
    """
    rows = tables["dead_letters"].sort_by([(name, "ascending") for name in DEAD_LETTERS.names])
    unreadable = [
        size
        for reason, size in zip(
            rows.column("reason").to_pylist(), rows.column("n_bytes").to_pylist(), strict=True
        )
        if reason.startswith("unreadable")
    ]
    data = parquet_bytes(rows)
    by_file = rows.group_by("file").aggregate([("n_bytes", "count"), ("n_bytes", "sum")])
    named = (by_file.column(name).to_pylist() for name in ("file", "n_bytes_count", "n_bytes_sum"))
    files = {file: [letters, lost] for file, letters, lost in sorted(zip(*named, strict=True))}
    facts = {"unreadable_bytes": sum(unreadable), "files": files}
    yield "files", _file("dead_letters", partition, _put(folder, data), data, len(rows), facts)
