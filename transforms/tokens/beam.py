"""Wires the counting of tokens into a pipeline."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import apache_beam as beam
import pyarrow as pa
from apache_beam.utils import shared

import transforms.coders  # noqa: F401  # registers the coder of pa.RecordBatch
from transforms import metrics
from transforms.commits import ends
from transforms.tokens.tokenizer import load_tokenizer, with_tokens

__all__ = ["CountTokens"]


class CountTokens(beam.PTransform):
    """Fills `n_tokens` of batches that have `text` and `n_tokens`.

    Args:
        path: Of a `tokenizer.json` that workers can read; each process loads it once.
        digest: sha256 that the file has to have.
    """

    def __init__(self, path: str, digest: str) -> None:
        super().__init__()
        self._path, self._digest = path, digest

    def expand(self, batches: beam.PCollection) -> beam.PCollection:
        """Maps batch to batch."""
        return batches | "Count tokens" >> beam.ParDo(
            _CountTokens(self._path, self._digest)
        ).with_output_types(pa.RecordBatch)


class _CountTokens(beam.DoFn):
    def __init__(self, path: str, digest: str) -> None:
        self._path, self._digest = path, digest
        self._shared = shared.Shared()

    def setup(self) -> None:
        load = functools.partial(load_tokenizer, self._path, self._digest)
        # Shared holds the tokenizer weakly; the reference here keeps it for the next bundle.
        self._tokenizer = self._shared.acquire(load, tag=self._digest)

    def process(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        if ends(batch):
            yield batch
            return
        with metrics.cpu("tokens"):
            counted = with_tokens(batch, self._tokenizer)
        yield counted
