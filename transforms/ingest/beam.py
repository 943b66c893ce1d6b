"""`ReadDocuments`: ingest in a pipeline."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import orjson
import pyarrow as pa

import transforms.coders  # noqa: F401  # registers the coder of pa.RecordBatch
from transforms import metrics
from transforms.ingest.config import IngestConfig
from transforms.ingest.listing import InputFile, read_inputs
from transforms.ingest.read import read_split
from transforms.ingest.splits import Split, plan_splits

__all__ = ["ReadDocuments"]


@beam.typehints.with_input_types(str)
class ReadDocuments(beam.PTransform):
    """Reads the files of an `inputs.jsonl`.

    Input: the path of `inputs.jsonl`, as written by `listing.write_inputs`.
    Output: `documents` with batches of `records.INGESTED`, and `dead_letters` with
    batches of `records.DEAD_LETTERS`.

    Args:
        config: How the files are read.
    """

    def __init__(self, config: IngestConfig) -> None:
        super().__init__()
        self._config = config

    def expand(self, inputs: beam.PCollection) -> dict[str, beam.PCollection]:
        """Lists, cuts and reads; both kinds of pieces are spread over the workers."""
        read = beam.ParDo(_ReadSplit(self._config))
        read = read.with_output_types(pa.RecordBatch, dead_letters=pa.RecordBatch)
        outputs = (
            inputs
            | "List inputs" >> beam.ParDo(_ListInputs())
            | "Spread files" >> beam.Reshuffle()
            | "Plan splits" >> beam.ParDo(_PlanSplits())
            | "Spread splits" >> beam.Reshuffle()
            | "Read splits" >> read.with_outputs("dead_letters", main="documents")
        )
        return {"documents": outputs.documents, "dead_letters": outputs.dead_letters}


@beam.typehints.with_input_types(str)
@beam.typehints.with_output_types(str)
class _ListInputs(beam.DoFn):
    """Path of the list to one JSON text per file, with its number."""

    def process(self, path: str) -> Iterator[str]:
        for file_no, file in enumerate(read_inputs(path)):
            yield orjson.dumps([file_no, dataclasses.asdict(file)]).decode()


@beam.typehints.with_input_types(str)
@beam.typehints.with_output_types(str)
class _PlanSplits(beam.DoFn):
    def process(self, numbered: str) -> Iterator[str]:
        file_no, file = orjson.loads(numbered)
        yield from map(str, plan_splits(file_no, InputFile(**file)))


@beam.typehints.with_input_types(str)
class _ReadSplit(beam.DoFn):
    def __init__(self, config: IngestConfig) -> None:
        self._config = config

    def process(self, split: str) -> Iterator[Any]:
        read = read_split(Split.parse(split), self._config, metrics.count)
        for kind, batch in metrics.timed("ingest", read):
            metrics.count(f"ingest/{kind}", batch.num_rows)
            yield batch if kind == "documents" else beam.pvalue.TaggedOutput("dead_letters", batch)
