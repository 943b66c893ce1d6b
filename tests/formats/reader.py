"""Reads shards by the formats' own libraries; runs where holdfast is not installed.

Usage: reader.py FUNCTION ARGUMENT...; prints what it returns as one line of JSON.
"""

from __future__ import annotations

import json
import pathlib
import sys
from typing import Any


def plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return value.item() if hasattr(value, "item") else value


def duckdb(pattern: str, kind: str) -> list[dict[str, Any]]:
    import duckdb as library

    read = {"parquet": "read_parquet", "jsonl": "read_json_auto"}[kind]
    query = f"SELECT * FROM {read}('{pattern}') ORDER BY doc_id, repeat"  # noqa: S608
    found = library.sql(query)
    names = found.columns
    return [
        {name: plain(value) for name, value in zip(names, row, strict=True)}
        for row in found.fetchall()
    ]


def streaming(folder: str, cache: str) -> list[dict[str, Any]]:
    import streaming as library

    # From one place to another: the library checks the digests as it copies.
    dataset = library.StreamingDataset(
        remote=folder, local=cache, shuffle=False, batch_size=1, validate_hash="sha256"
    )
    rows = [dataset[number] for number in range(len(dataset))]
    local = library.StreamingDataset(local=folder, shuffle=False, batch_size=1)
    assert [row["text"] for row in local] == [row["text"] for row in rows]
    return [{name: plain(value) for name, value in row.items()} for row in rows]


def streaming_writer(rows: str, columns: str, out: str) -> list[str]:
    """Writes one shard by `MDSWriter`; the names of the files."""
    from streaming import MDSWriter

    encodings = json.loads(pathlib.Path(columns).read_text())
    with MDSWriter(columns=encodings, out=out, hashes=["sha256"], size_limit=None) as writer:
        for line in pathlib.Path(rows).read_text().split("\n")[:-1]:
            row = json.loads(line)
            binary = {n: bytes.fromhex(row[n]) for n, e in encodings.items() if e == "bytes"}
            writer.write(row | binary)
    return sorted(path.name for path in pathlib.Path(out).iterdir())


def webdataset(*paths: str) -> list[dict[str, Any]]:
    import webdataset as library

    dataset = library.WebDataset(list(paths), shardshuffle=False).decode()
    return [{"key": row["__key__"], "text": row["txt"]} | row["json"] for row in dataset]


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:]), default=str))  # noqa: T201
