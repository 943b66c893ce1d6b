"""Bringing verdicts home: removed documents leave, witnesses count what they stand for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.dedup.rows import (
    CREDIT,
    FATE,
    KEPT,
    UNDECIDED,
    WHY_OPEN,
    is_indexed,
    reason_code,
    uint64,
)
from transforms.dedup.spans import widened

__all__ = ["add_copies", "remove_near"]

Index = npt.NDArray[np.int64]


def _sorted(table: pa.Table) -> pa.Table:
    return table.take(np.argsort(uint64(table, "node"), kind="stable"))


def remove_near(partition: int, tables: Mapping[str, pa.Table]) -> Iterator[tuple[str, pa.Table]]:
    """Parts the survivors of exact deduplication into kept and near-duplicates.

    Args:
        partition: Not used.
        tables: `survivors` (SURVIVOR), `removed` (REMOVED) and `open` (OPEN) by node,
            and `copies` (COPY) by the survivor of their group.

    Yields:
        `kept` (KEPT), `fates` (FATE) of the removed and of all copies, `credits`
        (CREDIT) for those witnesses of the removed that are of this run, and
        `undecided` (UNDECIDED), the open documents that are kept.
    """
    del partition
    survivors, removed = _sorted(tables["survivors"]), _sorted(tables["removed"])
    at = np.searchsorted(uint64(survivors, "node"), uint64(removed, "node"))
    stays = np.ones(len(survivors), dtype=bool)
    stays[at] = False
    yield "kept", survivors.select(KEPT.names).filter(pa.array(stays))
    yield "undecided", _undecided(survivors, stays, tables["open"])
    gone = survivors.take(at)
    reason = pa.array(np.full(len(gone), reason_code("near_duplicate"), dtype=np.int8))
    columns = [removed.column("node"), reason, removed.column("witness")]
    columns += [removed.column("similarity"), gone.column("tier"), gone.column("origin")]
    columns.append(removed.column("by"))
    yield "fates", pa.table(columns, schema=FATE)
    yield "fates", _follow(tables["copies"], removed)
    columns = [removed.column("by"), *(gone.column(name) for name in CREDIT.names[1:])]
    credited = pa.table(columns, schema=CREDIT)
    yield "credits", credited.filter(pa.array(~is_indexed(uint64(removed, "by"))))


def _undecided(survivors: pa.Table, stays: npt.NDArray[np.bool_], given: pa.Table) -> pa.Table:
    """The kept among open documents, each once with the first reason that there is."""
    node, why = uint64(given, "node"), given.column("why").to_numpy()
    order = np.lexsort((why, node))
    node, first = np.unique(node[order], return_index=True)
    at = np.searchsorted(uint64(survivors, "node"), node)
    kept = stays[at]
    names = pa.array(WHY_OPEN).take(pa.array(why[order][first][kept]))
    return pa.table([survivors.column("doc_id").take(at[kept]), names], schema=UNDECIDED)


def _follow(copies: pa.Table, removed: pa.Table) -> pa.Table:
    """Fates of exact copies: one whose survivor is removed goes the same way.

    It has the survivor's shingles, so its similarity to the witness is the same.

    Args:
        copies: Rows of `COPY`.
        removed: Rows of `REMOVED`, by node.
    """
    node, of = uint64(removed, "node"), uint64(copies, "of")
    at = np.minimum(np.searchsorted(node, of), max(len(node) - 1, 0))
    moved = node[at] == of if len(node) else np.zeros(len(of), dtype=bool)
    # An excluded document keeps its reason whatever becomes of its text.
    moved &= copies.column("reason").to_numpy() != reason_code("excluded")
    fates = copies.select(FATE.names)
    if not moved.any():
        return fates
    mask, taken = pa.array(moved), removed.take(pa.array(at[moved]))
    reason = pa.array(np.full(len(taken), reason_code("near_duplicate"), dtype=np.int8))
    for name, column in (
        ("reason", reason),
        ("witness", taken.column("witness").combine_chunks()),
        ("similarity", taken.column("similarity").combine_chunks()),
        ("by", taken.column("by").combine_chunks()),
    ):
        replaced = pc.replace_with_mask(fates.column(name).combine_chunks(), mask, column)
        fates = fates.set_column(fates.schema.get_field_index(name), name, replaced)
    return fates


def add_copies(partition: int, tables: Mapping[str, pa.Table]) -> Iterator[tuple[str, pa.Table]]:
    """Adds to each kept document the copies, and their days, that it is witness to.

    Args:
        partition: Not used.
        tables: `kept` (KEPT) and `credits` (CREDIT), by node.

    Yields:
        `kept` (KEPT).
    """
    del partition
    kept, credit = _sorted(tables["kept"]), tables["credits"]
    at = np.searchsorted(uint64(kept, "node"), uint64(credit, "node"))
    for name in ("copies", "copies_original"):
        total = kept.column(name).to_numpy().copy()
        np.add.at(total, at, credit.column(name).to_numpy())
        kept = kept.set_column(kept.schema.get_field_index(name), name, pa.array(total))
    for name, days in widened(kept, credit, at).items():
        kept = kept.set_column(kept.schema.get_field_index(name), name, days)
    yield "kept", kept.cast(KEPT)
