"""Exact copies: groups of one normal form, what their evidence adds up to, who stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.dedup.rows import COPY, SURVIVOR, reason_code
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
    """Keeps one document of each group of exact copies.

    Args:
        partition: Not used.
        tables: `documents`: rows of `LIGHT`, every group whole.
        settle: Evidence over a group.

    Yields:
        `survivors` (SURVIVOR), one a group that is not excluded as a whole, and
        `copies` (COPY) of all other rows.
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
    stays = ~excluded[first]
    best = np.repeat(first, np.diff(np.append(starts, len(order))))
    yield (
        "survivors",
        _survivors(rows, first[stays], hi, lo, tier, origin, copies[stays], originals[stays]),
    )
    gone = np.ones(len(order), dtype=bool)
    gone[starts[stays]] = False
    yield "copies", _copies(rows, order[gone], best[gone], excluded, tier, origin)


_CARRIED = ["node", "doc_id", "lang", "mixed", "tail", "weight", "size", "bands"]
"""Columns that a survivor keeps of its own row."""


def _survivors(
    rows: pa.Table,
    index: npt.NDArray[np.int64],
    hi: Hashes,
    lo: Hashes,
    tier: npt.NDArray[np.int8],
    origin: npt.NDArray[np.int8],
    copies: npt.NDArray[np.int64],
    originals: npt.NDArray[np.int64],
) -> pa.Table:
    taken = rows.select(_CARRIED).take(index)
    columns = {name: taken.column(name) for name in taken.column_names}
    columns |= {"hi": hi[index], "lo": lo[index], "tier": tier[index], "origin": origin[index]}
    columns |= {"copies": copies, "copies_original": originals}
    return pa.table(
        [
            pa.chunked_array([columns[f.name]], f.type)
            if isinstance(columns[f.name], np.ndarray)
            else columns[f.name]
            for f in SURVIVOR
        ],
        schema=SURVIVOR,
    )


def _copies(
    rows: pa.Table,
    index: npt.NDArray[np.int64],
    witness: npt.NDArray[np.int64],
    excluded: npt.NDArray[np.bool_],
    tier: npt.NDArray[np.int8],
    origin: npt.NDArray[np.int8],
) -> pa.Table:
    out = excluded[index]
    ids = rows.column("doc_id").take(witness)
    reason = np.where(out, reason_code("excluded"), reason_code("exact_duplicate"))
    return pa.table(
        [
            rows.column("node").take(index),
            pa.array(reason, pa.int8()),
            pc.if_else(pa.array(out), pa.scalar(None, pa.binary()), ids),
            pa.array(np.ones(len(index)), mask=out),
            pa.array(tier[index], pa.int8()),
            pa.array(origin[index], pa.int8()),
            rows.column("node").take(witness),
        ],
        schema=COPY,
    )
