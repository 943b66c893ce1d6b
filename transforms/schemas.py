"""Schemas of tables that rooms pass on: all columns are without nulls."""

from __future__ import annotations

import pyarrow as pa

__all__ = ["columns"]


def columns(**types: pa.DataType) -> pa.Schema:
    """A schema of columns without nulls, in the order given."""
    return pa.schema([pa.field(name, kind, nullable=False) for name, kind in types.items()])
