"""Shards as JSON Lines in one zstd frame."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
import pyarrow as pa
import zstandard

from transforms.formats.format import Member
from transforms.formats.plain import from_plain, to_plain

__all__ = ["JsonLines"]

_LEVEL = 3


class JsonLines:
    """A `.jsonl.zst` file a shard; every field in every line, in one order."""

    name = "jsonl"
    extension = ".jsonl.zst"
    package = "zstandard"

    def require(self) -> None:
        """Nothing lacks."""

    def write(self, shard: pa.Table) -> bytes:
        """Rows of `records.PUBLISHED` as a file."""
        lines = b"".join(
            orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in to_plain(shard)
        )
        # One thread: with several, bytes depend on how many there are.
        return zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(lines)

    def read(self, data: bytes) -> pa.Table:
        """The rows of a file (PUBLISHED)."""
        try:
            lines = zstandard.ZstdDecompressor().decompress(data, allow_extra_data=False)
        except zstandard.ZstdError as error:
            raise ValueError(f"it is no zstd frame: {error}") from error
        *whole, rest = lines.split(b"\n")
        if rest:
            raise ValueError("its last line has no end")
        return from_plain([orjson.loads(line) for line in whole])

    def index(self, members: Sequence[Member]) -> dict[str, bytes]:
        """Nothing."""
        del members
        return {}
