"""`TagSynthetic`: the columns of `synthetic`, appended in a pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa

import transforms.coders  # noqa: F401  # registers the coder of pa.RecordBatch
from transforms import metrics
from transforms.synthetic.tag import tag

__all__ = ["TagSynthetic"]


@beam.typehints.with_input_types(pa.RecordBatch)
@beam.typehints.with_output_types(pa.RecordBatch)
class TagSynthetic(beam.PTransform):
    """Appends the columns of `records.SYNTHETIC`; needs `text` and `origin_declared`."""

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        """Maps batch to batch."""
        return batches | "Search text for artefacts" >> beam.ParDo(_Tag())


@beam.typehints.with_input_types(pa.RecordBatch)
@beam.typehints.with_output_types(pa.RecordBatch)
class _Tag(beam.DoFn):
    def process(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        text: Any = batch.column("text")
        origin_declared: Any = batch.column("origin_declared")
        with metrics.cpu("synthetic"):
            tags = tag(text, origin_declared)
        yield pa.RecordBatch.from_arrays(
            batch.columns + tags.columns,
            schema=pa.schema([*batch.schema, *tags.schema]),
        )
