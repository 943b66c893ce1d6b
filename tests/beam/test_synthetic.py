"""`TagSynthetic` appends its columns and leaves the others alone."""

from __future__ import annotations

import apache_beam as beam
import pyarrow as pa
from apache_beam.testing import test_pipeline
from apache_beam.testing.util import assert_that

from transforms.records import SYNTHETIC
from transforms.synthetic.beam import TagSynthetic
from transforms.synthetic.config import SyntheticConfig
from transforms.synthetic.score import Scorer
from transforms.synthetic.words import WordTable


class Lengths:
    """Stands for a classifier: a text's score is its length."""

    digest = "lengths"
    languages = frozenset({"eng_Latn"})

    def read(self, text: pa.StringArray) -> tuple[pa.Int16Array, pa.Int16Array]:
        lengths = pa.array([len(given) for given in text.to_pylist()], pa.int16())
        return lengths, lengths


def load(model: str | None) -> Scorer:
    assert model == "a model"
    return Scorer(Lengths(), WordTable({}, {}, "no words"))


def test_appends_columns() -> None:
    batch = pa.record_batch(
        {
            "text": pa.array(["It rained.", "Es regnet.<|im_end|>"]),
            "lang": pa.array(["eng_Latn", "deu_Latn"]),
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
        # The classifier was not trained for German.
        assert answer["synthetic_score"].to_pylist() == [10, None]

    with test_pipeline.TestPipeline(runner="FnApiRunner") as pipeline:
        batches = pipeline | "Rows" >> beam.Create([batch]).with_output_types(pa.RecordBatch)
        tagged = batches | "Tag" >> TagSynthetic(SyntheticConfig(model="a model"), load)
        assert_that(tagged, check)
