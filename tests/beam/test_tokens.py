"""`CountTokens` in a pipeline."""

from __future__ import annotations

import pathlib

import apache_beam as beam
import pyarrow as pa
from apache_beam.testing import test_pipeline
from apache_beam.testing.util import assert_that
from tokenizing import words

from transforms.tokens.beam import CountTokens
from transforms.tokens.tokenizer import load_tokenizer

TEXTS = ["the mill by the river", "mto na kinu", "one"]
BATCH = pa.record_batch(
    {
        "node": pa.array([0, 1, 2], pa.uint64()),
        "text": pa.array(TEXTS, pa.string()),
        "n_tokens": pa.nulls(3, pa.int32()),
    }
)


def check(found: list[pa.RecordBatch]) -> None:
    assert {tuple(batch.schema.names) for batch in found} == {tuple(BATCH.schema.names)}
    rows = [row for batch in found for row in batch.to_pylist()]
    counted = sorted((row["node"], row["n_tokens"]) for row in rows)
    assert counted == [(0, 5), (1, 3), (2, 1), (2, 1)]


def test_batches_are_counted_by_the_file_that_is_named(tmp_path: pathlib.Path):
    path = tmp_path / "tokenizer.json"
    path.write_text(words("the").to_str())
    batches = [BATCH, BATCH.slice(2, 1), BATCH.slice(0, 0)]
    with test_pipeline.TestPipeline(runner="FnApiRunner") as pipeline:
        output = (
            pipeline
            | beam.Create(batches).with_output_types(pa.RecordBatch)
            | CountTokens(str(path), load_tokenizer(str(path)).digest)
        )
        assert output.element_type is pa.RecordBatch
        assert_that(output, check)
