"""`AssessProvenance` appends its columns after those of `TagSynthetic`."""

from __future__ import annotations

import apache_beam as beam
import pyarrow as pa
from apache_beam.testing import test_pipeline
from apache_beam.testing.util import assert_that

from transforms.provenance.beam import AssessProvenance
from transforms.provenance.config import ProvenanceConfig
from transforms.records import ORIGIN
from transforms.synthetic.beam import TagSynthetic
from transforms.synthetic.config import SyntheticConfig


def test_appends_columns() -> None:
    batch = pa.record_batch(
        {
            "text": pa.array(["It rained.", "Es regnet.<|im_end|>", "Il pleut."]),
            "lang": pa.array(["eng_Latn", "deu_Latn", "fra_Latn"]),
            "source": pa.array(["archive", None, None], pa.string()),
            "host": pa.array([None, "b.example", "b.example"], pa.string()),
            "date_day": pa.array([None, 738_000, 737_000], pa.int32()),
            "origin_declared": pa.array([None, None, None], pa.string()),
        }
    )

    def check(batches: list[pa.RecordBatch]) -> None:
        (answer,) = batches
        assert answer.schema.names[-len(ORIGIN) :] == ORIGIN.names
        assert answer.select(batch.schema.names).equals(batch)
        assert answer["origin"].to_pylist() == ["anchor", "synthetic", "anchor"]
        assert answer["origin_tier"].to_pylist() == ["A", None, "A"]
        assert answer["origin_evidence"].to_pylist() == [
            ["source:trusted"],
            ["date<2022-11-30", "artefact:im_end"],
            ["date<2020-06-01"],
        ]

    with test_pipeline.TestPipeline(runner="FnApiRunner") as pipeline:
        batches = pipeline | "Rows" >> beam.Create([batch]).with_output_types(pa.RecordBatch)
        tagged = batches | "Tag machine text" >> TagSynthetic(SyntheticConfig())
        config = ProvenanceConfig(trusted_sources=("archive",))
        assert_that(tagged | "Assess origins" >> AssessProvenance(config), check)
