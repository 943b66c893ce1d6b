"""Ranks: the order of documents inside a stratum by their draws, and stratum totals.

A stratum is what shares a cell, a language and a band. The first exchange brings rows
together whose draws lie in one range; each partition orders its own and hands on
one summary row per stratum, from which `lines.stratum_offsets` makes the run-wide order.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.rebalance.bands import Bands, bands_of
from transforms.rebalance.cells import Cells, Rules, cells_of
from transforms.rebalance.config import RebalanceConfig
from transforms.rebalance.draws import rank_keys
from transforms.rebalance.ordering import ordered
from transforms.schemas import columns

__all__ = ["LIGHT", "MARKED", "RANKED", "STRATA", "mark", "rank_strata", "split_large"]

LIGHT = columns(
    node=pa.uint64(),
    doc_id=pa.binary(),
    lang=pa.string(),
    mixed=pa.bool_(),
    original=pa.bool_(),
    tail=pa.bool_(),
    synthetic=pa.bool_(),
    source=pa.string(),
    host=pa.string(),
    likely=pa.int16(),
    copies=pa.int64(),
    rare=pa.int32(),
    weight=pa.int32(),
    size=pa.int64(),
)
"""A kept document, as rebalancing gets it; `weight` is in millionths, `likely` the
probability in ten-thousandths of what is tagged `likely_synthetic`, and 0 for all else;
`rare` says how much of it are rare types, from 0 to 15."""

MARKED = columns(
    node=pa.uint64(),
    doc_id=pa.binary(),
    cell=pa.uint32(),
    lang=pa.string(),
    band=pa.uint8(),
    size=pa.int64(),
    rank=pa.uint64(),
)
"""A document as the plan sees it, with its draw."""

RANKED = columns(
    partition=pa.int32(),
    node=pa.uint64(),
    doc_id=pa.binary(),
    cell=pa.uint32(),
    lang=pa.string(),
    band=pa.uint8(),
    size=pa.int64(),
    before=pa.int64(),
)
"""A document with the size that lies before it in its stratum and partition."""

STRATA = columns(
    partition=pa.int32(),
    cell=pa.uint32(),
    lang=pa.string(),
    band=pa.uint8(),
    documents=pa.int64(),
    size=pa.int64(),
    largest=pa.int64(),
)
"""One row per partition and stratum."""

Longs = npt.NDArray[np.int64]


def split_large(table: pa.Table, config: RebalanceConfig) -> tuple[pa.Table, pa.Table]:
    """Parts rows that fit into a shard from those that do not (`too_large`).

    The largest that fits is an eighth of a shard, and for a document under a cap no
    more than what the cap leaves in one: a single larger one would break it.

    Args:
        table: Rows of `LIGHT`.
        config: Shard size and caps.
    """
    rules, most = Rules.of(config), np.full(table.num_rows, config.largest_document, np.int64)
    cells = cells_of(table, rules)
    for number, rule in enumerate(rules.constraints):
        if rule.kind == "cap":
            allowed = config.shard_size * rule.share
            for cell in np.unique(cells).tolist():
                if mass := rules.mass(number, cell):
                    most[cells == cell] = np.minimum(most[cells == cell], allowed // mass)
    fits = table.column("size").to_numpy() <= most
    return table.filter(pa.array(fits)), table.filter(pa.array(~fits))


def mark(table: pa.Table, rules: Rules, config: RebalanceConfig) -> pa.Table:
    """Rows of `MARKED` from rows of `LIGHT`, in their order.

    Args:
        table: Documents that fit a shard.
        rules: The run's floors and caps.
        config: The seed of the draws, and what bands there are.
    """
    cells = cells_of(table, rules)
    draws = rank_keys(table.column("doc_id"), config.rotation)
    bands = bands_of(table, cells, draws, rules, rehydrate=config.rehydrate)
    made = {"cell": pa.array(cells), "band": pa.array(bands), "rank": pa.array(draws)}
    return pa.table(
        [made[name] if name in made else table.column(name) for name in MARKED.names],
        schema=MARKED,
    )


def rank_strata(partition: int, table: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Orders a partition by draw and sums up its strata.

    Args:
        partition: Number of the partition, ascending with the draws.
        table: All rows (`MARKED`) whose draw lies in the partition's range.

    Returns:
        Rows of `RANKED`, by stratum and rank, and rows of `STRATA`.
    """
    table = table.combine_chunks()
    cells, bands = table.column("cell").to_numpy(), table.column("band").to_numpy()
    names = pc.rank(table.column("lang"), tiebreaker="dense").to_numpy().astype(np.int64)
    strata = (cells.astype(np.int64) << np.int64(36)) | (names << np.int64(8)) | bands
    order = ordered(table, strata, table.column("rank").to_numpy())
    return _summed(partition, table.take(order), cells[order], bands[order], strata[order])


def _summed(
    partition: int, table: pa.Table, cells: Cells, bands: Bands, strata: Longs
) -> tuple[pa.Table, pa.Table]:
    sizes = table.column("size").to_numpy().astype(np.int64)
    starts = np.flatnonzero(np.diff(strata, prepend=-1))
    counts = np.diff(np.append(starts, len(strata)))
    before = np.cumsum(sizes) - sizes
    before -= np.repeat(before[starts], counts)
    ranked = {
        "partition": np.full(len(sizes), partition, dtype=np.int32),
        "node": table.column("node"),
        "doc_id": table.column("doc_id"),
        "cell": cells,
        "lang": table.column("lang"),
        "band": bands,
        "size": sizes,
        "before": before,
    }
    summary = {
        "partition": np.full(len(starts), partition, dtype=np.int32),
        "cell": cells[starts],
        "lang": table.column("lang").take(starts),
        "band": bands[starts],
        "documents": counts.astype(np.int64),
        "size": np.add.reduceat(sizes, starts) if len(starts) else sizes,
        "largest": np.maximum.reduceat(sizes, starts) if len(starts) else sizes,
    }
    return pa.table(ranked, schema=RANKED), pa.table(summary, schema=STRATA)
