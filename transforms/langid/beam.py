"""Wires language identification into a pipeline."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import cast

import apache_beam as beam
import pyarrow as pa
from apache_beam.utils import shared

import transforms.coders  # noqa: F401 (registers the coder of pa.RecordBatch)
from transforms import metrics
from transforms.commits import ends
from transforms.langid.config import LangidConfig
from transforms.langid.identify import identify
from transforms.langid.model import load_model
from transforms.langid.registry import load_registry

__all__ = ["IdentifyLanguage"]


class IdentifyLanguage(beam.PTransform):
    """Appends the columns `records.LANGUAGE` to batches that have `text`."""

    def __init__(self, config: LangidConfig) -> None:
        """Takes the settings; the model is loaded on the workers, once per process."""
        super().__init__()
        self._config = config

    def expand(self, batches: beam.PCollection[pa.RecordBatch]) -> beam.PCollection[pa.RecordBatch]:
        """Applies the step to a collection of batches."""
        return batches | "Identify languages" >> beam.ParDo(
            _Identify(self._config)
        ).with_output_types(pa.RecordBatch)


class _Identify(beam.DoFn):
    def __init__(self, config: LangidConfig) -> None:
        self._config = config
        self._shared = shared.Shared()

    def setup(self) -> None:
        load = functools.partial(load_model, self._config.model)
        # Shared holds the model weakly; the reference here keeps it for the next bundle.
        self._model = self._shared.acquire(load, tag=self._config.model)
        self._registry = load_registry()

    def process(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        if ends(batch):
            yield batch
            return
        text = cast(pa.StringArray, batch.column("text"))
        with metrics.cpu("langid"):
            added = identify(text, self._model, self._registry, self._config)
        fields = [*batch.schema, *added.schema]
        yield pa.RecordBatch.from_arrays([*batch.columns, *added.columns], schema=pa.schema(fields))
