"""Streams of gzip and Zstandard files that give up everything before the damage."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol

import zstandard

__all__ = ["DamagedError", "decompress"]

_ERRORS = (zlib.error, zstandard.ZstdError)
_OUT = 1 << 20
"""Output is handed on in pieces of about this size."""
_MAX_WINDOW = 1 << 31
"""Dumps made with `zstd --long=31` need it; a frame takes what its header asks for."""


class DamagedError(Exception):
    """The stream is cut off or corrupt.

    Attributes:
        consumed: Bytes of the file that were decoded.
    """

    def __init__(self, message: str, consumed: int) -> None:
        super().__init__(message)
        self.consumed = consumed


class _Decoder(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


def _gzip() -> _Decoder:
    return zlib.decompressobj(wbits=31)


def _zstd() -> _Decoder:
    return zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).decompressobj(
        write_size=16 << 10
    )


# Bytes decoded in one call: a byte of gzip gives at most 1,032, four of Zstandard 128 KiB.
_CODECS: dict[str, tuple[Callable[[], _Decoder], int]] = {
    "gz": (_gzip, 32 << 10),
    "zst": (_zstd, 4 << 10),
}


def decompress(source: BinaryIO, codec: str) -> Iterator[bytes]:
    """Decodes all members or frames of a file.

    Args:
        source: Seekable, at its start.
        codec: `gz` or `zst`.

    Yields:
        Pieces of the decompressed stream, in bounded memory.

    Raises:
        DamagedError: After all bytes that could be decoded have been yielded.
    """
    make, step = _CODECS[codec]
    held: list[bytes] = []
    size = 0
    try:
        for piece in _members(source, make, step):
            held.append(piece)
            size += len(piece)
            if size >= _OUT:
                yield b"".join(held)
                held, size = [], 0
    except DamagedError:
        yield b"".join(held)
        raise
    yield b"".join(held)


def _members(source: BinaryIO, make: Callable[[], _Decoder], step: int) -> Iterator[bytes]:
    begin = 0
    while _more(source, begin):
        decoder, position = make(), begin
        while not decoder.eof:
            chunk = source.read(step)
            if not chunk:
                raise DamagedError("the file ends within the compressed stream", position)
            try:
                yield decoder.decompress(chunk)
            except _ERRORS:
                yield from _rescue(source, make(), step, begin, position)
            position += len(chunk)
        begin = position - len(decoder.unused_data)


def _more(source: BinaryIO, begin: int) -> bool:
    """Whether anything but padding with zeros follows; stands at `begin` if so."""
    source.seek(begin)
    while (chunk := source.read(4096)) and begin and not chunk.strip(b"\0"):
        pass
    source.seek(begin)
    return bool(chunk)


def _rescue(
    source: BinaryIO, decoder: _Decoder, step: int, begin: int, position: int
) -> Iterator[bytes]:
    """Decodes again, byte by byte where it failed: that call gave nothing of what it had."""
    source.seek(begin)
    for _ in range((position - begin) // step):
        decoder.decompress(source.read(step))
    while byte := source.read(1):
        try:
            yield decoder.decompress(byte)
        except _ERRORS as e:
            raise DamagedError(f"{type(e).__name__}: {e}", position) from e
        position += 1
