"""From the documents dealt to a shard to the shard: trimmed, ordered, summed up."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.errors import InfeasibleError
from transforms.rebalance.cells import Cells
from transforms.rebalance.config import MILLION
from transforms.rebalance.interleave import interleave
from transforms.rebalance.ordering import ordered
from transforms.rebalance.plan import Plan
from transforms.rebalance.trim import trim
from transforms.rebalance.windows import worst_window
from transforms.schemas import columns

Longs = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

__all__ = ["ASSIGNED", "SUMMARY", "TRIMMED", "check_total", "finalise_shard", "numbered"]

ASSIGNED = columns(
    shard=pa.int64(),
    position=pa.int64(),
    node=pa.uint64(),
    doc_id=pa.binary(),
    size=pa.int64(),
)
"""An appearance and its place in the output."""

TRIMMED = pa.schema([ASSIGNED.field(n) for n in ("shard", "node", "doc_id", "size")])
"""An appearance taken out of its shard; a document that is left with none is lost."""

SUMMARY = columns(
    shard=pa.int64(),
    documents=pa.int64(),
    size=pa.int64(),
    largest=pa.int64(),
    trimmed_documents=pa.int64(),
    trimmed_size=pa.int64(),
    inside=pa.list_(pa.int64()),
    shortfall=pa.list_(pa.int64()),
    window_start=pa.list_(pa.int64()),
    window_stop=pa.list_(pa.int64()),
)
"""One shard. `inside`: size that counts for each rule (rounded up), in the order
of `Rules.constraints`; the others: each floor's worst window, in that of `Rules.floors`."""


def finalise_shard(shard: int, table: pa.Table, plan: Plan) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Trims a shard until every floor and cap holds, and orders it.

    Args:
        shard: Its number.
        table: All rows of `place.PLACED` of the shard, of both rounds, in any order.
        plan: The run's plan.

    Returns:
        Rows of `ASSIGNED` by position, rows of `TRIMMED`, one row of `SUMMARY`.

    Raises:
        InfeasibleError: If nothing would be left of the shard.
    """
    table = _canonical(table)
    sizes, cells = table.column("size").to_numpy(), table.column("cell").to_numpy()
    keep = _kept(table, sizes, cells, plan)
    if not keep.any():
        raise InfeasibleError(
            f"shard {shard} of {plan.shards} is left empty: its documents are too few or too "
            "large to meet every floor and cap; use a larger --shard-size or lower a floor"
        )
    kept, rest = table.filter(pa.array(keep)), table.filter(pa.array(~keep))
    order = interleave(sizes[keep], cells[keep], plan.rules)
    kept = kept.take(order)
    summary = _summary(shard, kept, rest, plan)
    kept = kept.append_column("position", pa.array(np.arange(len(order), dtype=np.int64)))
    return (
        kept.select(ASSIGNED.names).cast(ASSIGNED),
        rest.select(TRIMMED.names).cast(TRIMMED),
        summary,
    )


def _kept(table: pa.Table, sizes: Longs, cells: Cells, plan: Plan) -> Mask:
    """Which appearances stay: each document once, where floors allow it, and no more than fit."""
    once = _once(table, cells, plan)
    try:
        once[once] = trim(sizes[once], cells[once], plan.rules)
    except InfeasibleError:
        if once.all():
            raise
        return trim(sizes, cells, plan.rules)
    return once


def _once(table: pa.Table, cells: Cells, plan: Plan) -> Mask:
    """The first appearance of each document, and the others of cells without room for one each.

    Small documents fill what large ones leave of a shard, so that one may come twice to a
    shard although there are shards enough.
    """
    first = np.zeros(len(cells), dtype=np.bool_)
    first[np.unique(table.column("node").to_numpy(), return_index=True)[1]] = True
    crowded = [cell.cell for cell in plan.cells if cell.quota > cell.unique * plan.shards]
    return first | np.isin(cells, np.array(crowded, dtype=cells.dtype))


def _canonical(table: pa.Table) -> pa.Table:
    """By cell and place on the line, whatever order rows came in."""
    table = table.combine_chunks()
    repeat, v, cell = (table.column(name).to_numpy() for name in ("repeat", "v", "cell"))
    return table.take(ordered(table, cell, v, repeat))


def _summary(shard: int, kept: pa.Table, rest: pa.Table, plan: Plan) -> pa.Table:
    sizes, cells = kept.column("size").to_numpy(), kept.column("cell").to_numpy()
    windows = [
        worst_window(sizes, (cells >> np.uint32(bit)) & np.uint32(1) == 1, rule.share)
        for bit, rule in enumerate(plan.rules.floors)
    ]
    row = {
        "shard": shard,
        "documents": len(sizes),
        "size": int(sizes.sum()),
        "largest": int(sizes.max()),
        "trimmed_documents": rest.num_rows,
        "trimmed_size": int(rest.column("size").to_numpy().sum()),
        "inside": _inside(sizes, cells, plan),
        "shortfall": [window[0] for window in windows],
        "window_start": [window[1] for window in windows],
        "window_stop": [window[2] for window in windows],
    }
    return pa.Table.from_pylist([row], schema=SUMMARY)


def _inside(sizes: Longs, cells: Cells, plan: Plan) -> list[int]:
    rules = plan.rules
    held = {int(cell): int(sizes[cells == cell].sum()) for cell in np.unique(cells)}
    counted = (
        sum(rules.mass(rule, cell) * size for cell, size in held.items())
        for rule in range(len(rules.constraints))
    )
    return [-(-mass // MILLION) for mass in counted]


def numbered(assigned: pa.Table) -> npt.NDArray[np.int32]:
    """The number of each appearance of a document, from 0, in the order of the output.

    Args:
        assigned: Rows of `ASSIGNED`: all appearances of the documents in it.
    """
    keys = [assigned.column(name).to_numpy() for name in ("position", "shard", "node")]
    order = np.lexsort(keys)
    node = keys[2][order]
    starts = np.flatnonzero(np.append(True, node[1:] != node[:-1])[: len(node)])
    counts = np.diff(np.append(starts, len(node)))
    numbers = np.empty(len(node), dtype=np.int32)
    numbers[order] = np.arange(len(node)) - np.repeat(starts, counts)
    return numbers


def check_total(summaries: pa.Table, plan: Plan) -> int:
    """The size published, if it is what the target asks for.

    Args:
        summaries: Rows of `SUMMARY` of all shards, in any order.
        plan: The run's plan.

    Raises:
        InfeasibleError: If a shard is missing, or the size is above the target or
            below `Plan.least`.
    """
    if summaries.num_rows != plan.shards:
        raise InfeasibleError(
            f"{plan.shards - summaries.num_rows} of {plan.shards} shards got no document; "
            f"set --shard-size {-(-plan.total // max(1, summaries.num_rows))} or more"
        )
    size = int(summaries.column("size").to_numpy().sum())
    target = plan.config.target
    if target is not None and not plan.least <= size <= target:
        raise InfeasibleError(
            f"target {target:,} {plan.config.unit}: whole documents came to {size:,} after "
            f"trimming, outside {plan.least:,} to {target:,}; set --target {size} or a larger "
            "--shard-size"
        )
    return size
