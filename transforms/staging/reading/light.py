"""Reading staging without its text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from transforms import storage
from transforms.dedup.config import DedupConfig
from transforms.dedup.light import COLUMNS, light_rows
from transforms.records import Unit

__all__ = ["Exclude", "Judge", "read_light"]

Exclude = Callable[[pa.RecordBatch], pa.BooleanArray]
"""Which rows of a batch with `id`, `url` and `host` must not appear."""

Judge = Callable[[pa.Table], pa.Table]
"""Staged rows as the decisions of the run have them."""

_ROWS = 1 << 16
_NAMES = ["id", "url", "host"]


def _flag(table: pa.Table, exclude: Exclude | None) -> pa.Array:
    """Bool per row; false without a list."""
    if exclude is None:
        return pa.array([False]).take(pa.array([0] * len(table), pa.int64()))
    batches = table.select(_NAMES).combine_chunks().to_batches()
    return (
        pa.concat_arrays([exclude(batch) for batch in batches])
        if batches
        else pa.array([], pa.bool_())
    )


def read_light(
    path: str,
    exclude: Exclude | None,
    convicted: Callable[[pa.Array], pa.Array],
    unit: Unit,
    config: DedupConfig,
    judge: Judge | None = None,
    judged: Sequence[str] = (),
) -> Iterator[pa.RecordBatch]:
    """The light rows (LIGHT) of one part.

    Args:
        path: A Parquet file of staging.
        exclude: The takedown list; None without one.
        convicted: Which rows of a `synthetic_evidence` column carry an artefact that
            convicts.
        unit: Of sizes.
        config: How signatures were made and how bands are cut.
        judge: Applies what was decided of the run; None where nothing was.
        judged: Columns that it reads.
    """
    names = list(dict.fromkeys([*COLUMNS, "synthetic_evidence", *judged]))
    names += [] if unit == "docs" else [f"n_{unit}"] if f"n_{unit}" not in names else []
    names += [name for name in _NAMES if exclude and name not in names]
    with storage.open_input(path) as source:
        for batch in pq.ParquetFile(source).iter_batches(_ROWS, columns=names):
            table = pa.Table.from_batches([batch])
            table = judge(table) if judge else table
            evidence = table.column("synthetic_evidence").combine_chunks()
            rows = light_rows(table, _flag(table, exclude), convicted(evidence), unit, config)
            yield from rows.combine_chunks().to_batches()
