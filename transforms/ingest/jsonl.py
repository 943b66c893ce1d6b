"""JSON Lines: plain by byte range, compressed from end to end.

A record is a line that holds a JSON object in UTF-8. Blank lines, carriage returns
at the end and a byte order mark at the start are fine; any other line that is no
record becomes a dead letter at the byte where it starts in the decompressed stream.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import orjson

from transforms import storage
from transforms.ingest.config import IngestConfig
from transforms.ingest.decompress import DamagedError, decompress
from transforms.ingest.lines import CHUNK, Line, seek_line, split_lines
from transforms.ingest.splits import Split
from transforms.ingest.validate import Judged, excerpt
from transforms.ingest.window import Window

__all__ = ["line_limit", "read_jsonl"]

_BOM = b"\xef\xbb\xbf"


def read_jsonl(split: Split, config: IngestConfig) -> Iterator[Judged]:
    """Reads a split, window by window.

    Raises:
        StorageError: The file cannot be read; that it is damaged is a dead letter.
    """
    window = Window(split.path, config)
    limit = line_limit(config)
    following = 0
    with storage.open_input(split.path) as source:
        try:
            for line in _lines(source, split, limit, config):
                following = line.position + line.n_bytes + 1
                _add(window, line, limit)
                if window.full():
                    yield window.take()
        except DamagedError as e:
            window.reject(following, split.size - e.consumed, e.reason, excerpt(str(e)))
        yield window.take()


def line_limit(config: IngestConfig) -> int:
    """Longest line that is held: room for escapes in the text, and for the other fields."""
    return 2 * config.max_document_bytes + (1 << 20)


def _lines(source: BinaryIO, split: Split, limit: int, config: IngestConfig) -> Iterator[Line]:
    if split.format != "jsonl":
        codec = split.format.removeprefix("jsonl.")
        yield from split_lines(decompress(source, codec, config.limits), 0, limit)
        return
    position = seek_line(source, split.start)
    if position < split.stop:
        chunks = iter(lambda: source.read(CHUNK), b"")
        yield from split_lines(chunks, position, limit, split.stop)


def _add(window: Window, line: Line, limit: int) -> None:
    """Takes in one line."""
    if line.position == 0 and line.data.startswith(_BOM):
        line = Line(len(_BOM), line.data[len(_BOM) :], line.n_bytes - len(_BOM))
    if line.n_bytes > limit:
        window.reject(line.position, line.n_bytes, "oversized", line.data)
    elif line.data and not line.data.isspace():
        _parse(window, line)


def _parse(window: Window, line: Line) -> None:
    try:
        record = orjson.loads(line.data)
    except orjson.JSONDecodeError:
        reason = "invalid_json" if _is_utf8(line.data) else "invalid_utf8"
        window.reject(line.position, line.n_bytes, reason, line.data)
        return
    if type(record) is not dict:
        window.reject(line.position, line.n_bytes, "not_an_object", line.data)
        return
    window.add(line.position, line.n_bytes, record, line.data)


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
