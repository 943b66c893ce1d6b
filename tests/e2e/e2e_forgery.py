"""Tampering with a copy of a run, as plainly or as cleverly as a test wants.

`reseal` puts the numbers that a manifest claims of its files right again, so that
what was tampered with can only be found by what the rows mean.
"""

from __future__ import annotations

import pathlib
import shutil
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from running import Ran, Run, holdfast, read_manifest, write_manifest

from pipelines.bridges import assess_for
from transforms.dedup.fingerprint import document_ids
from transforms.shards import layout
from transforms.shards.check import check_shard
from transforms.shards.manifest import promise_of, shard_entries

Rows = list[dict[str, Any]]


def copied(published: Run, folder: pathlib.Path) -> pathlib.Path:
    run = folder / "run"
    shutil.copytree(published.output, run)
    return run


def edit_manifest(run: pathlib.Path, change: Callable[[dict[str, Any]], None]) -> None:
    manifest = read_manifest(run)
    change(manifest)
    write_manifest(run, manifest)


def edit_rows(run: pathlib.Path, folder: str, change: Callable[[Rows], Rows | None]) -> None:
    """Changes the rows of the first file of a folder that has some."""
    paths = sorted((run / folder).iterdir())
    path = next(path for path in paths if pq.ParquetFile(path).metadata.num_rows)
    table = pq.ParquetFile(path).read()
    given = table.to_pylist()
    changed = change(given)
    rewritten = pa.Table.from_pylist(given if changed is None else changed, schema=table.schema)
    path.write_bytes(layout.parquet_bytes(rewritten))


def rename_documents(rows: Rows, schema: pa.Schema) -> None:
    """Gives rows the ids that their fields have by now."""
    batch = pa.RecordBatch.from_pylist(rows, schema=schema)
    for row, doc_id in zip(rows, document_ids(batch).to_pylist(), strict=True):
        row["doc_id"] = doc_id


def reseal(run: pathlib.Path) -> None:
    """Puts digests, counts, sizes and shares of files in the manifest right."""
    manifest = read_manifest(run)
    promise, assess = promise_of(manifest, "manifest"), assess_for(manifest["config"])
    entries = []
    for number, entry in enumerate(manifest["shards"]):
        data = (run / entry["path"]).read_bytes()
        report, _ = check_shard(number, entry["path"], data, promise, assess)
        entries += shard_entries(report.to_pylist(), promise)
    manifest["shards"] = entries
    for entry in manifest["files"]:
        data = (run / entry["path"]).read_bytes()
        entry["sha256"] = layout.digest(data)
        entry["rows"] = pq.ParquetFile(pa.BufferReader(data)).metadata.num_rows
    write_manifest(run, manifest)


def findings(run: pathlib.Path) -> str:
    """What `holdfast verify` finds; it has to find something."""
    ran: Ran = holdfast("verify", run)
    assert ran.code == 1, (ran.code, ran.out, ran.err)
    found = [line for line in ran.out.splitlines() if line.startswith("FAILED: ")]
    assert found
    return "\n".join(found)


def at(manifest: Mapping[str, Any], *path: str | int) -> Any:
    value: Any = manifest
    for step in path:
        value = value[step]
    return value
