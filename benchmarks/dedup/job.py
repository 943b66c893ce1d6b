"""Deduplication alone: Parquet in, Parquet of kept ids and of fates out.

    python -m benchmarks.dedup.job --input DIR --output DIR [--workers N]

The steps are the project's own: read, fingerprint, stage, read light rows, find
exact and near copies, verify, settle. Language, tags and origin are constants, so
that nothing but deduplication is paid for; no document has a tier, and the earliest
date survives.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import shutil
import uuid
from collections.abc import Iterator

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from apache_beam.options.pipeline_options import PipelineOptions

from benchmarks.dedup.outcome import read_fates, read_kept
from pipelines.bridges import settle
from transforms import records
from transforms.dedup.beam import Deduplicate, Fingerprint
from transforms.dedup.config import DedupConfig
from transforms.dedup.partitions import Scale
from transforms.exchange import Spool
from transforms.ingest.beam import ReadDocuments
from transforms.ingest.config import IngestConfig
from transforms.ingest.listing import list_inputs, write_inputs
from transforms.staging.beam import StageDocuments
from transforms.staging.reading.beam import ReadLight

__all__ = ["main"]

_LIGHT_BYTES = 64 << 20
_TEXT_BYTES = 48 << 20
_PACKED = 4
"""About how much larger text is than its file."""

_CONSTANTS = {
    "lang": "und",
    "lang_score": 0.0,
    "script_share": 0.0,
    "letter_share": 0.0,
    "zxx_score": 0.0,
    "lang_agreement": 0.0,
    "mixed": False,
    "tail": False,
    "synthetic_tag": "uncalibrated",
    "weight": 1_000_000,
    "synthetic_evidence": [],
    "origin": "unverified",
    "origin_evidence": [],
}


def _annotated(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A fingerprinted batch with constants for every other column of staging."""
    for field in records.STAGED:
        if field.name not in batch.schema.names:
            value = pa.scalar(_CONSTANTS.get(field.name), field.type)
            batch = batch.append_column(field, pa.repeat(value, batch.num_rows))
    return batch


def _convicted(evidence: pa.Array) -> pa.Array:
    """No row is: nothing was tagged."""
    return pc.greater(pc.list_value_length(evidence), 0)


class _Write(beam.DoFn):  # type: ignore[misc]
    """Writes each batch to a file of its own."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def process(self, batch: pa.RecordBatch) -> Iterator[str]:
        path = f"{self._folder}/{uuid.uuid4().hex}.parquet"
        pq.write_table(pa.Table.from_batches([batch]), path)
        yield path


def _build(pipeline: beam.Pipeline, output: pathlib.Path, scale: Scale) -> None:
    config = DedupConfig()
    read = (
        pipeline
        | "Inputs" >> beam.Create([str(output / "inputs.jsonl")])
        | "Read documents" >> ReadDocuments(IngestConfig())
    )
    parts = (
        read["documents"]
        | "Fingerprint" >> Fingerprint(config)
        | "Fill columns" >> beam.Map(_annotated).with_output_types(pa.RecordBatch)
        | "Stage documents" >> StageDocuments(str(output / "parts"))
    )
    light = {"parts": parts} | "Read light rows" >> ReadLight(None, _convicted, "chars", config)
    spool = Spool("files", str(output / "spool"), str(output))
    found = {"documents": light, "parts": parts} | Deduplicate(config, settle, scale, spool)
    for name in ("kept", "fates"):
        _ = found[name] | f"Write {name}" >> beam.ParDo(_Write(str(output / name)))


def _scale(text_bytes: int, workers: int) -> Scale:
    least = 4 * workers if workers > 1 else 2
    light, text = -(-text_bytes // _LIGHT_BYTES), -(-text_bytes // _TEXT_BYTES)
    return Scale(max(least, light), max(least, text))


def _options(workers: int) -> PipelineOptions:
    flags = ["--runner=FnApiRunner", f"--direct_num_workers={workers}"]
    if workers > 1:
        flags.append("--direct_running_mode=multi_processing")
    return PipelineOptions(flags, save_main_session=False)


def _report(output: pathlib.Path, result: beam.runners.runner.PipelineResult) -> None:
    """Writes down what was counted, and prints what became of the documents."""
    counters = {
        counter.key.metric.name: counter.committed
        for counter in result.metrics().query()["counters"]
        if counter.key.metric.namespace == "holdfast"
    }
    (output / "counters.json").write_text(json.dumps(counters, sort_keys=True, indent=1))
    print(f"kept {len(read_kept(output)):,}")
    for entry in pc.value_counts(read_fates(output).column("reason")).to_pylist():
        print(f"{records.REASONS[entry['values']]} {entry['counts']:,}")


def main() -> None:
    """Runs the job on a folder of Parquet files."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--input", required=True, help="folder or glob of Parquet files")
    parser.add_argument("--output", type=pathlib.Path, required=True, help="replaced if it exists")
    parser.add_argument("--workers", type=int, default=2, help="worker processes (default 2)")
    given = parser.parse_args()
    shutil.rmtree(given.output, ignore_errors=True)
    for name in ("parts", "kept", "fates", "spool"):
        (given.output / name).mkdir(parents=True)
    files = list_inputs([given.input])
    write_inputs(files, str(given.output / "inputs.jsonl"))
    scale = _scale(_PACKED * sum(file.size for file in files), given.workers)
    pipeline = beam.Pipeline(options=_options(given.workers))
    _build(pipeline, given.output, scale)
    result = pipeline.run()
    result.wait_until_finish()
    _report(given.output, result)


if __name__ == "__main__":
    main()
