"""Orders of rows by few keys, with others looked at only where these are equal."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.rebalance.draws import halves

__all__ = ["ordered"]

Rows = npt.NDArray[np.int64]


def ordered(
    table: pa.Table,
    group: npt.NDArray[np.integer],
    key: npt.NDArray[np.uint64],
    last: npt.NDArray[np.integer] | None = None,
) -> Rows:
    """Rows by group, key, `doc_id` and `last`, as one sort by all of them gives it.

    Keys are drawn from so many values that few are equal, and sorting by ids costs four
    times what sorting by keys does.

    Args:
        table: Rows with a `doc_id` of 16 bytes.
        group: Sorts first. Shape (rows,).
        key: Sorts within. Shape (rows,).
        last: Tells rows of one `doc_id` apart. Shape (rows,).
    """
    order = np.lexsort((key, group))
    same = (group[order][1:] == group[order][:-1]) & (key[order][1:] == key[order][:-1])
    tied = np.zeros(len(order), dtype=np.bool_)
    tied[1:] |= same
    tied[:-1] |= same
    if tied.any():
        some = order[tied]
        upper, lower = halves(table.column("doc_id").take(pa.array(some)))
        least = np.zeros(len(some), np.int64) if last is None else last[some]
        # Runs of equal keys stay where they are: they are sorted by the same first.
        order[tied] = some[np.lexsort((least, lower, upper, key[some], group[some]))]
    return np.asarray(order, dtype=np.int64)
