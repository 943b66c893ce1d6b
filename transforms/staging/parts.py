"""Parts: the Parquet files of staging, one for each split of the input."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from transforms import storage
from transforms.commits import Commits
from transforms.dedup.rows import PART
from transforms.errors import LedgerError
from transforms.records import PART_BITS, STAGED

__all__ = ["PartWriter", "SplitWriter", "part_of"]

_GROUP_ROWS = 4096
_GROUP_BYTES = 16 << 20
_DICTIONARY = ["source", "lang", "lang_second", "lang_declared", "origin_declared"]
_DICTIONARY += ["lang_best", "lang_other", "script"]
_DICTIONARY += ["synthetic_tag", "origin", "origin_tier"]
# Hashes and signatures do not compress; what repeats does so well at the fastest level.
_STORED = ("doc_id", "text_hash", "signature")
_CODECS = {field.name: "none" if field.name in _STORED else "zstd" for field in STAGED}


def part_of(batch: pa.RecordBatch) -> int:
    """The part that all rows of a batch belong to.

    Raises:
        LedgerError: The rows belong to several parts.
    """
    numbers = np.unique(batch.column("node").to_numpy() >> np.uint64(PART_BITS))
    if len(numbers) != 1:
        raise LedgerError(f"a batch holds rows of parts {numbers.tolist()}; it must hold one")
    return int(numbers[0])


class PartWriter:
    """Writes the rows of one part, in the order in which they were read.

    The name is unique per attempt: which attempt counts travels in the data.

    Args:
        folder: Where the part is put.
        part: Its number.
    """

    def __init__(self, folder: str, part: int) -> None:
        self._part, self._rows = part, 0
        self._path = storage.join(folder, f"part-{part:010d}-{uuid.uuid4().hex}.parquet")
        self._pending: list[pa.RecordBatch] = []
        self._sink = storage.create(self._path)
        self._writer = pq.ParquetWriter(
            self._sink,
            STAGED,
            compression=_CODECS,
            compression_level={name: 1 for name, codec in _CODECS.items() if codec == "zstd"},
            use_dictionary=_DICTIONARY,
            write_statistics=False,
        )

    def write(self, batch: pa.RecordBatch) -> None:
        """Appends a batch.

        Raises:
            LedgerError: Its rows do not follow on those before: one was lost.
        """
        first = np.uint64(self._part << PART_BITS) + np.uint64(self._rows)
        expected = first + np.arange(batch.num_rows, dtype=np.uint64)
        if not np.array_equal(batch.column("node").to_numpy(), expected):
            raise LedgerError(
                f"part {self._part} of staging: the rows after row {self._rows} do not follow on "
                "it; a step between reading and staging lost or repeated a document"
            )
        self._rows += batch.num_rows
        self._pending.append(batch.select(STAGED.names).cast(STAGED))
        rows = sum(pending.num_rows for pending in self._pending)
        if rows >= _GROUP_ROWS or sum(p.nbytes for p in self._pending) >= _GROUP_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._pending:
            table = pa.Table.from_batches(self._pending).combine_chunks()
            self._writer.write_table(table, row_group_size=len(table))
            self._pending = []

    def close(self) -> pa.RecordBatch:
        """Finishes the file; its row of `PART`."""
        self._flush()
        self._writer.close()
        self._sink.close()
        return pa.record_batch([[self._part], [self._path], [self._rows], [0]], schema=PART)


class SplitWriter:
    """Writes the parts of splits, one split after the other, and commits each at its end.

    Args:
        folder: Where the parts are put.
        commits: Where splits are committed; None where nothing says that a split ends, and
            parts are given out as they are finished.
    """

    def __init__(self, folder: str, commits: Commits | None) -> None:
        self._folder, self._commits = folder, commits
        self._open: tuple[int, PartWriter] | None = None
        self._finished: list[pa.RecordBatch] = []

    def write(self, batch: pa.RecordBatch) -> list[pa.RecordBatch]:
        """Writes a batch to its part; the rows of `PART` that may go on."""
        part = part_of(batch)
        if self._open is None or self._open[0] != part:
            self._finish()
            self._open = part, PartWriter(self._folder, part)
        self._open[1].write(batch)
        return [] if self._commits else self._given()

    def end(self, end: dict[str, Any], count: Callable[[str, int], None]) -> list[pa.RecordBatch]:
        """Commits a split, or takes over what is committed of it; its rows of `PART`.

        Raises:
            LedgerError: Its reader read more documents than arrived, or fewer.
        """
        self._finish()
        given, commits = self._given(), self._commits
        if commits is None:
            return given
        if "commit" in end:
            count("resume/splits", 1)
            count("resume/documents", end["commit"]["documents"])
            return [_part(row) for row in commits.parts(end["commit"])]
        rows = [row for part in given for row in part.to_pylist()]
        arrived = sum(row["rows"] for row in rows)
        if arrived != end["documents"]:
            raise LedgerError(
                f"{end['documents']} documents were read from split {end['split']}, and {arrived} "
                "arrived in staging; a step between reading and staging lost or repeated some"
            )
        commits.write(end, rows)
        return given

    def close(self) -> list[pa.RecordBatch]:
        """The rows of `PART` that are left when no batch follows.

        Raises:
            LedgerError: The end of a split never came.
        """
        self._finish()
        if self._commits and self._finished:
            raise LedgerError(
                f"part {self._finished[0].column('part')[0]} of staging has no end; a step between "
                "reading and staging lost it"
            )
        return self._given()

    def _finish(self) -> None:
        if self._open is not None:
            self._finished.append(self._open[1].close())
            self._open = None

    def _given(self) -> list[pa.RecordBatch]:
        given, self._finished = self._finished, []
        return given


def _part(row: dict[str, Any]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([row], schema=PART)
