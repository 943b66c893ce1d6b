"""Cutting files into pieces that workers read at the same time, and numbering the rows.

A split is a byte range of a plain JSON Lines file, a run of row groups of a
Parquet file, or any other file as a whole: where a record starts in it cannot be known
without reading all before. Rows that a split accepts get
`node = part_id << 24 | row` with `part_id = file_no << 16 | part`; rows count from
0 in each part. A split owns `parts` part numbers from `part` on and moves to the
next whenever a part has 64 MiB of text, while it has more; and whenever a part has
2**24 rows, for which the plan leaves further numbers free. So parts of a file
never clash, and file numbers stay below 2**23: the upper half of all nodes is the
index of earlier runs (`records.INDEX_PART`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import orjson

from transforms import storage
from transforms.errors import InputError
from transforms.ingest.config import MAX_DOCUMENT_BYTES
from transforms.ingest.footer import CORRUPT, open_parquet
from transforms.ingest.listing import InputFile, fingerprint
from transforms.records import PART_BITS

__all__ = ["FILE_PARTS", "PART_TEXT_BYTES", "TARGET_BYTES", "Split", "part_id", "plan_splits"]

TARGET_BYTES = 32 << 20
"""Size of a split: on storage for JSON Lines, uncompressed for Parquet."""
PART_TEXT_BYTES = 64 << 20
"""Text after which a part is full."""
FILE_PARTS = 1 << 16
"""Part numbers of one file."""
_MAX_FILES = 1 << 23
_MAX_SPLITS = FILE_PARTS // 4


@dataclasses.dataclass(frozen=True)
class Split:
    """A piece of one file.

    Attributes:
        file_no: Place of the file in the list of inputs.
        part: First part number.
        parts: How many part numbers its text may use.
        path: Of the file.
        format: Of the file.
        size: Of the file, in bytes.
        digest: Of the file, as listed.
        start: First byte, or first row group.
        stop: Byte or row group after the last.
    """

    file_no: int
    part: int
    parts: int
    path: str
    format: str
    size: int
    digest: str
    start: int
    stop: int

    def __str__(self) -> str:
        return orjson.dumps(dataclasses.asdict(self)).decode()

    @classmethod
    def parse(cls, text: str) -> Split:
        """Reads what `str` wrote."""
        return cls(**orjson.loads(text))


def part_id(file_no: int, part: int) -> int:
    """The upper 40 bits of `node`."""
    return file_no << 16 | part


def plan_splits(file_no: int, file: InputFile, target_bytes: int = TARGET_BYTES) -> list[Split]:
    """Cuts a file into splits of about `target_bytes`.

    A Parquet file whose footer cannot be read gives one split without row groups,
    which reads as one dead letter.

    Raises:
        InputError: The file is not the one that was listed, or the numbers run out.
    """
    _check_unchanged(file)
    if file_no >= _MAX_FILES:
        raise InputError(f"{file.path} is file number {file_no}; at most {_MAX_FILES} are read")
    splits: list[Split] = []
    part = 0
    for start, stop, parts, spare in _cuts(file, target_bytes):
        splits.append(
            Split(
                file_no=file_no, part=part, parts=parts, start=start, stop=stop,
                path=file.path, format=file.format, size=file.size, digest=file.digest,
            )
        )  # fmt: skip
        part += parts + spare
    if part > FILE_PARTS:
        raise InputError(
            f"{file.path} needs {part} parts of staging, {FILE_PARTS} is the most for one "
            "file; cut it into smaller files"
        )
    return splits


def _check_unchanged(file: InputFile) -> None:
    if fingerprint(file.path) != (file.size, file.digest):
        raise changed(file.path)


def changed(path: str) -> InputError:
    """The error of a file that is not what was listed."""
    return InputError(
        f"{path} changed since it was listed; leave input alone during a run, and list it again"
    )


def _cuts(file: InputFile, target_bytes: int) -> Iterator[tuple[int, int, int, int]]:
    """Start, stop, parts for text, and parts to spare for rows, of each split."""
    target = max(target_bytes, 1)
    if file.format == "parquet":
        yield from _row_group_cuts(file, target)
    elif file.format == "jsonl":
        # A line may reach beyond the range; a record has at least ten bytes, so that
        # rows never fill a part before 160 MiB.
        target = max(target, file.size // _MAX_SPLITS)
        for start in range(0, file.size, target):
            length = min(target, file.size - start)
            parts = 1 + (length + MAX_DOCUMENT_BYTES) // PART_TEXT_BYTES
            yield start, start + length, parts, length // (10 << PART_BITS)
    else:
        yield 0, file.size, FILE_PARTS, 0


def _row_group_cuts(file: InputFile, target: int) -> Iterator[tuple[int, int, int, int]]:
    with storage.open_input(file.path) as source:
        try:
            groups = open_parquet(source).groups
        except CORRUPT:
            yield 0, 0, 1, 0
            return
    target = max(target, sum(group.size for group in groups) // _MAX_SPLITS)
    start = size = rows = 0
    for i, group in enumerate(groups):
        size, rows = size + group.size, rows + group.rows
        if size >= target or rows >> PART_BITS or i + 1 == len(groups):
            yield start, i + 1, 1 + size // PART_TEXT_BYTES, rows >> PART_BITS
            start, size, rows = i + 1, 0, 0
