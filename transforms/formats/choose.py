"""Which formats there are, and reading a shard of any of them."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from transforms import storage
from transforms.errors import InputError
from transforms.formats.format import Format
from transforms.formats.jsonl import JsonLines
from transforms.formats.mds import Mds
from transforms.formats.parquet import Parquet
from transforms.formats.wds import WebDataset

__all__ = ["FORMATS", "PARQUET", "by_name", "of_path", "read_columns"]

PARQUET = Parquet()
FORMATS: dict[str, Format] = {
    made.name: made for made in (PARQUET, JsonLines(), Mds(), WebDataset())
}
"""By name, the default first."""


def by_name(name: object) -> Format:
    """The format of this name.

    Raises:
        InputError: There is none.
    """
    if not isinstance(name, str) or name not in FORMATS:
        raise InputError(f"there is no format {name!r} (known: {', '.join(FORMATS)})")
    return FORMATS[name]


def of_path(path: str) -> Format:
    """The format of a shard by what its name ends with.

    Raises:
        InputError: No format has such names.
    """
    for made in FORMATS.values():
        if path.endswith(made.extension):
            return made
    known = ", ".join(made.extension for made in FORMATS.values())
    raise InputError(f"{path} is no shard: its name ends with none of {known}")


def read_columns(path: str, columns: Sequence[str]) -> pa.Table:
    """Some columns of a shard on storage; of Parquet nothing else is read.

    Raises:
        InputError, ValueError, pyarrow.ArrowException: It is no shard.
    """
    made = of_path(path)
    if made is PARQUET:
        with storage.open_input(path) as source:
            return pq.ParquetFile(source).read(list(columns))
    return made.read(storage.read_bytes(path)).select(list(columns))
