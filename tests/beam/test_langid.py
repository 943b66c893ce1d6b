"""`IdentifyLanguage` in a pipeline."""

import apache_beam as beam
import pyarrow as pa
from apache_beam.testing import test_pipeline
from apache_beam.testing.util import assert_that

from transforms.langid.beam import IdentifyLanguage
from transforms.langid.config import LangidConfig
from transforms.langid.identify import identify
from transforms.langid.model import load_model
from transforms.langid.registry import load_registry
from transforms.records import LANGUAGE

TEXTS = [
    "All human beings are born free and equal in dignity and rights, they are endowed with reason.",
    "Watu wote wamezaliwa huru, hadhi na haki zao ni sawa. Wote wamejaliwa akili na dhamiri.",
    "",
]
BATCH = pa.record_batch(
    {"node": pa.array([0, 1, 2], pa.uint64()), "text": pa.array(TEXTS, pa.string())}
)


def identified(*batches: pa.RecordBatch):
    expected = identify(
        pa.array(TEXTS, pa.string()), load_model(), load_registry(), LangidConfig()
    ).to_pylist()

    def check(found: list[pa.RecordBatch]) -> None:
        assert found
        for batch in found:
            assert batch.schema.names == ["node", "text", *LANGUAGE.names]
            for row in batch.to_pylist():
                node = row.pop("node")
                assert row.pop("text") == TEXTS[node]
                assert row == expected[node]
        assert sorted(n for batch in found for n in batch.column("node").to_pylist()) == sorted(
            n for batch in batches for n in batch.column("node").to_pylist()
        )

    return check


def test_appends_language_columns_to_every_batch():
    # Slices, since a bundle's batches are often views of one larger batch.
    batches = [BATCH, BATCH.slice(1, 1), BATCH.slice(2, 1)]
    with test_pipeline.TestPipeline(runner="FnApiRunner") as pipeline:
        output = (
            pipeline
            | beam.Create(batches).with_output_types(pa.RecordBatch)
            | IdentifyLanguage(LangidConfig())
        )
        assert output.element_type is pa.RecordBatch
        assert_that(output, identified(*batches))


def test_an_empty_batch_stays_an_empty_batch_with_all_columns():
    with test_pipeline.TestPipeline(runner="FnApiRunner") as pipeline:
        output = (
            pipeline
            | beam.Create([BATCH.slice(0, 0)]).with_output_types(pa.RecordBatch)
            | IdentifyLanguage(LangidConfig())
        )
        assert_that(output, identified(BATCH.slice(0, 0)))
