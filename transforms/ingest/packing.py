"""Numbering the accepted rows and cutting them into batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.errors import InputError
from transforms.ingest.config import IngestConfig
from transforms.ingest.splits import FILE_PARTS, PART_TEXT_BYTES, Split, part_id
from transforms.records import INGESTED, PART_BITS

__all__ = ["Packer"]


class Packer:
    """Turns windows of `validate.DOCUMENTS` into batches of `INGESTED`.

    The node of a row depends on the rows before it in the split alone, not on
    windows or batches. A batch lies within one part; it has at most `batch_rows`
    rows, and is closed by the row whose text reaches `batch_bytes`.
    """

    def __init__(self, split: Split, config: IngestConfig) -> None:
        self._split, self._config = split, config
        self._part, self._rolls_left = split.part, split.parts - 1
        self._part_rows = self._part_bytes = 0
        self._pending: list[pa.RecordBatch] = []
        self._rows = self._bytes = 0

    def add(self, window: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        """Takes in a window; hands on the batches that it completes.

        Raises:
            InputError: The file has more text than there are part numbers for.
        """
        text: Any = window.column("text")
        ends = np.cumsum(pc.binary_length(text).to_numpy().astype(np.int64))
        start = 0
        while start < window.num_rows:
            if self._part_is_full():
                yield from self.flush()
                self._next_part()
            before = int(ends[start - 1]) if start else 0
            stop = min(start + self._room(), window.num_rows)
            reached = int(np.searchsorted(ends, before + self._bytes_left())) + 1
            stop = min(stop, reached)
            self._take(window.slice(start, stop - start), int(ends[stop - 1]) - before)
            if self._rows >= self._config.batch_rows or self._bytes >= self._config.batch_bytes:
                yield from self.flush()
            start = stop

    def flush(self) -> Iterator[pa.RecordBatch]:
        """Hands on what is pending, as one batch."""
        if not self._pending:
            return
        rows = pa.Table.from_batches(self._pending).combine_chunks().to_batches()[0]
        first = part_id(self._split.file_no, self._part) << PART_BITS
        first += self._part_rows - self._rows
        nodes = np.arange(self._rows, dtype=np.uint64) + np.uint64(first)
        self._pending, self._rows, self._bytes = [], 0, 0
        yield pa.RecordBatch.from_arrays([pa.array(nodes), *rows.columns], schema=INGESTED)

    def _room(self) -> int:
        return min(self._config.batch_rows - self._rows, (1 << PART_BITS) - self._part_rows)

    def _bytes_left(self) -> int:
        """Bytes until the batch or the part is full; at least one."""
        left = self._config.batch_bytes - self._bytes
        return min(left, PART_TEXT_BYTES - self._part_bytes) if self._rolls_left else left

    def _take(self, rows: pa.RecordBatch, size: int) -> None:
        self._pending.append(rows)
        self._rows, self._bytes = self._rows + rows.num_rows, self._bytes + size
        self._part_rows, self._part_bytes = self._part_rows + rows.num_rows, self._part_bytes + size

    def _part_is_full(self) -> bool:
        by_text = self._rolls_left > 0 and self._part_bytes >= PART_TEXT_BYTES
        return by_text or self._part_rows >> PART_BITS > 0

    def _next_part(self) -> None:
        if self._part_bytes >= PART_TEXT_BYTES:
            self._rolls_left = max(self._rolls_left - 1, 0)
        self._part, self._part_rows, self._part_bytes = self._part + 1, 0, 0
        if self._part >= FILE_PARTS:
            raise InputError(
                f"{self._split.path} holds more than {FILE_PARTS} parts of 64 MiB of text; "
                "cut it into smaller files"
            )
