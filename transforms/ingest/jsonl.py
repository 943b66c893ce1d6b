"""JSON Lines: plain by byte range, compressed from end to end.

A record is a line that holds a JSON object in UTF-8. Blank lines, carriage returns
at the end and a byte order mark at the start are fine; any other line that is no
record becomes a dead letter at the byte where it starts in the decompressed stream.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, BinaryIO

import orjson
import pyarrow as pa

from transforms import storage
from transforms.ingest.config import IngestConfig
from transforms.ingest.decompress import DamagedError, decompress
from transforms.ingest.lines import CHUNK, Line, seek_line, split_lines
from transforms.ingest.mapping import MISSING, Record, find, metadata_json, scalar_text, without
from transforms.ingest.splits import Split
from transforms.ingest.validate import NO_DOCUMENTS, DeadLetter, Judged, excerpt, judge, raw_batch

__all__ = ["read_jsonl"]

_ROLES = ("id", "url", "source", "lang", "origin")
_WINDOW_ROWS = 1000
_WINDOW_BYTES = 8 << 20
_BOM = b"\xef\xbb\xbf"
_FAULTS = (TypeError, ValueError, RecursionError)


def read_jsonl(split: Split, config: IngestConfig) -> Iterator[Judged]:
    """Reads a split, window by window.

    Raises:
        StorageError: The file cannot be read; that it is damaged is a dead letter.
    """
    window = _Window(split.path, config)
    with storage.open_input(split.path) as source:
        try:
            for line in _lines(source, split, line_limit(config)):
                window.add(line)
                if window.full():
                    yield window.take()
        except DamagedError as e:
            lost = split.size - e.consumed
            rest = DeadLetter(
                split.path, window.following, "unreadable_rest", excerpt(str(e)), lost
            )
            window.letters.append(rest)
        yield window.take()


def line_limit(config: IngestConfig) -> int:
    """Longest line that is held: room for escapes in the text, and for the other fields."""
    return 2 * config.max_document_bytes + (1 << 20)


def _lines(source: BinaryIO, split: Split, limit: int) -> Iterator[Line]:
    if split.format != "jsonl":
        codec = split.format.removeprefix("jsonl.")
        yield from split_lines(decompress(source, codec), 0, limit)
        return
    position = seek_line(source, split.start)
    if position < split.stop:
        chunks = iter(lambda: source.read(CHUNK), b"")
        yield from split_lines(chunks, position, limit, split.stop)


class _Window:
    """Records and dead letters that have not been handed on.

    Attributes:
        following: Where the line after the last one starts.
        letters: Dead letters so far.
    """

    def __init__(self, path: str, config: IngestConfig) -> None:
        self._path, self._limit = path, line_limit(config)
        self._max_bytes = config.max_document_bytes
        self._fields = config.fields
        self._columns = {role: getattr(config.fields, role) for role in _ROLES}
        self._mapped = frozenset([*self._columns.values(), self._fields.text, self._fields.date])
        self.following = 0
        self._clear()

    def _clear(self) -> None:
        self.letters: list[DeadLetter] = []
        self._rows: list[tuple[Any, ...]] = []
        self._bytes = 0

    def full(self) -> bool:
        """Whether it is time to `take`."""
        rows = len(self._rows) + len(self.letters)
        return rows >= _WINDOW_ROWS or self._bytes >= _WINDOW_BYTES

    def add(self, line: Line) -> None:
        """Takes in one line."""
        self.following = line.position + line.n_bytes + 1
        if line.position == 0 and line.data.startswith(_BOM):
            line = Line(len(_BOM), line.data[len(_BOM) :], line.n_bytes - len(_BOM))
        if line.n_bytes > self._limit:
            self._reject(line, "oversized")
        elif line.data and not line.data.isspace():
            self._parse(line)

    def take(self) -> Judged:
        """Judges what is held, and holds nothing."""
        rows, letters = self._rows, self.letters
        self._clear()
        if not rows:
            return NO_DOCUMENTS, letters
        position, n_bytes, text, date, metadata, *strings = zip(*rows, strict=True)
        columns = dict(zip(_ROLES, strings, strict=True)) | {"text": text}
        arrays = {name: pa.array(column, pa.string()) for name, column in columns.items()}
        records = raw_batch(position, n_bytes, pa.array(date, pa.string()), metadata, arrays)
        documents, more = judge(records, self._path, self._max_bytes, self._fields.origin)
        return documents, letters + more

    def _parse(self, line: Line) -> None:
        try:
            record = orjson.loads(line.data)
        except orjson.JSONDecodeError:
            self._reject(line, "invalid_json" if _is_utf8(line.data) else "invalid_utf8")
            return
        if type(record) is not dict:
            self._reject(line, "not_an_object")
            return
        text = find(record, self._fields.text)
        if type(text) is not str:
            self._reject(line, _text_fault(text))
            return
        try:
            self._accept(line, record, text)
        except _FAULTS:
            self._reject(line, "unreadable_record")

    def _accept(self, line: Line, record: Record, text: str) -> None:
        date = _date_text(find(record, self._fields.date))
        metadata = metadata_json(without(record, self._mapped))
        strings = [scalar_text(find(record, name)) for name in self._columns.values()]
        self._rows.append((line.position, line.n_bytes, text, date, metadata, *strings))
        self._bytes += line.n_bytes

    def _reject(self, line: Line, reason: str) -> None:
        self.letters.append(
            DeadLetter(self._path, line.position, reason, excerpt(line.data), line.n_bytes)
        )


def _text_fault(text: Any) -> str:
    if text is MISSING:
        return "missing_text"
    return "null_text" if text is None else "text_not_string"


def _date_text(value: Any) -> str | None:
    """A date as text; a fraction of a number is cut, as it is in a column of floats."""
    return str(math.floor(value)) if type(value) is float else scalar_text(value)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
