"""Histograms of scores by language, source and month: what shares are estimated from."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.synthetic.sample import buckets

__all__ = ["CONTROLS", "COUNTED", "MEASURES", "STRATUM", "UNDATED", "bins_of", "count_strata"]

MEASURES = ("score", "words")
"""What is measured of a text, by its code: the classifier's score, the words it uses."""

CONTROLS = "controls"
"""Stands for the month of text that is older than chat systems."""
UNDATED = ""
"""Stands for the month of text without a date."""

STRATUM = pa.schema(
    [
        ("lang", pa.string()),
        ("source", pa.string()),
        ("month", pa.string()),
        ("bucket", pa.int8()),
        ("measure", pa.int8()),
        ("bin", pa.int16()),
        ("documents", pa.int64()),
    ]
)
"""Documents of a stratum and length whose measure lies in a bin; `month` is `2026-11`,
`CONTROLS` or `UNDATED`."""

COUNTED = (
    "lang",
    "n_chars",
    "source",
    "date_day",
    "origin_tier",
    "synthetic_score",
    "synthetic_words",
)
"""Columns that `count_strata` reads."""

_BIN_BITS = (7, 4)
"""Widths of bins, as powers of two, by measure."""


def bins_of(values: npt.NDArray[Any], measure: int) -> npt.NDArray[np.int16]:
    """The bin of each value of a measure."""
    return np.asarray(values).astype(np.int16) >> np.int16(_BIN_BITS[measure])


def _months(days: pa.Array, human: pa.Array) -> pa.Array:
    """The name of each row's month."""
    known = days.is_valid().to_numpy(zero_copy_only=False)
    epoch = datetime.date(1970, 1, 1).toordinal()
    day = days.fill_null(epoch).to_numpy(zero_copy_only=False).astype(np.int64) - epoch
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    found, codes = np.unique(month, return_inverse=True)
    names = pa.array([str(value) for value in found.astype("datetime64[M]")], pa.string())
    dated = pc.if_else(pa.array(known), names.take(pa.array(codes)), UNDATED)
    return pc.if_else(human, CONTROLS, dated)


def count_strata(rows: pa.Table, before: int) -> pa.Table:
    """Counts scored documents.

    Documents dated before the cutoff are controls where their tier says that the date
    counts, and otherwise belong to the month that they claim.

    Args:
        rows: Columns `COUNTED`.
        before: Ordinal of the day from which on text may be machine-made.

    Returns:
        Rows of `STRATUM`, one for each of its keys, in any order.
    """
    known = pc.or_(
        rows.column("synthetic_score").is_valid(), rows.column("synthetic_words").is_valid()
    )
    rows = rows.filter(known).combine_chunks()
    days = rows.column("date_day")
    human = pc.and_(rows.column("origin_tier").is_valid(), pc.less(days, before).fill_null(False))
    month = _months(_one(days), _one(human))
    counted = []
    for measure, name in enumerate(("synthetic_score", "synthetic_words")):
        values = _one(rows.column(name))
        there = values.is_valid()
        table = pa.table(
            {
                "lang": rows.column("lang"),
                "source": rows.column("source").fill_null(""),
                "month": month,
                "bucket": pa.array(buckets(rows.column("n_chars"))),
                "measure": pa.array(np.full(len(rows), measure, dtype=np.int8)),
                "bin": pa.array(bins_of(values.fill_null(0).to_numpy(), measure)),
            }
        ).filter(there)
        counted.append(table.group_by(STRATUM.names[:-1]).aggregate([([], "count_all")]))
    summed = pa.concat_tables(counted)
    return summed.rename_columns(STRATUM.names).cast(STRATUM)


def _one(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
