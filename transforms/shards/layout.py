"""Names of what is published."""

from __future__ import annotations

import hashlib

from transforms.formats.parquet import GROUP_ROWS, parquet_bytes

__all__ = [
    "CARD",
    "DATA",
    "FILES",
    "GROUP_ROWS",
    "MANIFEST",
    "SKIPPED",
    "dead_letters_name",
    "digest",
    "dropped_name",
    "parquet_bytes",
    "shard_name",
]

MANIFEST = "manifest.json"
"""Written last: a run without it does not exist."""
CARD = "README.md"
DATA = "data"
"""Folder of the shards within a run."""
FILES = "ledger/files.parquet"
"""The ledger by input file (`by_file.BY_FILE`)."""
SKIPPED = "ledger/skipped.parquet"
"""Records of archives that are no documents (`records.SKIPPED`), where there are any."""


def shard_name(shard: int, shards: int, extension: str = ".parquet") -> str:
    """Path of a shard within a run."""
    return f"{DATA}/shard-{shard:05d}-of-{shards:05d}{extension}"


def dropped_name(part: int, parts: int) -> str:
    """Path of a part of the removed documents within a run."""
    return f"dropped/part-{part:05d}-of-{parts:05d}.parquet"


def dead_letters_name(part: int, parts: int) -> str:
    """Path of a part of the dead letters within a run."""
    return f"dead_letters/part-{part:05d}-of-{parts:05d}.parquet"


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
