"""`TagSynthetic`: the columns of `synthetic`, appended in a pipeline."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.utils import shared

import transforms.coders  # noqa: F401  # registers the coder of pa.RecordBatch
from transforms import metrics
from transforms.commits import ends
from transforms.synthetic.config import SyntheticConfig
from transforms.synthetic.score import Scorer, load_scorer
from transforms.synthetic.tag import tag

__all__ = ["TagSynthetic"]


@beam.typehints.with_input_types(pa.RecordBatch)
@beam.typehints.with_output_types(pa.RecordBatch)
class TagSynthetic(beam.PTransform):
    """Appends the columns of `records.SYNTHETIC`; needs `text`, `lang`, `origin_declared`.

    Args:
        config: Names the classifier.
        load: Loads a scorer by the classifier's path.
    """

    def __init__(
        self, config: SyntheticConfig, load: Callable[[str | None], Scorer] = load_scorer
    ) -> None:
        super().__init__()
        self._model, self._load = config.model, load

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        """Maps batch to batch."""
        return batches | "Score and search text" >> beam.ParDo(_Tag(self._model, self._load))


@beam.typehints.with_input_types(pa.RecordBatch)
@beam.typehints.with_output_types(pa.RecordBatch)
class _Tag(beam.DoFn):
    def __init__(self, model: str | None, load: Callable[[str | None], Scorer]) -> None:
        self._model, self._load = model, load
        self._shared = shared.Shared()

    def setup(self) -> None:
        # Shared holds the scorer weakly; the reference here keeps it for the next bundle.
        load = functools.partial(self._load, self._model)
        self._scorer: Scorer = self._shared.acquire(load, tag=self._model)

    def process(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        if ends(batch):
            yield batch
            return
        text, lang, declared = (self._column(batch, n) for n in ("text", "lang", "origin_declared"))
        with metrics.cpu("synthetic"):
            tags = tag(text, declared, *self._scorer(text, lang))
        yield pa.RecordBatch.from_arrays(
            batch.columns + tags.columns,
            schema=pa.schema([*batch.schema, *tags.schema]),
        )

    @staticmethod
    def _column(batch: pa.RecordBatch, name: str) -> Any:
        return batch.column(name)
