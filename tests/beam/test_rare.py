"""`CountRareTypes` and `FollowRareTypes` as a whole: parts of staging to what the manifest says."""

from __future__ import annotations

import json
import pathlib
from collections import Counter
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.testing import test_pipeline

from transforms.dedup.partitions import Scale
from transforms.dedup.rows import KEPT, PART
from transforms.exchange import Spool
from transforms.rare.beam import CountRareTypes, FollowRareTypes
from transforms.rebalance.finalise import ASSIGNED
from transforms.records import PART_BITS

DOCUMENTS = 40
PARTS = 3
LETTERS = "abcdefghijklmnopqrst"


def words_of(number: int) -> list[str]:
    """A word of its own, and one that it shares with as many documents as its letter says."""
    own = "own" + LETTERS[number % 20] + LETTERS[number // 20]
    return [own, "common", "group" + LETTERS[int((2 * number) ** 0.5)]]


def origin_of(number: int) -> int:
    return 1 if number % 10 == 9 else 0


def node_of(number: int) -> int:
    return (number % PARTS << PART_BITS) + 2 * (number // PARTS) + 1  # every other row is a copy


def filled(schema: pa.Schema, **fields: Any) -> dict[str, Any]:
    empty: dict[pa.DataType, Any] = {pa.string(): "", pa.binary(): b"", pa.bool_(): False}
    return {field.name: empty.get(field.type, 0) for field in schema} | fields


def parts(folder: pathlib.Path) -> pa.RecordBatch:
    rows = []
    for part in range(PARTS):
        texts = [" ".join(words_of(number)) for number in range(part, DOCUMENTS, PARTS)]
        path = folder / f"part-{part}.parquet"
        twice = pa.table({"text": [text for text in texts for _ in range(2)]})
        pq.write_table(twice, path, row_group_size=5)
        rows.append({"part": part, "path": str(path), "rows": len(twice), "first": 0})
    return pa.RecordBatch.from_pylist(rows, schema=PART)


def kept() -> pa.RecordBatch:
    rows = [
        filled(KEPT, node=node_of(n), lang="eng_Latn", origin=origin_of(n), size=n + 1)
        for n in range(DOCUMENTS)
    ]
    return pa.RecordBatch.from_pylist(rows, schema=KEPT)


def assigned(published: range) -> pa.RecordBatch:
    rows = [filled(ASSIGNED, node=node_of(n), repeat=k) for n in published for k in range(2)]
    return pa.RecordBatch.from_pylist(rows, schema=ASSIGNED)


class Write(beam.DoFn):
    def __init__(self, path: pathlib.Path) -> None:
        self._path = path

    def process(self, batch: pa.RecordBatch) -> None:
        self._path.write_text(batch.column("text")[0].as_py())


def test_what_the_manifest_says_is_counted_over_all_parts(tmp_path: pathlib.Path):
    published = range(0, DOCUMENTS, 3)
    spool = Spool("files", str(tmp_path / "spool"), str(tmp_path))
    with test_pipeline.TestPipeline(runner="FnApiRunner") as pipeline:
        given = {
            "parts": pipeline | "Parts" >> beam.Create([parts(tmp_path)]),
            "kept": pipeline | "Kept" >> beam.Create([kept()]),
        }
        counted = given | CountRareTypes(Scale(light=3, text=2), spool)
        rows = pipeline | "Assigned" >> beam.Create([assigned(published)])
        summary = {**counted, "assigned": rows} | FollowRareTypes(3, spool)
        _ = summary | beam.ParDo(Write(tmp_path / "summary"))
    told = json.loads((tmp_path / "summary").read_text())
    own = [number for number in range(DOCUMENTS) if origin_of(number) == 0]
    documents = Counter(word for number in own for word in words_of(number))
    rare = {word for word, count in documents.items() if count <= 5}
    survived = {word for number in own if number in published for word in words_of(number)}
    assert told["by_language"]["eng_Latn"]["originals"] == len(own)
    assert (told["types"], told["survived"]) == (len(rare), len(rare & survived))
    assert told["by_documents"]["1"]["types"] == sum(n == 1 for n in documents.values())
    assert 0 < told["expected"] < told["types"]
