"""Reading the index, wired into Beam."""

from __future__ import annotations

from collections.abc import Iterator

import apache_beam as beam
import pyarrow as pa

import transforms.coders  # noqa: F401  # registers the coder of pa.RecordBatch
from transforms import metrics
from transforms.dedup.index import read

__all__ = ["ReadIndex"]


class ReadIndex(beam.PTransform):
    """Reads what a run compares with, as its staging folder pins it.

    Input: the path of the staging folder.
    Output: a dict of `published` (batches of `rows.PUBLISHED`: first appearances),
    `signature_parts` and `text_parts` (batches of `rows.PART`: where signatures and
    texts of published documents lie; a text that is gone has no row).
    """

    def expand(self, staging: beam.PCollection) -> dict[str, beam.PCollection]:
        """Spreads the pinned shards over the workers and reads them."""
        pins = (
            staging
            | "Name shards" >> beam.FlatMap(read.pinned_shards).with_output_types(pa.RecordBatch)
            | "Spread shards" >> beam.Reshuffle().with_output_types(pa.RecordBatch)
        )
        published = beam.ParDo(_ReadPublished()).with_output_types(pa.RecordBatch)
        return {
            "published": pins | "Read published" >> published,
            "signature_parts": pins
            | "Signature parts" >> beam.Map(read.signature_parts).with_output_types(pa.RecordBatch),
            "text_parts": pins
            | "Text parts" >> beam.Map(read.text_parts).with_output_types(pa.RecordBatch),
        }


class _ReadPublished(beam.DoFn):
    def process(self, pin: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        for rows in metrics.timed("index", read.published_rows(pin)):
            metrics.count("index/documents", rows.num_rows)
            yield rows
