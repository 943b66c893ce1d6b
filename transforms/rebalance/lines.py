"""The line: every appearance of every document, in the order in which it is taken.

A document lies at `start / U` of its stratum, U being the stratum's size, and
appearance j of it at v = j + start / U. All strata of a cell are swept at one
speed, so that any stretch of a cell's line holds its languages in proportion
(a low-discrepancy order, not a shuffle), and first appearances come first.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.rebalance.plan import Plan
from transforms.rebalance.ranks import halves
from transforms.rebalance.tables import columns

__all__ = [
    "BINS",
    "BOULDERS",
    "LEFT",
    "LINE",
    "OFFSETS",
    "ORDERED",
    "lay_line",
    "order_line",
    "stratum_offsets",
]

Longs = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]

_STEP, _STEPS = 10, 4
_ONE = 1 << (_STEP * _STEPS)
"""A whole sweep of a stratum, in the fixed point of `v`: 2^40."""

OFFSETS = columns(
    partition=pa.int32(),
    cell=pa.uint16(),
    lang=pa.string(),
    offset=pa.int64(),
    total=pa.int64(),
)
"""Size of a stratum in the partitions before this one, and in all of them."""

LINE = columns(
    key=pa.uint64(),
    cell=pa.uint16(),
    v=pa.uint64(),
    repeat=pa.int32(),
    node=pa.uint64(),
    doc_id=pa.binary(),
    size=pa.int64(),
)
"""An appearance. `key` rises with `v` inside a cell and fills 64 bits: split by it."""

LEFT = columns(
    node=pa.uint64(),
    doc_id=pa.binary(),
    size=pa.int64(),
)
"""A document without any appearance in the output."""

ORDERED = columns(
    partition=pa.int32(),
    row=pa.int64(),
    cell=pa.uint16(),
    v=pa.uint64(),
    repeat=pa.int32(),
    node=pa.uint64(),
    doc_id=pa.binary(),
    size=pa.int64(),
    sand_before=pa.int64(),
    boulder=pa.bool_(),
)
"""An appearance with the sand (documents up to `Plan.boulder`) of its cell that lies
before it in the partition. `row` numbers the partition's rows."""

BINS = columns(
    partition=pa.int32(),
    cell=pa.uint16(),
    size=pa.int64(),
    sand=pa.int64(),
    period=pa.int64(),
    largest_sand=pa.int64(),
)
"""One row per partition and cell: size of all rows, of sand, of first appearances
among the sand, and of the largest grain."""

BOULDERS = columns(
    partition=pa.int32(),
    row=pa.int64(),
    cell=pa.uint16(),
    repeat=pa.int32(),
    doc_id=pa.binary(),
    size=pa.int64(),
    before=pa.int64(),
)
"""A large appearance with the size of all rows of its cell before it in the partition."""


def stratum_offsets(strata: pa.Table) -> pa.Table:
    """Where each partition's piece of each stratum begins (`OFFSETS`, by partition).

    Args:
        strata: Rows of `ranks.STRATA` of all partitions, in any order.
    """
    strata = strata.sort_by(
        [("cell", "ascending"), ("lang", "ascending"), ("partition", "ascending")]
    ).combine_chunks()
    if not strata.num_rows:
        return OFFSETS.empty_table()
    sizes = strata.column("size").to_numpy()
    code = _codes(strata)
    starts = np.flatnonzero(np.diff(code, prepend=-1))
    counts = np.diff(np.append(starts, len(code)))
    before = np.cumsum(sizes) - sizes
    pieces = {
        "partition": strata.column("partition"),
        "cell": strata.column("cell"),
        "lang": strata.column("lang"),
        "offset": before - np.repeat(before[starts], counts),
        "total": np.repeat(np.add.reduceat(sizes, starts), counts),
    }
    return pa.table(pieces, schema=OFFSETS).sort_by(
        [("partition", "ascending"), ("cell", "ascending"), ("lang", "ascending")]
    )


def _codes(table: pa.Table) -> Longs:
    """A number per stratum (cell, lang), ascending with both."""
    names = pc.rank(table.column("lang"), tiebreaker="dense").to_numpy().astype(np.int64)
    cells = table.column("cell").to_numpy().astype(np.int64)
    return np.asarray((cells << np.int64(40)) | names, dtype=np.int64)


def lay_line(ranked: pa.Table, offsets: pa.Table, plan: Plan) -> tuple[pa.Table, pa.Table]:
    """Lays documents on the line, as often as the plan can take them.

    Emitted are all appearances with v < (X + largest document) / U, X the cell's
    quota and U its size. That suffices: the documents of a stratum that start
    before v fill at least v of it, so that an appearance at v has at least v U of
    its cell before it, boulders included; and without boulders the line is shorter
    by less than the boulder that the quota ends in.

    Args:
        ranked: Any rows of `ranks.RANKED`.
        offsets: `stratum_offsets`, at least for the partitions in `ranked`.
        plan: The run's plan.

    Returns:
        Rows of `LINE`, and rows of `LEFT` for documents that have none.
    """
    ranked = ranked.combine_chunks()
    sizes, offset, total = _located(ranked, offsets)
    start = offset + ranked.column("before").to_numpy()
    at = _ratio(start.astype(np.uint64), total.astype(np.uint64))
    cells = ranked.column("cell").to_numpy()
    limit = np.zeros(len(sizes), dtype=np.uint64)
    most = np.zeros(len(sizes), dtype=np.int64)
    for cell in plan.cells:
        mine = cells == cell.cell
        limit[mine] = _reach(cell.quota, cell.largest, cell.unique)
        most[mine] = cell.appearances
    room = np.maximum(0, limit.astype(np.int64) - at.astype(np.int64))
    times = np.minimum(most, -(-room // _ONE))
    left = ranked.filter(pa.array(times == 0)).select(LEFT.names)
    index = np.repeat(np.arange(len(times)), times)
    repeat = np.arange(len(index)) - np.repeat(np.cumsum(times) - times, times)
    v = at[index] + repeat.astype(np.uint64) * np.uint64(_ONE)
    rows = ranked.select(["node", "doc_id"]).take(index)
    laid = {
        "key": _key(v, limit[index]),
        "cell": cells[index],
        "v": v,
        "repeat": repeat.astype(np.int32),
        "node": rows.column("node"),
        "doc_id": rows.column("doc_id"),
        "size": sizes[index],
    }
    return pa.table(laid, schema=LINE), left.cast(LEFT)


def _reach(quota: int, largest: int, unique: int) -> int:
    return 0 if not quota else -(-((quota + largest) * _ONE) // unique)


def _key(v: Keys, limit: Keys) -> Keys:
    """The ratio v / limit in the upper 14 bits of 64."""
    part = (v << np.uint64(14)) // np.maximum(limit, np.uint64(1))
    part = np.minimum(part, np.uint64((1 << 14) - 1))
    return np.asarray(part << np.uint64(50), dtype=np.uint64)


def _located(ranked: pa.Table, offsets: pa.Table) -> tuple[Longs, Longs, Longs]:
    """Size, offset of the stratum's piece and size of the stratum, of each row."""
    wanted = pa.compute.is_in(offsets.column("partition"), ranked.column("partition").unique())
    keys = ["partition", "cell", "lang"]
    pieces = offsets.filter(wanted)
    both = pa.concat_tables([pieces.select(keys), ranked.select(keys)])
    parts = both.column("partition").to_numpy().astype(np.int64)
    names, code = np.unique(_codes(both), return_inverse=True)
    code = code + parts * len(names)
    order = np.argsort(code[: pieces.num_rows])
    found = np.searchsorted(code[: pieces.num_rows], code[pieces.num_rows :], sorter=order)
    index = order[np.minimum(found, len(order) - 1)] if len(order) else found
    offset = pieces.column("offset").to_numpy()[index]
    total = pieces.column("total").to_numpy()[index]
    return ranked.column("size").to_numpy(), offset, total


def _ratio(start: Keys, total: Keys) -> Keys:
    """floor(start * 2^40 / total) for start < total < 2^54, by long division."""
    quotient, rest = np.zeros_like(start), start
    step = np.uint64(_STEP)
    for _ in range(_STEPS):
        rest = rest << step
        quotient = (quotient << step) | (rest // np.maximum(total, np.uint64(1)))
        rest = rest % np.maximum(total, np.uint64(1))
    return quotient


def order_line(partition: int, table: pa.Table, plan: Plan) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Orders one stretch of the line and sums it up.

    Args:
        partition: Number of the partition, ascending with `key`.
        table: All rows of `LINE` whose key lies in the partition's range.
        plan: The run's plan.

    Returns:
        Rows of `ORDERED`, `BINS` and `BOULDERS`.
    """
    table = table.combine_chunks()
    upper, lower = halves(table.column("doc_id"))
    keys = [table.column(name).to_numpy() for name in ("repeat", "v", "cell")]
    order = np.lexsort((keys[0], lower, upper, keys[1], keys[2]))
    table = table.take(order)
    sizes, cells = table.column("size").to_numpy(), table.column("cell").to_numpy()
    boulder = sizes > plan.boulder
    sand = np.where(boulder, 0, sizes)
    starts = np.flatnonzero(np.diff(cells.astype(np.int64), prepend=-1))
    first = np.where(table.column("repeat").to_numpy() == 0, sand, 0)
    ordered = table.select(["cell", "v", "repeat", "node", "doc_id", "size"])
    number = np.full(len(sizes), partition, dtype=np.int32)
    ordered = ordered.add_column(0, "row", pa.array(np.arange(len(sizes), dtype=np.int64)))
    ordered = ordered.add_column(0, "partition", pa.array(number))
    ordered = ordered.append_column("sand_before", pa.array(_before(sand, starts)))
    ordered = ordered.append_column("boulder", pa.array(boulder)).cast(ORDERED)
    bins = {
        "partition": number[starts],
        "cell": cells[starts],
        "size": _sums(sizes, starts),
        "sand": _sums(sand, starts),
        "period": _sums(first, starts),
        "largest_sand": np.maximum.reduceat(sand, starts) if len(starts) else sand,
    }
    large = ordered.append_column("before", pa.array(_before(sizes, starts)))
    boulders = large.filter(pa.array(boulder)).select(BOULDERS.names)
    return ordered, pa.table(bins, schema=BINS), boulders.cast(BOULDERS)


def _before(sizes: Longs, starts: Longs) -> Longs:
    """Sum of the sizes before each row, since the last start."""
    before = np.cumsum(sizes) - sizes
    counts = np.diff(np.append(starts, len(sizes)))
    return np.asarray(before - np.repeat(before[starts], counts), dtype=np.int64)


def _sums(sizes: Longs, starts: Longs) -> Longs:
    return np.asarray(np.add.reduceat(sizes, starts), dtype=np.int64) if len(starts) else sizes
