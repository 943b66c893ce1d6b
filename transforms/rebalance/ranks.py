"""Ranks: a draw per document, the order of documents inside a stratum, stratum totals.

A stratum is what shares a cell and a language. The first exchange brings rows
together whose ranks lie in one range; each partition orders its own and hands on
one summary row per stratum, from which `plan.offsets` makes the run-wide order.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.rebalance.cells import Rules, cells_of
from transforms.rebalance.config import MILLION, RebalanceConfig
from transforms.rebalance.tables import columns

__all__ = ["LIGHT", "RANKED", "STRATA", "halves", "places", "rank_keys", "rank_strata"]
__all__ += ["split_large"]

LIGHT = columns(
    node=pa.uint64(),
    doc_id=pa.binary(),
    lang=pa.string(),
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
`rare` counts the rare types that it holds. `rank` (uint64) is
put on by the caller with `places`, so that the exchange can split by it."""

RANKED = columns(
    partition=pa.int32(),
    node=pa.uint64(),
    doc_id=pa.binary(),
    cell=pa.uint16(),
    lang=pa.string(),
    size=pa.int64(),
    before=pa.int64(),
)
"""A document with the size that lies before it in its stratum and partition."""

STRATA = columns(
    partition=pa.int32(),
    cell=pa.uint16(),
    lang=pa.string(),
    documents=pa.int64(),
    size=pa.int64(),
    largest=pa.int64(),
)
"""One row per partition and stratum."""

Keys = npt.NDArray[np.uint64]
Binary: TypeAlias = "pa.Array[Any] | pa.ChunkedArray[Any]"


def _words(column: Binary, order: str) -> Keys:
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):  # Arrow keeps no chunk at all as it is
        array = pa.concat_arrays(array.chunks) if array.chunks else pa.array([], pa.binary())
    fixed = array.cast(pa.binary(16))
    raw = fixed.buffers()[1]
    words = np.frombuffer(memoryview(raw), dtype=order) if raw else np.empty(0, dtype=order)
    return words[2 * fixed.offset : 2 * (fixed.offset + len(fixed))].reshape(-1, 2)


def halves(column: Binary) -> tuple[Keys, Keys]:
    """The upper and the lower eight bytes of 16-byte values, which sort as the bytes do."""
    words = _words(column, ">u8").astype(np.uint64)
    return words[:, 0], words[:, 1]


def rank_keys(doc_id: Binary, rotation: int) -> Keys:
    """A draw per document: 64 bits that depend on its `doc_id` and the rotation only.

    Each eight bytes go through the finaliser of SplitMix64 (Steele, Lea and Flood,
    Fast splittable pseudorandom number generators, OOPSLA 2014).
    """
    words = _words(doc_id, "<u8").astype(np.uint64)
    seed = _mix(np.array([rotation], dtype=np.uint64))
    return _mix(_mix(words[:, 0] + seed) + words[:, 1])


def _mix(words: Keys) -> Keys:
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def places(table: pa.Table, rules: Rules, rotation: int) -> Keys:
    """Where each document stands in its stratum: by draw, the lightly weighed behind.

    A document that serves no floor keeps its place with the probability that is its
    weight, and otherwise stands behind all that keep theirs, so that it is left out
    first where not all text is published. Weights of one change nothing.

    Args:
        table: Rows of `LIGHT`.
        rules: The run's floors and caps.
        rotation: As for `rank_keys`.

    Returns:
        Ascending with the place; the topmost bit says that a document stands behind.
    """
    ranks = rank_keys(table.column("doc_id"), rotation)
    return (ranks >> np.uint64(1)) | (_behind(table, rules, ranks) << np.uint64(63))


def _behind(table: pa.Table, rules: Rules, ranks: Keys) -> Keys:
    """1 for documents that lose their place, else 0."""
    weights = table.column("weight").to_numpy().astype(np.uint64)
    # Another draw, of 32 bits, which times a million fill 52.
    draws = (_mix(ranks) >> np.uint64(32)) * np.uint64(MILLION) >> np.uint64(32)
    free = cells_of(table, rules) & np.uint16(rules.floor_bits) == 0
    return np.asarray(free & (draws >= weights), dtype=np.uint64)


def split_large(table: pa.Table, config: RebalanceConfig) -> tuple[pa.Table, pa.Table]:
    """Parts rows that fit into a shard from those that do not (`too_large`).

    The largest that fits is an eighth of a shard, and for a document under a cap no
    more than what the cap leaves in one: a single larger one would break it.

    Args:
        table: Rows of `LIGHT`.
        config: Shard size and caps.
    """
    most = np.full(table.num_rows, config.largest_document, dtype=np.int64)
    for rule in Rules.of(config).constraints:
        if rule.kind == "cap":
            member = table.column(rule.attribute).to_numpy()
            allowed = config.shard_size * rule.share // MILLION
            most = np.where(member, np.minimum(most, allowed), most)
    fits = table.column("size").to_numpy() <= most
    return table.filter(pa.array(fits)), table.filter(pa.array(~fits))


def rank_strata(
    partition: int, table: pa.Table, rules: Rules, rotation: int
) -> tuple[pa.Table, pa.Table]:
    """Orders a partition by rank and sums up its strata.

    Args:
        partition: Number of the partition, ascending with the places.
        table: All rows (`LIGHT`) whose place lies in the partition's range.
        rules: The run's floors and caps.
        rotation: As for `rank_keys`.

    Returns:
        Rows of `RANKED`, by stratum and rank, and rows of `STRATA`.
    """
    table = table.combine_chunks()
    cells = cells_of(table, rules)
    names = pc.rank(table.column("lang"), tiebreaker="dense").to_numpy().astype(np.int64)
    strata = (cells.astype(np.int64) << np.int64(40)) | names
    upper, lower = halves(table.column("doc_id"))
    ranks = rank_keys(table.column("doc_id"), rotation)
    behind = _behind(table, rules, ranks)
    order = np.lexsort((lower, upper, ranks, behind, strata))
    return _summed(partition, table.take(order), cells[order], strata[order])


def _summed(
    partition: int,
    table: pa.Table,
    cells: npt.NDArray[np.uint16],
    strata: npt.NDArray[np.int64],
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
        "size": sizes,
        "before": before,
    }
    summary = {
        "partition": np.full(len(starts), partition, dtype=np.int32),
        "cell": cells[starts],
        "lang": table.column("lang").take(starts),
        "documents": counts.astype(np.int64),
        "size": np.add.reduceat(sizes, starts) if len(starts) else sizes,
        "largest": np.maximum.reduceat(sizes, starts) if len(starts) else sizes,
    }
    return pa.table(ranked, schema=RANKED), pa.table(summary, schema=STRATA)
