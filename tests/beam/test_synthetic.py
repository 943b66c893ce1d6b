"""`TagSynthetic` appends its columns and leaves the others alone."""

from __future__ import annotations

import apache_beam as beam
import pyarrow as pa
from apache_beam.testing import test_pipeline
from apache_beam.testing.util import assert_that

from transforms.records import SYNTHETIC
from transforms.synthetic.beam import TagSynthetic


def test_appends_columns() -> None:
    batch = pa.record_batch(
        {
            "text": pa.array(["It rained.", "Es regnet.<|im_end|>"]),
            "origin_declared": pa.array(["synthetic", None], pa.string()),
        }
    )

    def check(batches: list[pa.RecordBatch]) -> None:
        (answer,) = batches
        assert answer.schema.names == [*batch.schema.names, *SYNTHETIC.names]
        assert answer.select(batch.schema.names).equals(batch)
        assert answer["synthetic_tag"].to_pylist() == ["synthetic", "synthetic"]
        assert answer["synthetic_evidence"].to_pylist() == [
            ["declared:synthetic"],
            ["artefact:im_end"],
        ]

    with test_pipeline.TestPipeline(runner="FnApiRunner") as pipeline:
        batches = pipeline | "Rows" >> beam.Create([batch]).with_output_types(pa.RecordBatch)
        assert_that(batches | "Tag machine text" >> TagSynthetic(), check)
