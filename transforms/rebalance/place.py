"""Placing rows by a deal, and counting what was placed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.rebalance.cells import Cells
from transforms.rebalance.deal import Deal, Level
from transforms.schemas import columns

__all__ = ["PLACED", "TALLY", "place", "tally"]

Longs = npt.NDArray[np.int64]

PLACED = columns(
    shard=pa.int64(),
    cell=pa.uint32(),
    v=pa.uint64(),
    repeat=pa.int32(),
    node=pa.uint64(),
    doc_id=pa.binary(),
    size=pa.int64(),
)
"""An appearance in its shard."""

TALLY = columns(
    shard=pa.int64(),
    cell=pa.uint32(),
    documents=pa.int64(),
    size=pa.int64(),
)
"""What was placed, per shard and cell; sums of rows say the same as the rows."""


def place(ordered: pa.Table, deal: Deal) -> pa.Table:
    """Gives rows their shard (`PLACED`), and leaves those out that were not taken.

    Args:
        ordered: Any rows of `lines.ORDERED`.
        deal: Of the first or the second round; rows of the other round are passed over.
    """
    ordered = ordered.combine_chunks()
    cells = ordered.column("cell").to_numpy()
    shard = np.full(len(cells), -1, dtype=np.int64)
    boulder = ordered.column("boulder").to_numpy(zero_copy_only=False)
    sizes = ordered.column("size").to_numpy()
    start = _starts(ordered, cells, deal)
    known = np.zeros(len(cells), dtype=bool)
    for mask, level in deal.levels.items():
        known |= cells == mask
        mine = np.flatnonzero((cells == mask) & ~boulder)
        shard[mine] = _sand(start[mine], sizes[mine], level)
    _boulders(ordered, deal, np.flatnonzero(known & boulder), shard)
    placed = ordered.add_column(0, "shard", pa.array(shard)).filter(pa.array(shard >= 0))
    return placed.select(PLACED.names).cast(PLACED)


def _starts(ordered: pa.Table, cells: Cells, deal: Deal) -> Longs:
    """Where each grain starts on the whole sand line of its cell."""
    piece = (ordered.column("partition").to_numpy().astype(np.int64) << np.int64(24)) | cells
    found = np.minimum(np.searchsorted(deal.pieces, piece), max(0, len(deal.pieces) - 1))
    offsets = deal.offsets[found] if len(deal.offsets) else np.zeros(len(cells), dtype=np.int64)
    return np.asarray(offsets + ordered.column("sand_before").to_numpy(), dtype=np.int64)


def _sand(start: Longs, sizes: Longs, level: Level) -> Longs:
    """Shard by the middle of a grain; -1 beyond the quota."""
    shard = np.searchsorted(2 * level.ends, 2 * start + sizes, side="right")
    # A grain may reach beyond the quota: it belongs to the last shard that gets any.
    final = int(np.searchsorted(level.ends, level.quota))
    taken = start < level.quota if level.over else start + sizes <= level.quota
    return np.asarray(np.where(taken, np.minimum(shard, final), -1), dtype=np.int64)


def _boulders(
    ordered: pa.Table,
    deal: Deal,
    rows: npt.NDArray[np.intp],
    shard: Longs,
) -> None:
    if not len(deal.boulders) or not len(rows):
        return
    partition = ordered.column("partition").to_numpy()[rows].astype(np.int64)
    keys = (partition << np.int64(40)) | ordered.column("row").to_numpy()[rows]
    found = np.minimum(np.searchsorted(deal.boulders, keys), len(deal.boulders) - 1)
    taken = deal.boulders[found] == keys
    shard[rows] = np.where(taken, deal.owners[found], -1)


def tally(placed: pa.Table) -> pa.Table:
    """Counts placed rows per shard and cell (`TALLY`, by shard and cell)."""
    shards = placed.column("shard").to_numpy()
    cells = placed.column("cell").to_numpy().astype(np.int64)
    keys, index = np.unique((shards << np.int64(24)) | cells, return_inverse=True)
    sizes = np.zeros(len(keys), dtype=np.int64)
    np.add.at(sizes, index, placed.column("size").to_numpy())
    counts = {
        "shard": keys >> np.int64(24),
        "cell": (keys & np.int64((1 << 24) - 1)).astype(np.uint32),
        "documents": np.bincount(index, minlength=len(keys)).astype(np.int64),
        "size": sizes,
    }
    return pa.table(counts, schema=TALLY)
