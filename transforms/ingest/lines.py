"""Lines of a byte stream, with their positions, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO, NamedTuple

__all__ = ["Line", "seek_line", "split_lines"]

CHUNK = 1 << 20
"""Bytes read at once."""


class Line(NamedTuple):
    """One line.

    Attributes:
        position: Byte of the stream at which it starts.
        data: Its bytes without the line feed; only the beginning if it is too long.
        n_bytes: Its true length, without the line feed.
    """

    position: int
    data: bytes
    n_bytes: int


def split_lines(
    chunks: Iterable[bytes], position: int, limit: int, stop: int | None = None
) -> Iterator[Line]:
    """Cuts a stream at line feeds.

    Args:
        chunks: The stream, in pieces of any size.
        position: Where in the file the stream begins.
        limit: Of longer lines, only the first `limit` bytes at least are kept.
        stop: No line that starts here or later is wanted.

    Yields:
        Every line, the last one also without a line feed, unless it is empty.
    """
    held: list[bytes] = []
    kept = size = 0
    for chunk in chunks:
        first, *rest = chunk.split(b"\n")
        if kept <= limit:
            held.append(first)
            kept += len(first)
        size += len(first)
        for following in rest:
            yield Line(position, b"".join(held), size)
            position += size + 1
            if stop is not None and position >= stop:
                return
            held, kept, size = [following], len(following), len(following)
    if size:
        yield Line(position, b"".join(held), size)


def seek_line(source: BinaryIO, start: int) -> int:
    """Goes to the first line that starts at `start` or later; to the end if none does.

    Returns:
        Where that is.
    """
    position = max(start - 1, 0)
    source.seek(position)
    while start and (chunk := source.read(CHUNK)):
        found = chunk.find(b"\n")
        if found >= 0:
            return source.seek(position + found + 1)
        position += len(chunk)
    return position
