"""Cutting boilerplate, wired into Beam."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa

import transforms.coders  # noqa: F401  # registers the coder of pa.RecordBatch
from transforms import metrics
from transforms.dedup.boilerplate import PARAGRAPH, RECURRING, recurring
from transforms.dedup.config import DedupConfig
from transforms.exchange import Exchange, Input, Spool
from transforms.partition import by_hash, to_one
from transforms.staging.boilerplate.paragraphs import (
    PLACE,
    TOLD,
    count_part,
    cut_part,
    read_recurring,
    summarise,
    write_recurring,
)

__all__ = ["CutBoilerplate"]


class CutBoilerplate(beam.PTransform):
    """Finds the paragraphs that recur across documents, and cuts them from parts.

    Input: batches of `PART`.
    Output: a dict with `parts` (PART): what near-deduplication sees, some of them written
    anew; and `summary`, one row of JSON for the manifest.

    Args:
        config: Of deduplication; `boilerplate.min_documents` is given.
        path: Where the recurring paragraphs are written.
        folder: Where parts are put that something was cut from.
        partitions: How many; paragraphs of all documents travel.
        spool: How they travel.
    """

    def __init__(
        self, config: DedupConfig, path: str, folder: str, partitions: int, spool: Spool
    ) -> None:
        super().__init__()
        self._config, self._path, self._folder = config, path, folder
        self._partitions, self._spool = partitions, spool

    def expand(self, parts: beam.PCollection) -> dict[str, beam.PCollection]:
        """Counts all paragraphs, then looks at each part again."""
        place = self._recurring(
            parts
            | "Spread parts" >> beam.Reshuffle().with_output_types(pa.RecordBatch)
            | "Hash paragraphs"
            >> beam.ParDo(_HashParagraphs(self._config)).with_output_types(pa.RecordBatch)
        )
        cutting = beam.ParDo(_CutParts(self._config, self._folder), beam.pvalue.AsList(place))
        typed = cutting.with_output_types(pa.RecordBatch, told=pa.RecordBatch)
        looked = (
            parts
            | "Spread parts again" >> beam.Reshuffle().with_output_types(pa.RecordBatch)
            | "Cut" >> typed.with_outputs("told", main="parts")
        )
        inputs = {
            "told": Input(TOLD, to_one),
            "place": Input(PLACE, to_one),
        }
        apply = functools.partial(summarise, config=self._config)
        summary = {"told": looked["told"], "place": place} | Exchange(
            "Sum boilerplate", inputs, 1, apply, ("summary",), self._spool
        )
        return {"parts": looked["parts"], "summary": summary["summary"]}

    def _recurring(self, paragraphs: beam.PCollection) -> beam.PCollection:
        """Where the recurring paragraphs are written; nowhere if there are none."""
        apply = functools.partial(recurring, min_documents=self._config.boilerplate.min_documents)
        found = {"paragraphs": paragraphs} | Exchange(
            "Count paragraphs",
            {"paragraphs": Input(PARAGRAPH, by_hash("paragraph"))},
            self._partitions,
            apply,
            ("recurring",),
            self._spool,
        )
        write = functools.partial(write_recurring, path=self._path)
        inputs = {"recurring": Input(RECURRING, to_one)}
        written = found | Exchange("Write recurring", inputs, 1, write, ("place",), self._spool)
        return written["place"]


class _HashParagraphs(beam.DoFn):
    def __init__(self, config: DedupConfig) -> None:
        self._config = config

    def process(self, parts: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        for path in parts.column("path").to_pylist():
            yield from metrics.timed("paragraphs", count_part(path, self._config))


class _CutParts(beam.DoFn):
    def __init__(self, config: DedupConfig, folder: str) -> None:
        self._config, self._folder = config, folder

    def process(self, parts: pa.RecordBatch, places: list[pa.RecordBatch]) -> Iterator[Any]:
        named = [path for batch in places for path in batch.column("path").to_pylist()]
        known = read_recurring(named)
        for number, part in enumerate(parts.to_pylist()):
            with metrics.cpu("boilerplate"):
                cut, told = cut_part(part, known, self._config, self._folder)
            yield beam.pvalue.TaggedOutput("told", told)
            yield parts.slice(number, 1) if cut is None else cut
