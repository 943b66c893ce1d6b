"""CSV and TSV with a header row, plain or compressed, from end to end.

Cells are in UTF-8, quoted by RFC 4180 where they hold separators, quotes or line feeds;
so may those of TSV be. An empty cell is an absent field, but for the text's. A row with
more or fewer cells than the header is a dead letter at the byte where it starts in the
decompressed stream. A quote that is never closed takes with it what follows, up to the
next quote.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterator
from typing import Any, BinaryIO

from transforms import storage
from transforms.errors import InputError
from transforms.ingest.config import FieldMapping, IngestConfig
from transforms.ingest.decompress import DamagedError, decompress
from transforms.ingest.jsonl import line_limit
from transforms.ingest.lines import CHUNK, Line, split_lines
from transforms.ingest.splits import Split
from transforms.ingest.validate import Judged, excerpt
from transforms.ingest.window import Window

__all__ = ["read_table"]

_BOM = b"\xef\xbb\xbf"


class _TooLongError(Exception):
    """A row takes more than may be held."""


class _Lines:
    """The lines of one row after another, as `csv` takes them.

    Attributes:
        begin: Where the row starts.
        size: Its bytes so far.
        head: How it begins.
    """

    def __init__(self, lines: Iterator[Line], limit: int) -> None:
        self._lines, self._limit = lines, limit
        self.begin = self.size = 0
        self.head = b""

    def start(self) -> None:
        """Begins a row."""
        self.begin, self.size, self.head = self.begin + self.size, 0, b""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        data = line.data.removeprefix(_BOM) if line.position == 0 else line.data
        self.head = self.head or data[:1024]
        self.size += line.n_bytes + 1
        if self.size > self._limit:
            raise _TooLongError
        return data.decode("utf-8", "surrogateescape") + "\n"


def read_table(split: Split, config: IngestConfig) -> Iterator[Judged]:
    """Reads a file, window by window.

    Raises:
        InputError: The header names a column twice, or lacks the text column or one that
            the user named.
        StorageError: The file cannot be read; that it is damaged is a dead letter.
    """
    kind, _, codec = split.format.partition(".")
    window = Window(split.path, config)
    limit = line_limit(config)
    csv.field_size_limit(limit)  # the same for all readers of this process
    with storage.open_input(split.path) as source:
        lines = _Lines(split_lines(_chunks(source, codec, config), 0, limit), limit)
        rows = csv.reader(lines, delimiter="\t" if kind == "tsv" else ",", strict=True)
        try:
            names = _header(split.path, rows, config.fields)
            while names and _row(rows, lines, names, window, config.fields.text):
                if window.full():
                    yield window.take()
        except DamagedError as e:
            window.reject(lines.begin, split.size - e.consumed, e.reason, excerpt(str(e)))
        yield window.take()


def _chunks(source: BinaryIO, codec: str, config: IngestConfig) -> Iterator[bytes]:
    if codec:
        return decompress(source, codec, config.limits)
    return iter(lambda: source.read(CHUNK), b"")


def _header(path: str, rows: Any, fields: FieldMapping) -> list[str]:
    """Names of the columns; none in an empty file."""
    try:
        names: list[str] = next(rows, [])
        "".join(names).encode()
    except (csv.Error, _TooLongError, UnicodeEncodeError) as e:
        raise InputError(
            f"{path} has no header row of column names in UTF-8 ({type(e).__name__}); mend it, "
            "or leave the file out"
        ) from e
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{path} has two columns named {excerpt(twice[0])!r}; rename one of them")
    roles = FieldMapping.model_fields if names else ()
    for name in (getattr(fields, role) for role in roles if fields.required(role)):
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1, cutoff=0)[0]
            raise InputError(
                f"{path} has no column {name!r}; the nearest is {excerpt(near)!r}. Name the "
                "right one in the fields of ingest."
            )
    return names


def _row(rows: Any, lines: _Lines, names: list[str], window: Window, text: str) -> bool:
    """Takes in the next row; whether there was one."""
    lines.start()
    try:
        row: list[str] | None = next(rows, None)
        fault = _fault(row, len(names)) if row else None
    except csv.Error:
        row, fault = [], "invalid_csv"
    except _TooLongError:
        row, fault = [], "oversized"
    if fault:
        window.reject(lines.begin, lines.size, fault, lines.head)
    elif row:
        record = {
            name: cell if cell or name == text else None
            for name, cell in zip(names, row, strict=True)
        }
        window.add(lines.begin, lines.size, record, lines.head)
    return row is not None


def _fault(row: list[str], columns: int) -> str | None:
    try:
        "".join(row).encode()
    except UnicodeEncodeError:
        return "invalid_utf8"
    return None if len(row) == columns else "ragged_row"
