"""Published rows as JSON can hold them: what the formats that are no Parquet have in common.

Binary values are hexadecimal. A 32-bit float is the shortest decimal that means it, so
that a score of nine tenths reads 0.9 and not 0.8999999761581421.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.records import PUBLISHED

__all__ = ["from_columns", "from_plain", "plain_columns", "to_plain"]


def _floats(column: pa.ChunkedArray) -> list[float | None]:
    """The shortest decimals that mean 32-bit floats, as 64-bit floats."""
    given = column.combine_chunks()
    exact = given.fill_null(0.0).to_numpy(zero_copy_only=False)
    if not np.isfinite(exact).all():
        raise ValueError("a score is not a finite number, which JSON cannot hold")
    short = exact.astype("U32").astype(np.float64)
    # A decimal next to the middle between two floats could be read as the other one.
    short = np.where(short.astype(np.float32) == exact, short, exact.astype(np.float64))
    return pa.array(short, mask=~given.is_valid().to_numpy(False)).to_pylist()  # type: ignore[no-any-return]


def _plain(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_float32(column.type):
        return _floats(column)
    values = column.to_pylist()
    if pa.types.is_binary(column.type):
        return [None if value is None else value.hex() for value in values]
    return values  # type: ignore[no-any-return]


def plain_columns(shard: pa.Table) -> dict[str, list[Any]]:
    """Columns of `records.PUBLISHED` as lists of what JSON can hold, in its order."""
    return {name: _plain(shard.column(name)) for name in PUBLISHED.names}


def to_plain(shard: pa.Table) -> Iterator[dict[str, Any]]:
    """Rows of `records.PUBLISHED` as JSON can hold them, every field in each."""
    columns = plain_columns(shard)
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))


def _column(field: pa.Field, values: Sequence[Any]) -> pa.Array:
    if pa.types.is_binary(field.type):
        values = [bytes.fromhex(v) if isinstance(v, str) else v for v in values]
    if pa.types.is_list(field.type) and any(isinstance(v, str) for v in values):
        raise ValueError(f"a value of {field.name} is a text, not a list")  # Arrow would split it
    try:
        column = pa.array(values, field.type)
    except (TypeError, OverflowError, pa.ArrowException) as error:
        raise ValueError(f"a value of {field.name} is no {field.type}: {error}") from error
    if column.null_count and not field.nullable:
        raise ValueError(f"{field.name} is null in {column.null_count} rows")
    return column


def from_columns(columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    """Rows of `records.PUBLISHED` from lists by column; binary values may be hexadecimal.

    Raises:
        ValueError: A value is not of its column's type, or null where none may be.
    """
    made = [_column(field, columns[field.name]) for field in PUBLISHED]
    return pa.Table.from_arrays(made, schema=PUBLISHED)


def from_plain(rows: Sequence[Any]) -> pa.Table:
    """What `to_plain` was given.

    Raises:
        ValueError: A row has not exactly the published fields, or a value is not of
            its column's type.
    """
    names = set(PUBLISHED.names)
    for number, row in enumerate(rows):
        if not isinstance(row, dict) or row.keys() != names:
            odd = sorted(names ^ set(row)) if isinstance(row, dict) else [type(row).__name__]
            raise ValueError(f"row {number} has not the published fields: {', '.join(odd)}")
    return from_columns({name: [row[name] for row in rows] for name in PUBLISHED.names})
