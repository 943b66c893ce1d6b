"""The line: every appearance of every document, in the order in which it is taken.

A stratum of size U that is to give q gives it so: its documents lie on a circle of
length U, turned by a phase of its own, one starts at s, and its appearance j lies at
v = (j U + s) / q. All of it with v < 1 is the stratum's share, and all strata of a
cell are swept at the speed at which they end together, so that any stretch of a cell's
line holds its languages and bands in the proportions of the whole (a low-discrepancy
order, not a shuffle). The phases keep small strata from all standing at the start.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from transforms.rebalance.allocation import Stratum
from transforms.rebalance.draws import Keys
from transforms.rebalance.ordering import ordered as ordered_rows
from transforms.rebalance.plan import Plan
from transforms.schemas import columns

__all__ = [
    "BINS",
    "BOULDERS",
    "LINE",
    "OFFSETS",
    "ORDERED",
    "lay_line",
    "order_line",
    "stratum_offsets",
]

Longs = npt.NDArray[np.int64]

_STEP, _STEPS = 10, 4
_ONE = 1 << (_STEP * _STEPS)
"""The whole share of a stratum, in the fixed point of `v`: 2^40."""
_FARTHEST = 64
"""No line is laid beyond so many times its quota."""
_PHASE = 12
"""Bits of a phase: a stratum's circle is turned by a multiple of its 4,096th part."""

OFFSETS = columns(
    partition=pa.int32(),
    cell=pa.uint32(),
    lang=pa.string(),
    band=pa.uint8(),
    offset=pa.int64(),
    total=pa.int64(),
    quota=pa.int64(),
    limit=pa.int64(),
    reach=pa.uint64(),
)
"""Where a stratum starts on its circle in this partition, its size, its share, how far
it is laid (size units), and how far its cell is (fixed point)."""

LINE = columns(
    key=pa.uint64(),
    cell=pa.uint32(),
    v=pa.uint64(),
    repeat=pa.int32(),
    node=pa.uint64(),
    doc_id=pa.binary(),
    size=pa.int64(),
)
"""An appearance. `key` rises with `v` inside a cell and fills 64 bits: split by it."""

ORDERED = columns(
    partition=pa.int32(),
    row=pa.int64(),
    cell=pa.uint32(),
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
    cell=pa.uint32(),
    size=pa.int64(),
    sand=pa.int64(),
    largest_sand=pa.int64(),
)
"""One row per partition and cell: size of all rows, of sand, and of the largest grain."""

BOULDERS = columns(
    partition=pa.int32(),
    row=pa.int64(),
    cell=pa.uint32(),
    repeat=pa.int32(),
    doc_id=pa.binary(),
    size=pa.int64(),
    before=pa.int64(),
)
"""A large appearance with the size of all rows of its cell before it in the partition."""


def stratum_offsets(strata: pa.Table, plan: Plan) -> pa.Table:
    """How each partition's piece of each stratum is laid (`OFFSETS`, by partition).

    Args:
        strata: Rows of `ranks.STRATA` of all partitions, in any order.
        plan: The run's plan.
    """
    keys = [("cell", "ascending"), ("lang", "ascending"), ("band", "ascending")]
    strata = strata.sort_by([*keys, ("partition", "ascending")]).combine_chunks()
    sizes, code = strata.column("size").to_numpy(), _codes(strata)
    # Strata of the plan stand in the same order.
    which = np.unique(code, return_inverse=True)[1]
    starts = np.flatnonzero(np.diff(which, prepend=-1))
    counts = np.diff(np.append(starts, len(which)))
    before = np.cumsum(sizes) - sizes
    before -= np.repeat(before[starts], counts)
    reach = _reaches(plan)
    rows = [
        (_phase(stratum, plan.config.rotation), quota, *reach[stratum.cell])
        for stratum, quota in zip(plan.strata, plan.quotas, strict=True)
    ]
    phase, quota, more, far = (np.array(c, dtype=np.int64) for c in zip(*rows, strict=True))
    total = np.array([stratum.unique for stratum in plan.strata], dtype=np.int64)
    # What a stratum is laid beyond its share: so far as its cell is, but in whole units.
    limit = quota + np.array(
        [-(-q * m // _ONE) for q, m in zip(quota.tolist(), more.tolist(), strict=True)], np.int64
    )
    turned = (total * phase) >> np.int64(_PHASE)
    pieces = {name: strata.column(name) for name in ("partition", "cell", "lang", "band")}
    pieces |= {
        "offset": before + turned[which],
        "total": total[which],
        "quota": quota[which],
        "limit": limit[which],
        "reach": far[which].astype(np.uint64),
    }
    return pa.table(pieces, schema=OFFSETS).sort_by([("partition", "ascending"), *keys])


def _phase(stratum: Stratum, rotation: int) -> int:
    name = f"{stratum.cell} {stratum.lang} {stratum.band} {rotation}"
    return xxhash.xxh3_64_intdigest(name.encode()) >> (64 - _PHASE)


def _reaches(plan: Plan) -> dict[int, tuple[int, int]]:
    """By cell how far beyond their shares strata are laid, and how far that is in all.

    The appearances with v < x cover at least x q of a stratum but for one document, so
    that a line reaches its quota when the strata that are not used up reach beyond
    theirs by the largest document of the cell and of each of them.
    """
    open_size = dict.fromkeys((cell.cell for cell in plan.cells), 0)
    slack = {cell.cell: cell.largest for cell in plan.cells}
    most = {cell.cell: cell.appearances for cell in plan.cells}
    for stratum, quota in zip(plan.strata, plan.quotas, strict=True):
        if 0 < quota < stratum.unique * most[stratum.cell]:
            open_size[stratum.cell] += quota
            slack[stratum.cell] += stratum.largest
    found = {}
    for mask, size in open_size.items():
        more = min(-(-slack[mask] * _ONE // size), _FARTHEST * _ONE) if size else 0
        found[mask] = (more, _ONE + more)
    return found


def _codes(table: pa.Table) -> Longs:
    """A number per stratum (cell, lang, band), ascending with all three."""
    names = pc.rank(table.column("lang"), tiebreaker="dense").to_numpy().astype(np.int64)
    cells = table.column("cell").to_numpy().astype(np.int64)
    bands = table.column("band").to_numpy().astype(np.int64)
    return np.asarray((cells << np.int64(36)) | (names << np.int64(8)) | bands, dtype=np.int64)


def lay_line(ranked: pa.Table, offsets: pa.Table, plan: Plan) -> pa.Table:
    """Lays documents on the line, as often as the plan can take them (`LINE`).

    Args:
        ranked: Any rows of `ranks.RANKED`.
        offsets: `stratum_offsets`, at least for the partitions in `ranked`.
        plan: The run's plan.
    """
    ranked = ranked.combine_chunks()
    at = _located(ranked, offsets)
    sizes, cells = ranked.column("size").to_numpy(), ranked.column("cell").to_numpy()
    most = np.zeros(len(sizes), dtype=np.int64)
    for cell in plan.cells:
        most[cells == cell.cell] = cell.appearances
    offset, total, quota, limit = (
        at.column(name).to_numpy() for name in ("offset", "total", "quota", "limit")
    )
    start = offset + ranked.column("before").to_numpy()
    start = np.where(start >= total, start - total, start)
    times = np.minimum(most, np.maximum(0, -(-(limit - start) // total)))
    index = np.repeat(np.arange(len(times)), times)
    repeat = np.arange(len(index)) - np.repeat(np.cumsum(times) - times, times)
    v = _ratio((repeat * total[index] + start[index]).astype(np.uint64), quota[index])
    rows = ranked.select(["node", "doc_id"]).take(index)
    laid = {
        "key": _key(v, at.column("reach").to_numpy()[index]),
        "cell": cells[index],
        "v": v,
        "repeat": repeat.astype(np.int32),
        "node": rows.column("node"),
        "doc_id": rows.column("doc_id"),
        "size": sizes[index],
    }
    return pa.table(laid, schema=LINE)


def _key(v: Keys, reach: Keys) -> Keys:
    """The ratio v / reach in the upper 14 bits of 64."""
    part = (v << np.uint64(14)) // np.maximum(reach, np.uint64(1))
    part = np.minimum(part, np.uint64((1 << 14) - 1))
    return np.asarray(part << np.uint64(50), dtype=np.uint64)


def _located(ranked: pa.Table, offsets: pa.Table) -> pa.Table:
    """The row of OFFSETS that each row of RANKED belongs to."""
    wanted = pc.is_in(offsets.column("partition"), ranked.column("partition").unique())
    keys = ["partition", "cell", "lang", "band"]
    pieces = offsets.filter(wanted)
    both = pa.concat_tables([pieces.select(keys), ranked.select(keys)])
    parts = both.column("partition").to_numpy().astype(np.int64)
    names, code = np.unique(_codes(both), return_inverse=True)
    code = code + parts * len(names)
    order = np.argsort(code[: pieces.num_rows])
    found = np.searchsorted(code[: pieces.num_rows], code[pieces.num_rows :], sorter=order)
    index = order[np.minimum(found, len(order) - 1)] if len(order) else found
    return pieces.take(index)


def _ratio(start: Keys, whole: Longs) -> Keys:
    """floor(start * 2^40 / whole) for whole < 2^54, by long division."""
    total = np.maximum(whole, 1).astype(np.uint64)
    quotient, rest = start // total, start % total
    step = np.uint64(_STEP)
    for _ in range(_STEPS):
        rest = rest << step
        quotient = (quotient << step) | (rest // total)
        rest = rest % total
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
    repeat, v, cell = (table.column(name).to_numpy() for name in ("repeat", "v", "cell"))
    table = table.take(ordered_rows(table, cell, v, repeat))
    sizes, cells = table.column("size").to_numpy(), table.column("cell").to_numpy()
    boulder = sizes > plan.boulder
    sand = np.where(boulder, 0, sizes)
    starts = np.flatnonzero(np.diff(cells.astype(np.int64), prepend=-1))
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
