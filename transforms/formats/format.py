"""What a format of shards is."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Protocol

import pyarrow as pa

__all__ = ["Format", "Member"]


@dataclasses.dataclass(frozen=True)
class Member:
    """A shard as an index of shards names it.

    Attributes:
        name: Of its file, without a folder.
        rows: How many.
        n_bytes: Size of its file.
        sha256: Of its file, in hexadecimal.
    """

    name: str
    rows: int
    n_bytes: int
    sha256: str


class Format(Protocol):
    """How the rows of a shard become one file, and rows again.

    Equal rows give equal bytes, however they were chunked, and every column of
    `records.PUBLISHED` comes back as it was: a run can be verified in any format.
    """

    @property
    def name(self) -> str:
        """As `--format` has it."""

    @property
    def extension(self) -> str:
        """What the names of its files end with."""

    @property
    def package(self) -> str | None:
        """The distribution whose version its bytes depend on, but for those of Parquet."""

    def require(self) -> None:
        """Raises a UsageError that names the extra to install where a library lacks."""

    def write(self, shard: pa.Table) -> bytes:
        """Rows of `records.PUBLISHED` as a file."""

    def read(self, data: bytes) -> pa.Table:
        """The rows of a file.

        Raises:
            ValueError: It is no file of this format, or holds other columns.
            pyarrow.ArrowException: Likewise.
        """

    def index(self, members: Sequence[Member]) -> dict[str, bytes]:
        """Files by name that readers want beside all shards of a run; most formats need none."""
