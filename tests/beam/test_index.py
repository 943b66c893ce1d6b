"""Reading the index in a pipeline is reading it with plain functions."""

from __future__ import annotations

import pathlib

import apache_beam as beam
import pyarrow as pa
from apache_beam.testing import test_pipeline
from apache_beam.testing.util import assert_that, equal_to

from transforms.dedup.index import read
from transforms.dedup.index.beam import ReadIndex
from transforms.dedup.index.pins import write_pins
from transforms.dedup.index.write import INDEXED, index_bytes
from transforms.records import INDEX_PART


def pinned(folder: pathlib.Path) -> str:
    """A staging folder that pins three shards, the text of one of which is gone."""
    rows = []
    for number in range(3):
        path = folder / f"{number}.parquet"
        made = [
            {"run": "r", "doc_id": bytes([number, n]) * 8, "text_hash": bytes([n]) * 16}
            | {"hi": n, "lo": number, "original": n == 1, "repeat": n % 2}
            | {"bands": b"b" * 8, "signature": b"s" * 8}
            for n in range(2 + number)
        ]
        path.write_bytes(index_bytes([pa.Table.from_pylist(made, schema=INDEXED)]))
        row = {"part": INDEX_PART + number, "run": "r", "shard": f"data/{number}"}
        row |= {"rows": 2 + number, "index": str(path), "first": 0}
        rows.append(row | {"text": None if number == 1 else f"text {number}"})
    write_pins(str(folder), rows)
    return str(folder)


class Plain(beam.DoFn):
    def process(self, batch):
        return [tuple(row.values()) for row in batch.to_pylist()]


def test_a_pipeline_reads_what_the_functions_read(tmp_path: pathlib.Path):
    staging = pinned(tmp_path)
    pins = list(read.pinned_shards(staging))
    expected = {
        "published": [b for pin in pins for b in read.published_rows(pin)],
        "signature_parts": [read.signature_parts(pin) for pin in pins],
        "text_parts": [read.text_parts(pin) for pin in pins],
    }
    assert sum(batch.num_rows for batch in expected["published"]) == 5
    with test_pipeline.TestPipeline(runner="FnApiRunner") as pipeline:
        found = pipeline | beam.Create([staging]) | ReadIndex()
        assert found.keys() == expected.keys()
        for name, batches in found.items():
            assert batches.element_type is pa.RecordBatch
            rows = [tuple(row.values()) for batch in expected[name] for row in batch.to_pylist()]
            given = batches | f"Plain {name}" >> beam.ParDo(Plain())
            assert_that(given, equal_to(rows), label=f"Check {name}")


def test_an_empty_index_gives_nothing(tmp_path: pathlib.Path):
    write_pins(str(tmp_path), [])
    with test_pipeline.TestPipeline(runner="FnApiRunner") as pipeline:
        found = pipeline | beam.Create([str(tmp_path)]) | ReadIndex()
        for name, batches in found.items():
            given = batches | f"Plain {name}" >> beam.ParDo(Plain())
            assert_that(given, equal_to([]), label=f"Check {name}")
