"""Recomputing what one published shard claims, from its rows alone."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from transforms.dedup.fingerprint import document_ids, text_hashes
from transforms.dedup.spans import iso_dates
from transforms.formats.choose import PARQUET
from transforms.formats.format import Format
from transforms.ingest.dates import parse_dates
from transforms.rebalance.attributes import FLAGS
from transforms.rebalance.config import MILLION, millionths
from transforms.rebalance.windows import worst_window
from transforms.records import DECLARED_COPY, PUBLISHED
from transforms.shards.identities import claims_of
from transforms.shards.promise import EXPECTED, Assess, Promise, counted_as, masses, members

__all__ = ["REPORT", "check_rows", "check_shard"]

REPORT = pa.schema(
    [
        ("shard", pa.int32()),
        ("path", pa.string()),
        ("sha256", pa.string()),
        ("n_bytes", pa.int64()),
        ("documents", pa.int64()),
        ("distinct", pa.int64()),
        ("size", pa.int64()),
        ("facts", pa.binary()),
        ("findings", pa.list_(pa.string())),
    ]
)
"""What was found in one shard. `distinct` counts first appearances; `facts` is JSON:
`members` (size by attribute), `worst_window` by floor, `languages` and `origins`
(first appearances: documents, size, tail)."""

_DAY = r"^\d{4}-\d{2}-\d{2}$"

Sizes = npt.NDArray[np.int64]


def _mismatches(name: str, given: pa.Array, computed: pa.Array) -> Iterator[str]:
    same = pc.equal(given, computed).fill_null(False)
    both_null = pc.and_(given.is_null(), computed.is_null())
    yield from _wrong(name, pc.invert(pc.or_(same, both_null)))


def _wrong(name: str, mask: pa.BooleanArray) -> Iterator[str]:
    wrong = mask.to_numpy(zero_copy_only=False)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        yield f"{int(wrong.sum())} rows have a wrong {name}, the first is row {row}"


def _check_rows(batch: pa.RecordBatch, promise: Promise, assess: Assess) -> Iterator[str]:
    """Columns that follow from other columns of the row."""
    text = batch.column("text")
    yield from _mismatches("doc_id", batch.column("doc_id"), document_ids(batch))
    yield from _mismatches("text_hash", batch.column("text_hash"), text_hashes(text))
    yield from _mismatches("n_chars", batch.column("n_chars"), pc.utf8_length(text))
    yield from _mismatches("n_bytes", batch.column("n_bytes"), pc.binary_length(text))
    yield from _check_tokens(batch, promise)
    langs = batch.column("lang").dictionary_encode()
    listed = pa.array([promise.is_tail(lang) for lang in langs.dictionary.to_pylist()], pa.bool_())
    tail = pc.and_(listed.take(langs.indices), pc.invert(batch.column("mixed")))
    yield from _mismatches("tail", batch.column("tail"), tail)
    yield from _check_origin(batch, assess)
    yield from _check_dates(batch)
    if promise.judge is not None:
        judged = promise.judge(pa.Table.from_batches([batch]), promise.decisions)
        for name in judged.column_names:
            yield from _mismatches(name, batch.column(name), judged.column(name).combine_chunks())
    protected = np.zeros(len(batch), dtype=bool)
    for attribute in promise.floors:
        protected |= members(pa.Table.from_batches([batch]), attribute)
    repeated = batch.column("repeat").to_numpy() > 0
    if (repeated & ~protected).any():
        yield f"row {int(np.flatnonzero(repeated & ~protected)[0])} repeats unprotected text"


def _check_tokens(batch: pa.RecordBatch, promise: Promise) -> Iterator[str]:
    """Counts are those of the tokenizer; where it is not at hand, at least they are counts."""
    given = batch.column("n_tokens")
    if promise.count_tokens is not None:
        yield from _mismatches("n_tokens", given, promise.count_tokens(batch.column("text")))
        return
    unknown = pa.scalar(promise.unit == "tokens")
    yield from _wrong("n_tokens", pc.fill_null(pc.less(given, 0), unknown))


def _check_origin(batch: pa.RecordBatch, assess: Assess) -> Iterator[str]:
    """Tier and origin follow from the row, or from a copy that was declared machine-made."""
    by_copy = pa.array(
        [DECLARED_COPY in given for given in batch.column("origin_evidence").to_pylist()]
    )
    computed = assess(batch)
    origin = pc.if_else(by_copy, "synthetic", computed.column("origin"))
    tier = pc.if_else(by_copy, pa.scalar(None, pa.string()), computed.column("origin_tier"))
    yield from _mismatches("origin", batch.column("origin"), origin)
    yield from _mismatches("origin_tier", batch.column("origin_tier"), tier)


def _check_dates(batch: pa.RecordBatch) -> Iterator[str]:
    """The document's own day lies between the first and the last of its copies.

    One that stands for itself alone has its own day for both; both are dates, or neither.
    """
    own = iso_dates(parse_dates(batch.column("date"))[1])
    first, last = batch.column("first_date"), batch.column("last_date")
    alone = pc.equal(batch.column("copies"), 1)
    backward = pc.greater(first, last)
    for name, given, other, beyond in (
        ("first_date", first, last, pc.greater),
        ("last_date", last, first, pc.less),
    ):
        wrong = [
            pc.xor(given.is_valid(), pc.or_(own.is_valid(), other.is_valid())),
            pc.and_(alone, pc.not_equal(given.fill_null(""), own.fill_null(""))),
            pc.invert(pc.match_substring_regex(given, _DAY)),
            beyond(given, own),
            backward,
        ]
        yield from _wrong(name, functools.reduce(pc.or_, (mask.fill_null(False) for mask in wrong)))


def _check_shares(table: pa.Table, sizes: Sizes, promise: Promise) -> Iterator[str]:
    total = int(sizes.sum())
    for attribute, share in promise.floors.items():
        have = int(sizes[members(table, attribute)].sum())
        if have < promise.exact(share) * total:
            yield f"floor {attribute}={share} is broken: {have} of {total} {promise.unit}"
    for attribute, share in promise.caps.items():
        have = _counted(table, sizes, counted_as("caps", attribute))
        if have > promise.exact(share) * total:
            yield f"cap {attribute}={share} is broken: {have} of {total} {promise.unit}"


def _counted(table: pa.Table, sizes: Sizes, name: str) -> int:
    """The size that counts as `name`, rounded up."""
    return -(-int((sizes * masses(table, name)).sum()) // MILLION)


def _holdings(table: pa.Table, sizes: Sizes, promise: Promise) -> dict[str, dict[str, int]]:
    """Of every concentration that is capped, the size by source or host."""
    found = {}
    for name in promise.concentration:
        within, _, field = name.partition("/")
        values = table.column(field).fill_null("")
        some = pa.table({"value": values, "size": sizes}).filter(pa.array(members(table, within)))
        summed = some.group_by("value").aggregate([("size", "sum")])
        columns = (summed.column(column).to_pylist() for column in ("value", "size_sum"))
        found[name] = dict(zip(*columns, strict=True))
    return found


def _windows(table: pa.Table, sizes: Sizes, promise: Promise) -> dict[str, int]:
    """The worst shortfall of any window, by floor, in size units."""
    return {
        name: worst_window(sizes, members(table, name), millionths(share))[0]
        for name, share in promise.floors.items()
    }


def _check_windows(worst: dict[str, int], sizes: Sizes, promise: Promise) -> Iterator[str]:
    bound = (1 + len(promise.floors)) * int(sizes.max(initial=0))
    for name, shortfall in worst.items():
        if shortfall > bound:
            yield f"a window is {shortfall} {promise.unit} short of floor {name}; at most {bound}"


def _summary(table: pa.Table, sizes: Sizes, column: str) -> dict[str, list[int]]:
    """First appearances by a column: documents, size, documents that are tail."""
    first = pc.equal(table.column("repeat"), 0)
    rows = pa.table(
        {"key": table.column(column), "size": sizes, "tail": table.column("tail").cast(pa.int64())}
    ).filter(first)
    summed = rows.group_by("key").aggregate([("size", "count"), ("size", "sum"), ("tail", "sum")])
    names = ("key", "size_count", "size_sum", "tail_sum")
    keys, *columns = (summed.column(name).to_pylist() for name in names)
    return {key: list(values) for key, *values in sorted(zip(keys, *columns, strict=True))}


def check_shard(
    shard: int,
    path: str,
    data: bytes,
    promise: Promise,
    assess: Assess,
    written_as: Format = PARQUET,
) -> tuple[pa.Table, pa.Table]:
    """Recomputes everything that one shard says of itself.

    Args:
        shard: Its number.
        path: Its name, for the report.
        data: The whole file.
        promise: Floors, caps, unit, tail languages.
        assess: Provenance, from the columns of a batch.
        written_as: The format of the file.

    Returns:
        One row of `REPORT`, and the shard's claims (`identities.CLAIM`).
    """
    return check_rows(shard, path, data, written_as.read(data), promise, assess)


def check_rows(
    shard: int, path: str, data: bytes, table: pa.Table, promise: Promise, assess: Assess
) -> tuple[pa.Table, pa.Table]:
    """`check_shard` for a file whose rows were read already: `table`, with its schema."""
    findings = []
    if not table.schema.equals(PUBLISHED):
        findings.append(f"the schema differs from the published one: {table.schema.names}")
        table = (
            table.slice(0, 0).cast(PUBLISHED)
            if set(PUBLISHED.names) <= set(table.schema.names)
            else PUBLISHED.empty_table()
        )
    sizes = promise.sizes(table)
    for batch in table.combine_chunks().to_batches():
        findings += _check_rows(batch, promise, assess)
    findings += _check_shares(table, sizes, promise)
    worst = _windows(table, sizes, promise)
    findings += _check_windows(worst, sizes, promise)
    if not len(table):
        findings.append("the shard is empty")
    facts = {
        "members": {
            name: _counted(table, sizes, name)
            for name in (*FLAGS, EXPECTED, *(n for n in promise.named if n not in FLAGS))
        },
        "holdings": _holdings(table, sizes, promise),
        "worst_window": worst,
        "largest": int(sizes.max(initial=0)),
        "languages": _summary(table, sizes, "lang"),
        "origins": _summary(table, sizes, "origin"),
    }
    row = {
        "shard": shard,
        "path": path,
        "sha256": hashlib.sha256(data).hexdigest(),
        "n_bytes": len(data),
        "documents": len(table),
        "distinct": int((table.column("repeat").to_numpy() == 0).sum()),
        "size": int(sizes.sum()),
        "facts": orjson.dumps(facts, option=orjson.OPT_SORT_KEYS),
        "findings": findings,
    }
    return pa.Table.from_pylist([row], schema=REPORT), claims_of(table)
