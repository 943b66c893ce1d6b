"""Published runs of a few short texts, and an index of them."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.dedup.config import DedupConfig
from transforms.dedup.fingerprint import document_ids, text_hashes
from transforms.dedup.index.segments import Pinned, Shard, append
from transforms.dedup.index.write import Recorder
from transforms.dedup.normalize import letters
from transforms.dedup.signature import signatures
from transforms.ingest.dates import parse_dates
from transforms.records import PUBLISHED

CONFIG = DedupConfig(permutations=8, bands=4)
MANIFEST = "name.txt"
"""Stands for the manifest: these tests only need a run's name."""
_FILL = {"lang": "eng_Latn", "lang_score": 0.9, "script_share": 1.0, "mixed": False}
_FILL |= {"tail": False, "origin": "unverified", "origin_evidence": [], "synthetic_evidence": []}
_FILL |= {"synthetic_tag": "unverified", "copies": 1, "copies_original": 0, "repeat": 0}
_FILL |= {"letter_share": 0.8, "zxx_score": 0.0, "lang_agreement": 1.0, "weight": 1_000_000}


def days(dates: pa.Array) -> pa.Array:
    return parse_dates(dates)[1]


def shard(*documents: str | dict[str, Any]) -> pa.Table:
    """Rows of PUBLISHED from texts, or from columns with a text among them."""
    rows = []
    for given in documents:
        row = {"text": given} if isinstance(given, str) else given
        text = row["text"]
        sizes = {"n_chars": len(text), "n_bytes": len(text.encode())}
        rows.append(_FILL | {"doc_id": b"", "text_hash": b""} | sizes | row)
    batch = pa.RecordBatch.from_pylist(rows, schema=PUBLISHED)
    ids, hashes = document_ids(batch).to_pylist(), text_hashes(batch.column("text")).to_pylist()
    for row, doc_id, text_hash in zip(rows, ids, hashes, strict=True):
        row.update(doc_id=doc_id, text_hash=text_hash)
    return pa.Table.from_pylist(rows, schema=PUBLISHED)


def signature(table: pa.Table) -> pa.Array:
    return signatures(letters(table.column("text").combine_chunks()), CONFIG)


def published(folder: str) -> str | None:
    path = pathlib.Path(folder) / MANIFEST
    return path.read_text() if path.exists() else None


def index_run(
    index: pathlib.Path,
    run: str,
    *shards: pa.Table,
    pinned: Sequence[Pinned] = (),
    finish: bool = True,
) -> pathlib.Path:
    """Publishes shards beside the index and appends them; without `finish` the run dies."""
    folder = index.parent / f"of-{run}"
    (folder / "data").mkdir(parents=True)
    recorder = Recorder(str(index), run, CONFIG, days)
    recorded, written = [], []
    for number, table in enumerate(shards):
        path = f"data/shard-{number:05d}-of-{len(shards):05d}.parquet"
        pq.write_table(table, folder / path, row_group_size=2)
        place, sha256 = recorder.write(table, signature(table))
        documents = table.column("repeat").to_pylist().count(0)
        recorded.append(Shard(path, len(table), documents, sha256))
        written.append(place)
    append(str(index), CONFIG, run, str(folder), pinned, recorded, written)
    if finish:
        (folder / MANIFEST).write_text(run)
    return folder


def small_index(folder: pathlib.Path) -> pathlib.Path:
    """Three runs: of two shards, of none, and of one."""
    index = folder / "index"
    one = shard("a b c d e f", {"text": "a b c d e f g", "repeat": 1}, "h i j k l m")
    index_run(index, "r1", one, shard("second shard of the first run", "…"))
    index_run(index, "r2")
    dated = {"text": "what the third run holds", "date": "2019-03", "origin_tier": "A"}
    index_run(index, "r3", shard(dated, *(f"filling text number {n}" for n in range(5))))
    return index
