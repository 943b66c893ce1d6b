"""Compressed files, in bounded memory, that give up everything before the damage.

A file that unpacks to more than its limits allow counts as damaged there: what makes a
few kilobytes into terabytes is no corpus.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple, Protocol

import zstandard

__all__ = ["CODECS", "UNLIMITED", "DamagedError", "Limits", "decompress", "members"]

_ERRORS = (zlib.error, zstandard.ZstdError, lzma.LZMAError, OSError, EOFError)
_OUT = 1 << 20
"""Output is handed on in pieces of about this size."""
_MAX_WINDOW = 1 << 31
"""Dumps made with `zstd --long=31` need it; a frame takes what its header asks for."""
_MAX_XZ = 1 << 30
"""Memory that an xz header may ask for: `xz -9` takes 65 MiB, its largest dictionary 4 GiB."""
_GRACE = 64 << 20
"""Unpacked bytes of which no ratio is asked: small files of one repeated line are no attack."""


class DamagedError(Exception):
    """The stream is cut off, corrupt, or larger than it may be.

    Attributes:
        consumed: Bytes of the file that were decoded.
        reason: Of the dead letter that stands for the rest.
        begin: Where the member starts that is damaged.
    """

    def __init__(self, message: str, consumed: int, reason: str = "unreadable_rest") -> None:
        super().__init__(message)
        self.consumed, self.reason, self.begin = consumed, reason, 0


class Limits(NamedTuple):
    """What a compressed file may become.

    Attributes:
        ratio: Most unpacked bytes per byte on storage, beyond the first 64 MiB.
        size: Most unpacked bytes.
    """

    ratio: int
    size: int

    def check(self, consumed: int, made: int) -> None:
        """Raises a DamagedError where `consumed` bytes became more than they may."""
        most = min(self.size, max(_GRACE, self.ratio * consumed))
        if made > most:
            raise DamagedError(
                f"decompression bomb: {consumed} bytes unpack to more than {most}; if they are "
                "meant to, raise ingest.max_ratio or ingest.max_unpacked_bytes",
                consumed,
                "unreadable_bomb",
            )


UNLIMITED = Limits(1 << 40, 1 << 60)
"""For callers that bound the output themselves."""


class _Decoder(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class _Capped(Protocol):
    """A decoder of the standard library that hands on as much as it is asked for."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def _gzip() -> _Decoder:
    return zlib.decompressobj(wbits=31)


def _zstd() -> _Decoder:
    return zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).decompressobj(
        write_size=16 << 10
    )


def _xz() -> _Capped:
    return lzma.LZMADecompressor(memlimit=_MAX_XZ)


# Bytes decoded in one call: a byte of gzip gives at most 1,032, four of Zstandard 128 KiB.
# The other two are asked for no more than `_OUT` at once.
CODECS: dict[str, tuple[Callable[[], _Decoder | _Capped], int]] = {
    "gz": (_gzip, 32 << 10),
    "zst": (_zstd, 1 << 10),
    "bz2": (bz2.BZ2Decompressor, 32 << 10),
    "xz": (_xz, 32 << 10),
}
"""Endings of compressed files, how they are decoded, and bytes that are read at once."""


def decompress(source: BinaryIO, codec: str, limits: Limits = UNLIMITED) -> Iterator[bytes]:
    """Decodes all members or frames of a file.

    Args:
        source: Seekable, at its start.
        codec: One of `CODECS`.
        limits: What the file may become.

    Yields:
        Pieces of the decompressed stream, in bounded memory.

    Raises:
        DamagedError: After all bytes that could be decoded have been yielded.
    """
    held: list[bytes] = []
    size = 0
    try:
        for _, piece in members(source, codec, limits):
            held.append(piece)
            size += len(piece)
            if size >= _OUT:
                yield b"".join(held)
                held, size = [], 0
    except DamagedError:
        yield b"".join(held)
        raise
    yield b"".join(held)


def members(
    source: BinaryIO, codec: str, limits: Limits = UNLIMITED, begin: int = 0
) -> Iterator[tuple[int, bytes]]:
    """Decodes members or frames from byte `begin` on, where one has to start.

    Yields:
        The byte at which the member starts, and a piece of what it holds.

    Raises:
        DamagedError: After all bytes that could be decoded have been yielded.
    """
    made, first = 0, begin
    while _more(source, begin):
        try:
            position = begin
            for piece, position in _member(source, codec, begin):
                made += len(piece)
                limits.check(position - first, made)
                yield begin, piece
        except DamagedError as e:
            e.begin = begin
            raise
        begin = position


def _member(source: BinaryIO, codec: str, begin: int) -> Iterator[tuple[bytes, int]]:
    """Pieces of one member, each with how far the file was read; with the last, its end."""
    make, step = CODECS[codec]
    decoder, position = make(), begin
    while not decoder.eof:
        chunk = source.read(step)
        if not chunk:
            raise DamagedError("the file ends within the compressed stream", position)
        known = 0
        try:
            for piece in _decoded(decoder, chunk):
                known += len(piece)
                yield piece, position + len(chunk)
        except _ERRORS:
            # That call gave nothing of what it had; earlier ones for this chunk did.
            for piece in _rescue(source, make(), step, begin, position):
                yield piece[known:], position
                known = max(known - len(piece), 0)
        position += len(chunk)
    yield b"", position - len(decoder.unused_data)


def _decoded(decoder: _Decoder | _Capped, chunk: bytes) -> Iterator[bytes]:
    if isinstance(decoder, bz2.BZ2Decompressor | lzma.LZMADecompressor):
        yield decoder.decompress(chunk, _OUT)
        while not (decoder.eof or decoder.needs_input):
            yield decoder.decompress(b"", _OUT)
    else:
        yield decoder.decompress(chunk)


def _more(source: BinaryIO, begin: int) -> bool:
    """Whether anything but padding with zeros follows; stands at `begin` if so."""
    source.seek(begin)
    while (chunk := source.read(4096)) and begin and not chunk.strip(b"\0"):
        pass
    source.seek(begin)
    return bool(chunk)


def _rescue(
    source: BinaryIO, decoder: _Decoder | _Capped, step: int, begin: int, position: int
) -> Iterator[bytes]:
    """Decodes again, byte by byte where it failed."""
    source.seek(begin)
    for _ in range((position - begin) // step):
        for _ in _decoded(decoder, source.read(step)):
            pass
    while byte := source.read(1):
        try:
            yield from _decoded(decoder, byte)
        except _ERRORS as e:
            raise DamagedError(f"{type(e).__name__}: {e}", position) from e
        position += 1
