"""Exact copies: groups of one normal form, what their evidence adds up to, who stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.dedup.rows import COPY, SURVIVOR, reason_code
from transforms.dedup.spans import span_columns, spans_of
from transforms.dedup.survivor import UNDATED, halves, survivor_keys
from transforms.kernels import Hashes

__all__ = ["Settle", "settle_exact"]

Settle = Callable[..., tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]]
"""`settle(group, tier, date_day, declared, convicted) -> (origin, tier)`: what the
copies of a text, taken together, say of each one's origin."""


def _groups(first: Hashes, second: Hashes) -> npt.NDArray[np.int64]:
    """Numbers rows by their 128-bit value, in ascending order of it."""
    order = np.lexsort((second, first))
    a, b = first[order], second[order]
    fresh = np.ones(len(a), dtype=np.int64)
    fresh[1:] = (a[1:] != a[:-1]) | (b[1:] != b[:-1])
    group = np.empty(len(a), dtype=np.int64)
    group[order] = np.cumsum(fresh) - 1
    return group


def settle_exact(
    partition: int, tables: Mapping[str, pa.Table], *, settle: Settle
) -> Iterator[tuple[str, pa.Table]]:
    """Keeps one document of each group of exact copies, or none that was published before.

    A group whose text an earlier run published goes as a whole, the published document
    its witness. Only an original stays beside published copies none of which is one.

    Args:
        partition: Not used.
        tables: `documents`: rows of `LIGHT`, every group whole; with an index also
            `published`: rows of `SEEN` with the same texts.
        settle: Evidence over a group.

    Yields:
        `survivors` (SURVIVOR), at most one a group, and `copies` (COPY) of all other rows.
    """
    del partition
    rows = tables["documents"]
    group = _groups(*halves(rows.column("text_hash")))
    day = rows.column("date_day").fill_null(UNDATED).to_numpy()
    excluded = rows.column("excluded").to_numpy()
    origin, tier = settle(
        group,
        rows.column("tier").to_numpy(),
        day,
        rows.column("declared").to_numpy(),
        rows.column("convicted").to_numpy(),
    )
    hi, lo = survivor_keys(
        tier,
        day,
        rows.column("p").to_numpy(),
        rows.column("n_chars").to_numpy(),
        rows.column("doc_id"),
    )
    # Excluded rows go last in their group: they can neither stay nor be a witness.
    order = np.lexsort((rows.column("node").to_numpy(), lo, hi, excluded, group))
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    first = order[starts]
    counted = ~excluded[order]
    copies = np.add.reduceat(counted.astype(np.int64), starts)
    originals = np.add.reduceat((counted & (tier[order] < 2)).astype(np.int64), starts)
    witness = _Witnesses(rows, first, tables.get("published"), tier[first] < 2)
    stays = ~excluded[first] & ~witness.published
    first_day, last_day = spans_of(day[order], counted, starts)
    counts = {"copies": copies[stays], "copies_original": originals[stays]}
    counts |= span_columns(first_day[stays], last_day[stays])
    yield "survivors", _survivors(rows, first[stays], hi, lo, tier, origin, counts)
    gone = np.ones(len(order), dtype=bool)
    gone[starts[stays]] = False
    # Groups are numbered from 0 in the order of `starts`.
    yield "copies", _copies(rows, order[gone], group[order[gone]], witness, excluded, tier, origin)


class _Witnesses:
    """The document that each group of copies names: its best, or a published one.

    Args:
        rows: Rows of `LIGHT`.
        first: The best row of each group, groups in order of their text_hash.
        published: Rows of `SEEN`; None without an index.
        original: Whether the best row of each group is an original.

    Attributes:
        published: Per group, whether an earlier run's document is the witness.
        node: Per group, of the witness.
        doc_id: Per group, of the witness.
        of: Per group, of its best row.
    """

    def __init__(
        self,
        rows: pa.Table,
        first: npt.NDArray[np.int64],
        published: pa.Table | None,
        original: npt.NDArray[np.bool_],
    ) -> None:
        self.of: Hashes = rows.column("node").to_numpy()[first]
        self.node: Hashes = self.of.copy()
        self.doc_id = rows.column("doc_id").take(first).combine_chunks()
        self.published = np.zeros(len(first), dtype=bool)
        if published is None or not len(published):
            return
        seen = published.take(_best_of_texts(published))
        at, known = _look_up(rows.column("text_hash").take(first), seen.column("text_hash"))
        known &= ~original | seen.column("original").to_numpy()[at]
        self.published = known
        self.node[known] = seen.column("node").to_numpy()[at[known]]
        ids = seen.column("doc_id").take(at[known]).combine_chunks()
        self.doc_id = pc.replace_with_mask(self.doc_id, pa.array(known), ids)


def _best_of_texts(published: pa.Table) -> npt.NDArray[np.int64]:
    """One row of each text, in order of its hash: an original if there is one, the first."""
    upper, lower = halves(published.column("text_hash"))
    rest = ~published.column("original").to_numpy()
    order = np.lexsort((published.column("node").to_numpy(), rest, lower, upper))
    a, b = upper[order], lower[order]
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (a[1:] != a[:-1]) | (b[1:] != b[:-1])
    return order[fresh]


def _look_up(
    wanted: pa.ChunkedArray, seen: pa.ChunkedArray
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Where each hash is among the distinct `seen` ones, and whether it is there at all."""
    found = pc.index_in(wanted, value_set=seen.combine_chunks())
    known = found.is_valid().to_numpy()
    return found.fill_null(0).to_numpy().astype(np.int64), known


_CARRIED = ["node", "doc_id", "lang", "mixed", "tail", "weight", "likely", "source", "host"]
_CARRIED += ["size", "bands"]
"""Columns that a survivor keeps of its own row."""


def _survivors(
    rows: pa.Table,
    index: npt.NDArray[np.int64],
    hi: Hashes,
    lo: Hashes,
    tier: npt.NDArray[np.int8],
    origin: npt.NDArray[np.int8],
    counts: dict[str, Any],
) -> pa.Table:
    taken = rows.select(_CARRIED).take(index)
    columns = {name: taken.column(name) for name in taken.column_names}
    columns |= {"hi": hi[index], "lo": lo[index], "tier": tier[index], "origin": origin[index]}
    return pa.table(
        [
            pa.array(column, f.type) if isinstance(column, np.ndarray) else column
            for f in SURVIVOR
            for column in [(columns | counts)[f.name]]
        ],
        schema=SURVIVOR,
    )


def _copies(
    rows: pa.Table,
    index: npt.NDArray[np.int64],
    group: npt.NDArray[np.int64],
    witness: _Witnesses,
    excluded: npt.NDArray[np.bool_],
    tier: npt.NDArray[np.int8],
    origin: npt.NDArray[np.int8],
) -> pa.Table:
    out = excluded[index]
    ids = witness.doc_id.take(pa.array(group))
    reason = np.where(out, reason_code("excluded"), reason_code("exact_duplicate"))
    return pa.table(
        [
            rows.column("node").take(index),
            pa.array(reason, pa.int8()),
            pc.if_else(pa.array(out), pa.scalar(None, pa.binary()), ids),
            pa.array(np.ones(len(index)), mask=out),
            pa.array(tier[index], pa.int8()),
            pa.array(origin[index], pa.int8()),
            pa.array(witness.node[group], pa.uint64(), mask=out),
            pa.array(witness.of[group], pa.uint64()),
        ],
        schema=COPY,
    )
