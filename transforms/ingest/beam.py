"""`ReadDocuments`: ingest in a pipeline."""

from __future__ import annotations

import dataclasses
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import apache_beam as beam
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

import transforms.coders  # noqa: F401  # registers the coder of pa.RecordBatch
from transforms import metrics, storage
from transforms.commits import Commits, labelled
from transforms.ingest.config import IngestConfig
from transforms.ingest.listing import InputFile, read_inputs
from transforms.ingest.read import read_split
from transforms.ingest.splits import Split, plan_splits
from transforms.records import DEAD_LETTERS, INGESTED, SKIPPED

__all__ = ["ReadDocuments"]


@beam.typehints.with_input_types(str)
class ReadDocuments(beam.PTransform):
    """Reads the files of an `inputs.jsonl`.

    Input: the path of `inputs.jsonl`, as written by `listing.write_inputs`.
    Output: `documents` with batches of `records.INGESTED`, `dead_letters` with batches of
    `records.DEAD_LETTERS`, and `skipped` with batches of `records.SKIPPED`.

    Args:
        config: How the files are read.
        commits: Splits that are staged already; their rows are not read again, and every
            split is followed by its end. None reads all, without ends.
    """

    def __init__(self, config: IngestConfig, commits: Commits | None = None) -> None:
        super().__init__()
        self._config, self._commits = config, commits

    def expand(self, inputs: beam.PCollection) -> dict[str, beam.PCollection]:
        """Lists, cuts and reads; both kinds of pieces are spread over the workers."""
        read = beam.ParDo(_ReadSplit(self._config, self._commits))
        others = ("dead_letters", "skipped")
        read = read.with_output_types(pa.RecordBatch, **dict.fromkeys(others, pa.RecordBatch))
        outputs = (
            inputs
            | "List inputs" >> beam.ParDo(_ListInputs())
            | "Spread files" >> beam.Reshuffle()
            | "Plan splits" >> beam.ParDo(_PlanSplits())
            | "Spread splits" >> beam.Reshuffle()
            | "Read splits" >> read.with_outputs(*others, main="documents")
        )
        return {name: outputs[name] for name in ("documents", *others)}


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
    def __init__(self, config: IngestConfig, commits: Commits | None) -> None:
        self._config, self._commits = config, commits

    def process(self, split: str) -> Iterator[Any]:
        commit = self._commits.find(split) if self._commits else None
        if self._commits is None:
            yield from self._read(split, None)
        elif commit is None:
            # Names are an attempt's own; the one that counts is in the commit.
            yield from self._read(split, f"{self._commits.key(split)}-{uuid.uuid4().hex}")
        else:
            for batch in staged_letters(self._commits.staging, commit["dead"]):
                yield beam.pvalue.TaggedOutput("dead_letters", batch)
            yield from _skipped(split, commit["skipped"])
            yield self._commits.staged(INGESTED, commit)

    def _read(self, split: str, attempt: str | None) -> Iterator[Any]:
        documents, dead, skipped = 0, list[str](), Counter[str]()

        def skip(reason: str, n: int) -> None:
            skipped[reason] += n
            metrics.count(f"ingest/skipped:{reason}", n)

        read = read_split(Split.parse(split), self._config, skip)
        for kind, batch in metrics.timed("ingest", read):
            metrics.count(f"ingest/{kind}", batch.num_rows)
            if kind == "documents":
                documents += batch.num_rows
                yield batch
                continue
            named = batch
            if attempt is not None:
                dead.append(f"dead_letters/{attempt}-{len(dead)}.parquet")
                named = labelled(batch, dead[-1])
            yield beam.pvalue.TaggedOutput("dead_letters", named)
        yield from _skipped(split, skipped)
        if self._commits is not None:
            yield self._commits.end(INGESTED, split, documents, dead, skipped)


def _skipped(split: str, skipped: Mapping[str, int]) -> Iterator[Any]:
    """A batch of `SKIPPED` for what of a split is no document by what it is; none for nothing."""
    if skipped:
        path = Split.parse(split).path
        rows = [
            {"file": path, "reason": reason, "records": n} for reason, n in sorted(skipped.items())
        ]
        batch = pa.RecordBatch.from_pylist(rows, schema=SKIPPED)
        yield beam.pvalue.TaggedOutput("skipped", batch)


def staged_letters(staging: str, names: list[str]) -> Iterator[pa.RecordBatch]:
    """The dead letters (DEAD_LETTERS) of a split that is staged already."""
    for name in names:
        with storage.open_input(storage.join(staging, name)) as source:
            rows = pq.ParquetFile(source).read().cast(DEAD_LETTERS)
        for batch in rows.combine_chunks().to_batches():
            yield labelled(batch, name, written=True)
