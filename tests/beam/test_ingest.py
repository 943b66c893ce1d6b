import pathlib
from collections.abc import Iterable

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.testing import test_pipeline
from apache_beam.testing.util import assert_that, equal_to

from transforms.ingest.beam import ReadDocuments
from transforms.ingest.config import IngestConfig
from transforms.ingest.listing import list_inputs, write_inputs


def write_corpus(folder: pathlib.Path) -> str:
    lines = [f'{{"text": "json {i}", "url": "https://a.org/{i}"}}' for i in range(50)]
    (folder / "a.jsonl").write_text("\n".join([*lines, "broken"]))
    table = pa.table({"text": [f"parquet {i}" for i in range(50)] + [""]})
    pq.write_table(table, folder / "b.parquet", row_group_size=10)
    (folder / "c.parquet").write_bytes(b"no parquet")
    path = str(folder / "inputs.jsonl")
    write_inputs(list_inputs([str(folder)]), path)
    return path


@beam.typehints.with_input_types(pa.RecordBatch)
@beam.typehints.with_output_types(str)
class _Texts(beam.DoFn):
    def __init__(self, column: str) -> None:
        self._column = column

    def process(self, batch: pa.RecordBatch) -> Iterable[str]:
        return batch.column(self._column).to_pylist()


@pytest.mark.parametrize("batch_rows", [7, 1000])
def test_documents_and_dead_letters(tmp_path: pathlib.Path, batch_rows: int) -> None:
    inputs = write_corpus(tmp_path)
    with test_pipeline.TestPipeline(runner="FnApiRunner") as pipeline:
        read = (
            pipeline
            | "Inputs" >> beam.Create([inputs])
            | "Read" >> ReadDocuments(IngestConfig(batch_rows=batch_rows))
        )
        assert {name: outputs.element_type for name, outputs in read.items()} == {
            "documents": pa.RecordBatch,
            "dead_letters": pa.RecordBatch,
            "skipped": pa.RecordBatch,
        }
        texts = read["documents"] | "Texts" >> beam.ParDo(_Texts("text"))
        expected = [f"{kind} {i}" for kind in ("json", "parquet") for i in range(50)]
        assert_that(texts, equal_to(expected), label="documents")
        reasons = read["dead_letters"] | "Reasons" >> beam.ParDo(_Texts("reason"))
        lost = ["invalid_json", "empty_text", "unreadable_file"]
        assert_that(reasons, equal_to(lost), label="dead letters")


def test_input_that_changed_stops_the_job(tmp_path: pathlib.Path) -> None:
    inputs = write_corpus(tmp_path)
    (tmp_path / "a.jsonl").write_text('{"text": "other"}')
    with pytest.raises(Exception, match="changed since it was listed"):  # noqa: SIM117
        with test_pipeline.TestPipeline(runner="FnApiRunner") as pipeline:
            _ = pipeline | beam.Create([inputs]) | ReadDocuments(IngestConfig())


def test_counters(tmp_path: pathlib.Path) -> None:
    record = b"WARC/1.0\r\nWARC-Type: %b\r\nContent-Length: 5\r\n\r\nwords\r\n\r\n"
    (tmp_path / "d.wet").write_bytes(record % b"request" * 3 + record % b"conversion")
    inputs = write_corpus(tmp_path)
    pipeline = test_pipeline.TestPipeline(runner="FnApiRunner")
    _ = pipeline | beam.Create([inputs]) | ReadDocuments(IngestConfig())
    result = pipeline.run()
    result.wait_until_finish()
    counters = {c.key.metric.name: c.committed for c in result.metrics().query()["counters"]}
    assert counters["ingest/documents"] == 101
    assert counters["ingest/skipped:request"] == 3
    assert counters["ingest/dead"] == 3
