"""The last look at staging: every row gets its one outcome, and text sets out for its shard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms import storage
from transforms.dedup.index.pins import PIN, read_pins
from transforms.dedup.rows import ORIGINS, TIERS, is_indexed, reason_code, uint64
from transforms.dedup.spans import iso_dates
from transforms.errors import LedgerError
from transforms.rebalance.finalise import numbered
from transforms.records import (
    DECLARED_COPY,
    DROPPED,
    INDEX_PART,
    PART_BITS,
    PUBLISHED,
    REASONS,
    SIGNATURE,
)
from transforms.staging.survey.decisions import Policy, apply_decisions, columns_of, read_decisions

__all__ = ["INDEXED", "LEDGER", "ROUTED", "settle_parts"]

ROUTED = pa.schema([*PUBLISHED, ("shard", pa.int32()), ("position", pa.int32())])
"""A published row on its way to its place."""

INDEXED = pa.schema([*ROUTED, *SIGNATURE])
"""The same, on its way to the index, too."""

LEDGER = pa.schema(
    [
        ("file", pa.int64()),
        ("lang", pa.string()),
        ("origin", pa.string()),
        ("outcome", pa.string()),
        ("documents", pa.int64()),
        ("size", pa.int64()),
    ]
)
"""Documents of one file, language and origin with one outcome: `kept` or a reason. `file`
is its place in the list of inputs."""

_KEPT = "kept"
_OUTCOMES = (_KEPT, *REASONS)
_NOT_SELECTED = _OUTCOMES.index("not_selected")
_TOO_LARGE = _OUTCOMES.index("too_large")
_TRIMMED = _OUTCOMES.index("trimmed")
_PLACED = ("copies", "copies_original", "first_date", "last_date", "repeat", "shard", "position")
"""Columns that staging does not have."""

Index = npt.NDArray[np.int64]


class _Part:
    """What is known of the rows of one part, as arrays over its rows."""

    def __init__(self, part: int, rows: int, tables: Mapping[str, pa.Table]) -> None:
        self._base = np.uint64(part) << np.uint64(PART_BITS)
        self.rows, self.file = rows, part >> 16  # as `ingest.splits.part_id` numbers parts
        self._kept, kept = self._here(tables["kept"])
        self._fates, fates = self._here(tables["fates"])
        seen = np.bincount(np.concatenate([kept, fates]), minlength=rows)
        if len(seen) != rows or (seen != 1).any():
            lost, twice = int((seen == 0).sum()), int((seen > 1).sum())
            raise LedgerError(
                f"part {part} of staging: of {rows} documents {lost} have no outcome and {twice} "
                "have more than one; a step between staging and publishing lost or repeated them"
            )
        self.assigned, placed = self._here(tables["assigned"])
        self.placed = placed
        self.repeat = numbered(self.assigned)
        _, trimmed = self._here(tables["trimmed"])
        _, large = self._here(tables["too_large"])
        self.outcome = np.zeros(rows, dtype=np.int64)
        self.outcome[fates] = self._fates.column("reason").to_numpy().astype(np.int64) + 1
        unplaced = np.zeros(rows, dtype=bool)
        unplaced[kept] = True
        unplaced[placed] = False
        self.outcome[unplaced] = _NOT_SELECTED
        for code, some in ((_TRIMMED, trimmed), (_TOO_LARGE, large)):
            cut = np.zeros(rows, dtype=bool)
            cut[some] = True
            self.outcome[unplaced & cut] = code
        self.origin = self._over_rows("origin", kept, fates)
        self.tier = self._over_rows("tier", kept, fates)
        self._kept_at = np.full(rows, -1, dtype=np.int64)
        self._kept_at[kept] = np.arange(len(kept))
        self._fate_at = np.full(rows, -1, dtype=np.int64)
        self._fate_at[fates] = np.arange(len(fates))

    def _here(self, table: pa.Table) -> tuple[pa.Table, Index]:
        """The rows of a table that lie in this part, and their row numbers."""
        node = uint64(table, "node")
        first, last = np.searchsorted(node, [self._base, self._base + np.uint64(1 << PART_BITS)])
        inside = table.slice(first, last - first)
        return inside, (node[first:last] - self._base).astype(np.int64)

    def _over_rows(self, name: str, kept: Index, fates: Index) -> npt.NDArray[np.int8]:
        out = np.zeros(self.rows, dtype=np.int8)
        out[kept] = self._kept.column(name).to_numpy()
        out[fates] = self._fates.column(name).to_numpy()
        return out

    def kept(self, name: str, rows: Index) -> pa.ChunkedArray:
        """A column of `KEPT` of kept rows."""
        return self._kept.column(name).take(self._kept_at[rows])

    def fates(self, rows: Index) -> pa.Table:
        """Fates (FATE) of dropped rows; null where the plan left a row out."""
        at = pa.array(self._fate_at[rows], mask=self._fate_at[rows] < 0)
        return self._fates.take(at)


def _ledger(part: _Part, staged: pa.Table, rows: Index, unit_column: str | None) -> pa.Table:
    size = (
        staged.column(unit_column).cast(pa.int64())
        if unit_column
        else pa.array(np.ones(len(rows), np.int64))
    )
    table = pa.table(
        {
            "file": pa.array(np.full(len(rows), part.file, np.int64)),
            "lang": staged.column("lang"),
            "origin": pa.array(ORIGINS).take(pa.array(part.origin[rows])),
            "outcome": pa.array(_OUTCOMES).take(pa.array(part.outcome[rows])),
            "size": size,
        }
    )
    summed = table.group_by(["file", "lang", "origin", "outcome"]).aggregate(
        [("size", "count"), ("size", "sum")]
    )
    names = ["file", "lang", "origin", "outcome", "size_count", "size_sum"]
    return pa.table([summed.column(name) for name in names], schema=LEDGER)


def _settled(staged: pa.Table, part: _Part, rows: Index) -> pa.Table:
    """Staged rows with the origin that their group of copies gave them."""
    origin = pa.chunked_array([pa.array(ORIGINS).take(pa.array(part.origin[rows]))])
    tier = pa.chunked_array([pa.array(TIERS, pa.string()).take(pa.array(part.tier[rows]))])
    changed = pc.not_equal(origin, staged.column("origin")).to_numpy()
    if changed.any():
        # Copies of this text speak for it: one of them is declared machine-made.
        evidence = [
            [*given, DECLARED_COPY] if here else given
            for given, here in zip(
                staged.column("origin_evidence").to_pylist(), changed, strict=True
            )
        ]
        column = pa.chunked_array([pa.array(evidence, pa.list_(pa.string()))])
        tag = pc.if_else(
            pc.and_(pc.equal(origin, "synthetic"), pa.array(changed)),
            "synthetic",
            staged.column("synthetic_tag"),
        )
        staged = _replace(_replace(staged, "origin_evidence", column), "synthetic_tag", tag)
    return _replace(_replace(staged, "origin", origin), "origin_tier", tier)


def _replace(table: pa.Table, name: str, column: pa.ChunkedArray) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, column)


def _routed(part: _Part, staged: pa.Table, first: int, schema: pa.Schema) -> pa.Table | None:
    """The appearances of the documents of one row group, as rows of ROUTED or INDEXED."""
    low, high = np.searchsorted(part.placed, [first, first + len(staged)])
    if low == high:
        return None
    rows, place = part.placed[low:high], part.assigned.slice(low, high - low)
    taken = _settled(staged.take(rows - first), part, rows)
    for name in ("copies", "copies_original"):
        taken = taken.append_column(name, part.kept(name, rows))
    for name in ("first", "last"):
        taken = taken.append_column(f"{name}_date", iso_dates(part.kept(f"{name}_day", rows)))
    taken = taken.append_column("repeat", pa.array(part.repeat[low:high]))
    for name in ("shard", "position"):
        taken = taken.append_column(name, place.column(name))
    return taken.select(schema.names).cast(schema)


def _dropped(part: _Part, staged: pa.Table, first: int, pins: pa.Table) -> pa.Table:
    rows = first + np.flatnonzero(part.outcome[first : first + len(staged)])
    fates = part.fates(rows)
    taken = staged.take(rows - first)
    reason = pa.array(_OUTCOMES).take(pa.array(part.outcome[rows]))
    columns = [taken.column("doc_id"), taken.column("url"), reason]
    columns += [fates.column("witness"), fates.column("similarity"), *_witnessed(fates, pins)]
    return pa.table(columns, schema=DROPPED)


def _witnessed(fates: pa.Table, pins: pa.Table) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Run and shard of witnesses of earlier runs, and how each similarity is known.

    A shard whose text was gone when the run was named left nothing but its signatures:
    similarity to its documents is their estimate, unless the texts have one hash.
    """
    by = fates.column("by").fill_null(0).to_numpy()
    earlier = is_indexed(by)
    number = (by >> np.uint64(PART_BITS)).astype(np.int64) - INDEX_PART
    at = pa.array(number, mask=~earlier)
    pinned = pins.take(at)
    near = pc.equal(fates.column("reason"), reason_code("near_duplicate"))
    gone = pc.and_(pc.is_null(pinned.column("text")), pa.array(earlier))
    kind = pc.if_else(pc.and_(near, gone), "estimated", "exact")
    kind = pc.if_else(fates.column("by").is_valid(), kind, pa.scalar(None, pa.string()))
    return pinned.column("run"), pinned.column("shard"), kind


def settle_parts(
    partition: int,
    tables: Mapping[str, pa.Table],
    *,
    unit: str,
    policies: Sequence[Policy] = (),
    decisions: Iterable[pa.RecordBatch] = (),
    pinned: str | None = None,
) -> Iterator[tuple[str, pa.Table]]:
    """Reads parts of staging and sends every row where it belongs.

    Args:
        partition: Not used.
        tables: `parts` (PART), and by part `kept` (KEPT), `fates` (FATE), `assigned`
            (finalise.ASSIGNED),
            `trimmed` (finalise.TRIMMED) and `too_large` (ranks.LIGHT).
        unit: Size unit of the ledger.
        policies: Whose decisions are published.
        decisions: Rows of `survey.DECISIONS`.
        pinned: Staging folder that pins what the run compares with; None without an index.

    Yields:
        `routed` (ROUTED, or INDEXED with an index), `dropped` (DROPPED) and `ledger`
        (LEDGER), a row group of staging at a time.

    Raises:
        LedgerError: A staged row has no outcome, or more than one.
    """
    del partition
    ordered = {
        name: table.take(np.argsort(uint64(table, "node"), kind="stable"))
        for name, table in tables.items()
        if name != "parts"
    }
    column = None if unit == "docs" else f"n_{unit}"
    schema = INDEXED if pinned else ROUTED
    pins = read_pins(pinned) if pinned else PIN.empty_table()
    names = [name for name in schema.names if name not in _PLACED]
    names, made = columns_of(policies, names), read_decisions(decisions)
    for number, path, rows in zip(
        *(tables["parts"].column(n).to_pylist() for n in ("part", "path", "rows")), strict=True
    ):
        part, first = _Part(number, rows, ordered), 0
        with storage.open_input(path) as source:
            file = pq.ParquetFile(source)
            for group in range(file.num_row_groups):
                staged = file.read_row_group(group, columns=names)
                staged = apply_decisions(staged, policies, made)
                routed = _routed(part, staged, first, schema)
                if routed is not None:
                    yield "routed", routed
                yield "dropped", _dropped(part, staged, first, pins)
                yield "ledger", _ledger(part, staged, np.arange(first, first + len(staged)), column)
                first += len(staged)
