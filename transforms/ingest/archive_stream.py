"""The bytes of a web archive: plain, or member by member and past what is damaged.

A compressed archive has, by custom, a member for each record. After damage it is read on
from the next member that begins with a record. That a member does so also ends the record
before it, whatever length that one claims.
"""

from __future__ import annotations

import re
import zlib
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

import zstandard

from transforms.ingest.decompress import DamagedError, Limits, members

__all__ = ["ARC_LINE", "Gap", "Piece", "Stream", "pieces"]

_CHUNK = 1 << 18
_GATHERED = 1 << 14
"""Pieces are at least so long, so that what a member begins with is seen at once."""
_BACK = 64 << 10
"""A decoder may run so far past the end of a damaged member before it notices."""
_PEEK = 4 << 10
_MAGIC: Final = {"gz": b"\x1f\x8b\x08", "zst": b"\x28\xb5\x2f\xfd"}
_MAX_WINDOW = 1 << 23

ARC_LINE: Final = re.compile(
    rb"(?P<url>[a-z][a-z0-9+.\-]{0,30}:[^\n]{1,4096}?) \d{1,3}(?:\.\d{1,3}){3} (?P<date>\d{12,14})"
    rb" (?P<rest>[^\n]{1,700}+)\n"  # possessive: what follows cannot be tried in many ways
)
"""Header of an ARC record: URL, address, time, type, (code, ..., name,) length."""


class Piece(NamedTuple):
    """Bytes of the archive.

    Attributes:
        offset: Byte on storage: of the piece itself, or of the member that it is from.
        data: Unpacked.
        fresh: Whether a record begins with it, as its member does.
    """

    offset: int
    data: bytes
    fresh: bool


class Gap(NamedTuple):
    """Bytes on storage that could not be unpacked, and why."""

    offset: int
    n_bytes: int
    reason: str
    message: str


def pieces(source: BinaryIO, size: int, codec: str, limits: Limits) -> Iterator[Piece | Gap]:
    """Reads a file to its end.

    Args:
        source: The file.
        size: Of the file.
        codec: `gz`, `zst`, or empty for a plain file.
        limits: What a compressed file may become.
    """
    if codec:
        yield from _packed(source, size, codec, limits)
        return
    offset = source.seek(0)
    while chunk := source.read(_CHUNK):
        yield Piece(offset, chunk, fresh=False)
        offset += len(chunk)


def _packed(source: BinaryIO, size: int, codec: str, limits: Limits) -> Iterator[Piece | Gap]:
    begin, again = 0, size  # bytes that may be searched twice, so that time stays linear
    while begin < size:
        try:
            yield from _gathered(members(source, codec, limits, begin))
            begin = size
        except DamagedError as e:
            start = max(e.begin + 1, e.consumed - min(_BACK, again))
            again -= max(e.consumed - start, 0)
            bomb = e.reason == "unreadable_bomb"
            begin = size if bomb else _next_member(source, start, size, codec)
            reason = e.reason if begin == size else "unreadable_member"
            yield Gap(e.begin, begin - e.begin, reason, str(e))


def _gathered(unpacked: Iterator[tuple[int, bytes]]) -> Iterator[Piece]:
    """Joins pieces of a member, up to some length; gives all up before it raises."""
    held, member, first = bytearray(), -1, True
    try:
        for begin, data in unpacked:
            if begin != member or len(held) >= _GATHERED:
                if held:
                    yield Piece(member, bytes(held), fresh=first and _begins_record(held))
                    first = False
                first = first or begin != member
                held, member = bytearray(), begin
            held += data
    except DamagedError:
        if held:
            yield Piece(member, bytes(held), fresh=first and _begins_record(held))
        raise
    if held:
        yield Piece(member, bytes(held), fresh=first and _begins_record(held))


def _begins_record(data: bytes | bytearray) -> bool:
    return bool(data.startswith(b"WARC/") or ARC_LINE.match(data))


def _next_member(source: BinaryIO, start: int, size: int, codec: str) -> int:
    """Where the next member starts that begins with a record; the file's size without one."""
    magic = _MAGIC[codec]
    while start < size:
        source.seek(start)
        chunk = source.read(_CHUNK + _PEEK)
        at = chunk.find(magic, 0, _CHUNK + len(magic))
        while at >= 0:
            if _begins_record(_first_bytes(chunk[at : at + _PEEK], codec)):
                return start + at
            at = chunk.find(magic, at + 1, _CHUNK + len(magic))
        start += _CHUNK
    return size


def _first_bytes(packed: bytes, codec: str) -> bytes:
    try:
        if codec == "gz":
            return zlib.decompressobj(wbits=31).decompress(packed, 8 << 10)
        unpacker = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
        return unpacker.stream_reader(packed).read(8 << 10)
    except (zlib.error, zstandard.ZstdError):
        return b""


class Stream:
    """A buffered reader of pieces that stops where a member begins, or at a gap.

    Attributes:
        gap: Where reading has stopped for damage; `resume` goes on behind it.
    """

    def __init__(self, source: Iterator[Piece | Gap], size: int, *, plain: bool) -> None:
        self._source, self._size, self._plain = source, size, plain
        self._buffer = bytearray()
        self._base = 0
        self._offsets: deque[tuple[int, int]] = deque()
        self._fresh: deque[int] = deque()
        self._ended = False
        self._again = (64 << 20) + 4 * size
        self.gap: Gap | None = None

    @property
    def position(self) -> int:
        """Byte on storage of what comes next, or of its member."""
        if self._plain:
            return self._base
        while len(self._offsets) > 1 and self._offsets[1][0] <= self._base:
            self._offsets.popleft()
        return self._offsets[0][1] if self._offsets else 0

    @property
    def left(self) -> int | None:
        """Bytes up to the end of the file; None where that is not known."""
        return self._size - self._base if self._plain else None

    def peek(self, n: int) -> bytes:
        """Up to `n` bytes, fewer before a member that begins with a record, a gap or the end."""
        return bytes(self._buffer[: self._ready(n)])

    def take(self, n: int) -> bytes:
        """`peek`, and goes behind it."""
        data = self.peek(n)
        self._drop(len(data))
        return data

    def skip(self, n: int) -> int:
        """Goes on by `n` bytes without holding them; how many there were."""
        left = n
        while left and (ready := self._ready(min(left, _CHUNK))):
            self._drop(ready)
            left -= ready
        return n - left

    def skip_newlines(self) -> int:
        """Goes to the next byte that ends no line; how many line feeds it passed."""
        passed = 0
        while (ready := self.peek(16)) and ready[0] in b"\r\n":
            n = len(ready) - len(ready.lstrip(b"\r\n"))
            passed += ready[:n].count(b"\n")
            self._drop(n)
        return passed

    def enter(self) -> None:
        """Goes on into the member that begins here, if one does."""
        self._ready(1)
        while self.at_member:
            self._fresh.popleft()

    @property
    def at_member(self) -> bool:
        """Whether a member that begins with a record begins here."""
        return bool(self._fresh and self._fresh[0] <= self._base)

    def unread(self, data: bytes) -> None:
        """Puts back what was taken last, unless so much was put back that time would suffer."""
        if len(data) <= self._again:
            self._again -= len(data)
            self._buffer[:0] = data
            self._base -= len(data)

    def resume(self) -> None:
        """Goes on behind a gap."""
        self.gap = None

    def seek(self, pattern: re.Pattern[bytes]) -> int:
        """Goes to where `pattern` matches after a line's end, or a member begins.

        Returns:
            Bytes that were passed.
        """
        passed = 0
        while ready := self._ready(_CHUNK):
            found = re.compile(rb"\n(?=%b)" % pattern.pattern).search(self._buffer, 0, ready)
            if found:
                self._drop(found.end())
                return passed + found.end()
            # A match may begin in what is kept, unless nothing more comes.
            step = ready if self._ready(ready + 1) == ready else max(ready - (8 << 10), 1)
            self._drop(step)
            passed += step
        return passed

    def _ready(self, n: int) -> int:
        while len(self._buffer) < n and not (self._fresh or self.gap or self._ended):
            self._pull()
        end = self._fresh[0] - self._base if self._fresh else len(self._buffer)
        return min(n, end)

    def _pull(self) -> None:
        found = next(self._source, None)
        if found is None:
            self._ended = True
        elif isinstance(found, Gap):
            self.gap = found
        else:
            end = self._base + len(self._buffer)
            if found.fresh:
                self._fresh.append(end)
            if not self._plain:
                self._offsets.append((end, found.offset))
            self._buffer += found.data

    def _drop(self, n: int) -> None:
        del self._buffer[:n]
        self._base += n
