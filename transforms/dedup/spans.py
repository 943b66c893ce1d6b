"""First and last day of the copies that a document stands for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.dedup.survivor import UNDATED

__all__ = ["iso_dates", "span_columns", "spans_of", "widened"]

_NEVER = 0
"""Stands for no last day: earlier than any."""
_EPOCH = 719_163
"""`datetime.date(1970, 1, 1).toordinal()`."""

Days = npt.NDArray[np.int32]
Index = npt.NDArray[np.int64]


def spans_of(day: Days, counted: npt.NDArray[np.bool_], starts: Index) -> tuple[Days, Days]:
    """First and last day of each group of consecutive rows.

    Args:
        day: Ordinals; `UNDATED` where unknown.
        counted: Rows that count.
        starts: Where each group begins, from 0, ascending.

    Returns:
        Two int32 arrays; `UNDATED` and 0 for a group without a dated row that counts.
    """
    dated = counted & (day != UNDATED)
    first = np.minimum.reduceat(np.where(dated, day, UNDATED), starts)
    last = np.maximum.reduceat(np.where(dated, day, _NEVER), starts)
    return first.astype(np.int32), last.astype(np.int32)


def span_columns(first: Days, last: Days) -> dict[str, pa.Array]:
    """`first_day` and `last_day` (int32), null where no row is dated."""
    return {
        "first_day": pa.array(first, pa.int32(), mask=first == UNDATED),
        "last_day": pa.array(last, pa.int32(), mask=last == _NEVER),
    }


def widened(kept: pa.Table, credit: pa.Table, at: Index) -> dict[str, pa.Array]:
    """The spans of kept rows, wide enough for what was handed to them.

    Args:
        kept: With `first_day` and `last_day`.
        credit: With the same.
        at: The row of `kept` that each row of `credit` is for.
    """
    first = kept.column("first_day").fill_null(UNDATED).to_numpy().copy()
    last = kept.column("last_day").fill_null(_NEVER).to_numpy().copy()
    np.minimum.at(first, at, credit.column("first_day").fill_null(UNDATED).to_numpy())
    np.maximum.at(last, at, credit.column("last_day").fill_null(_NEVER).to_numpy())
    return span_columns(first, last)


def iso_dates(days: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Proleptic Gregorian ordinals as `2021-03-04`; nulls stay."""
    since = pc.subtract(days.cast(pa.int32()), pa.scalar(_EPOCH, pa.int32()))
    return since.cast(pa.date32()).cast(pa.string())
