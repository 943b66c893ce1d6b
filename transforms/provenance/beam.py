"""`AssessProvenance`: the columns of `provenance`, appended in a pipeline."""

from __future__ import annotations

from collections.abc import Iterator

import apache_beam as beam
import pyarrow as pa

import transforms.coders  # noqa: F401  # registers the coder of pa.RecordBatch
from transforms import metrics
from transforms.commits import ends
from transforms.provenance.assess import assess
from transforms.provenance.config import ProvenanceConfig

__all__ = ["AssessProvenance"]


@beam.typehints.with_input_types(pa.RecordBatch)
@beam.typehints.with_output_types(pa.RecordBatch)
class AssessProvenance(beam.PTransform):
    """Appends the columns of `records.ORIGIN`; runs after `TagSynthetic`.

    Args:
        config: Which sources and dates are evidence.
    """

    def __init__(self, config: ProvenanceConfig) -> None:
        super().__init__()
        self._config = config

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        """Maps batch to batch."""
        return batches | "Weigh sources and dates" >> beam.ParDo(_Assess(self._config))


@beam.typehints.with_input_types(pa.RecordBatch)
@beam.typehints.with_output_types(pa.RecordBatch)
class _Assess(beam.DoFn):
    def __init__(self, config: ProvenanceConfig) -> None:
        self._config = config

    def process(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        if ends(batch):
            yield batch
            return
        with metrics.cpu("provenance"):
            origins = assess(batch, self._config)
        yield pa.RecordBatch.from_arrays(
            batch.columns + origins.columns,
            schema=pa.schema([*batch.schema, *origins.schema]),
        )
