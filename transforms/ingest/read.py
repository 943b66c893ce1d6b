"""Reading a split, whatever its format."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Literal

import pyarrow as pa

from transforms import storage
from transforms.ingest.archives import Count, read_archive
from transforms.ingest.config import IngestConfig
from transforms.ingest.jsonl import read_jsonl
from transforms.ingest.packing import Packer
from transforms.ingest.parquet import read_parquet
from transforms.ingest.splits import Split, changed
from transforms.ingest.tables import read_table
from transforms.ingest.validate import Judged, letters_batch

__all__ = ["Kind", "read_split"]

Kind = Literal["documents", "dead"]


def _uncounted(reason: str, n: int) -> None:
    """Counts nothing."""


def read_split(
    split: Split, config: IngestConfig, count: Count = _uncounted
) -> Iterator[tuple[Kind, pa.RecordBatch]]:
    """Reads a split in batches of documents and of dead letters.

    Args:
        split: What to read.
        config: How.
        count: Takes in records of archives that are no documents by what they are, by reason.

    Yields:
        `("documents", batch)` with the schema `records.INGESTED`, and
        `("dead", batch)` with the schema `records.DEAD_LETTERS`.

    Raises:
        InputError: The file changed, or lacks a column that has to be there.
        StorageError: The file cannot be read.
    """
    with storage.open_input(split.path) as source:
        if source.seek(0, os.SEEK_END) != split.size:
            raise changed(split.path)
    packer = Packer(split, config)
    for documents, letters in _read(split, config, count):
        if letters:
            yield "dead", letters_batch(letters)
        for batch in packer.add(documents):
            yield "documents", batch
    for batch in packer.flush():
        yield "documents", batch


def _read(split: Split, config: IngestConfig, count: Count) -> Iterator[Judged]:
    kind = split.format.partition(".")[0]
    if kind == "warc":
        return read_archive(split, config, count)
    return {
        "parquet": read_parquet,
        "jsonl": read_jsonl,
        "csv": read_table,
        "tsv": read_table,
    }[kind](split, config)
