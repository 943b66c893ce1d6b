"""Checks across files: witnesses exist, repeats count up, no text is published twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.dedup.rows import reason_code
from transforms.records import REASONS

__all__ = [
    "CLAIM",
    "FINDING",
    "check_claims",
    "check_dropped",
    "check_partition",
    "claims_of",
    "claims_of_dropped",
]

PUBLISHED_AS, DROPPED_AS, WANTED, TEXT = range(4)
"""Roles of a claim: a published appearance; a dropped document; a witness that must
exist; a published text."""

CLAIM = pa.schema(
    [("key", pa.binary()), ("role", pa.int8()), ("number", pa.int32()), ("other", pa.binary())]
)
"""What a row says of an id. `key` is a doc_id, or a text_hash for `TEXT`; `number` is
`repeat` or the code of the reason; `other` the doc_id of a `TEXT`. A witness that an
earlier run published makes no claim here: `check_dropped` and `verify` look at those."""

FINDING = pa.schema([("finding", pa.string())])

_BY_PLAN = [reason_code(reason) for reason in ("too_large", "not_selected", "trimmed")]
"""Reasons that leave out a document which deduplication kept."""


def _claims(keys: pa.ChunkedArray, role: int, number: pa.Array, other: pa.Array | None) -> pa.Table:
    if other is None:
        other = pa.nulls(len(keys), pa.binary())
    roles = pa.array(np.full(len(keys), role, dtype=np.int8))
    return pa.table([keys, roles, number, other], schema=CLAIM)


def claims_of(shard: pa.Table) -> pa.Table:
    """The claims of a shard's rows (CLAIM)."""
    ids, repeat = shard.column("doc_id"), shard.column("repeat")
    return pa.concat_tables(
        [
            _claims(ids, PUBLISHED_AS, repeat, None),
            _claims(shard.column("text_hash"), TEXT, repeat, ids),
        ]
    )


def claims_of_dropped(dropped: pa.Table) -> pa.Table:
    """The claims of rows of `dropped/` (CLAIM)."""
    # A reason that nobody knows is -1 here, and a finding of the ledger.
    codes = pc.index_in(dropped.column("reason"), pa.array(REASONS)).fill_null(-1)
    numbers = codes.cast(pa.int32())
    named = dropped.filter(
        pc.and_(dropped.column("witness").is_valid(), dropped.column("witness_run").is_null())
    )
    zeros = pa.array(np.zeros(len(named), dtype=np.int32))
    return pa.concat_tables(
        [
            _claims(dropped.column("doc_id"), DROPPED_AS, numbers, None),
            _claims(named.column("witness"), WANTED, zeros, None),
        ]
    )


def check_dropped(dropped: pa.Table, threshold: float) -> Iterator[str]:
    """Checks that duplicates name a witness that is similar enough, and that others do not.

    Args:
        dropped: Rows of `records.DROPPED`.
        threshold: Least similarity of a near-duplicate; of an exact one it is 1.

    Yields:
        One sentence per kind of violation.
    """
    reason, similarity = dropped.column("reason"), dropped.column("similarity").fill_null(-1.0)
    for name, least in (("exact_duplicate", 1.0), ("near_duplicate", threshold)):
        rows = pc.equal(reason, name)
        alone = pc.and_(rows, dropped.column("witness").is_null())
        if count := pc.sum(alone).as_py():
            yield f"{count} rows of dropped/ with reason {name} name no witness"
        far = pc.and_(rows, pc.or_(pc.less(similarity, least), pc.greater(similarity, 1.0)))
        if count := pc.sum(far).as_py():
            yield f"{count} rows of dropped/ with reason {name} have a similarity below {least}"
    yield from _check_witnesses(dropped)


def _check_witnesses(dropped: pa.Table) -> Iterator[str]:
    """Checks that what is said of a witness fits together."""
    run, kind = dropped.column("witness_run"), dropped.column("similarity_kind")
    named = dropped.column("witness").is_valid()
    whole = pc.equal(run.is_valid(), dropped.column("witness_shard").is_valid())
    whole = pc.and_(whole, pc.or_(named, run.is_null()))
    told = pc.if_else(named, pc.is_in(kind, pa.array(["exact", "estimated"])), kind.is_null())
    near = pc.equal(dropped.column("reason"), "near_duplicate")
    estimated = pc.equal(kind, "estimated").fill_null(False)
    fits = pc.or_(pc.invert(estimated), pc.and_(near, run.is_valid()))
    for good, sentence in (
        (whole, "name half of where their witness is"),
        (told, "do not say how their similarity is known"),
        (fits, "have an estimated similarity where it is known exactly"),
    ):
        if count := pc.sum(pc.invert(good)).as_py():
            yield f"{count} rows of dropped/ {sentence}"


def _group(claims: pa.Table) -> npt.NDArray[np.int64]:
    """Numbers the rows by key."""
    encoded = claims.column("key").combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices.to_numpy(), dtype=np.int64)


def _per_group(group: npt.NDArray[np.int64], rows: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    return np.bincount(group[rows], minlength=int(group.max(initial=-1)) + 1)


def check_claims(claims: pa.Table, repeat_cap: int) -> Iterator[str]:
    """Checks all claims on some keys against each other.

    Args:
        claims: Rows of `CLAIM`; all that there are for each key among them.
        repeat_cap: Most appearances of one document.

    Yields:
        One sentence per kind of violation, with a count and an example.
    """
    group = _group(claims)
    role, number = claims.column("role").to_numpy(), claims.column("number").to_numpy()
    published = _per_group(group, role == PUBLISHED_AS)
    planned = _per_group(group, (role == DROPPED_AS) & np.isin(number, _BY_PLAN))
    wanted = _per_group(group, role == WANTED)
    key = np.zeros(len(published), dtype=np.int64)
    key[group] = np.arange(len(group))

    def tell(bad: npt.NDArray[np.bool_], sentence: str) -> Iterator[str]:
        if bad.any():
            example = claims.column("key")[int(key[np.flatnonzero(bad)[0]])].as_py().hex()
            yield f"{int(bad.sum())} {sentence}, for instance {example}"

    yield from tell((wanted > 0) & (published + planned == 0), "witnesses do not exist")
    yield from tell((published > 0) & (planned > 0), "documents are both published and left out")
    yield from tell(published > repeat_cap, f"documents appear more than {repeat_cap} times")
    yield from tell(
        _gaps(group, role, number, published), "documents have gaps among their repeats"
    )
    yield from tell(_several(claims, group, role), "texts are published under several doc_ids")


def _gaps(
    group: npt.NDArray[np.int64],
    role: npt.NDArray[np.int8],
    number: npt.NDArray[np.int32],
    published: npt.NDArray[np.int64],
) -> npt.NDArray[np.bool_]:
    """Groups whose repeats are not 0, 1, ..., n - 1."""
    rows = role == PUBLISHED_AS
    order = np.lexsort((number[rows], group[rows]))
    first = np.cumsum(published) - published
    expected = np.arange(int(rows.sum())) - np.repeat(first, published)
    bad = np.zeros(len(published), dtype=bool)
    bad[group[rows][order][number[rows][order] != expected]] = True
    return bad


def _several(
    claims: pa.Table, group: npt.NDArray[np.int64], role: npt.NDArray[np.int8]
) -> npt.NDArray[np.bool_]:
    """Groups of one text_hash with more than one doc_id."""
    rows = role == TEXT
    bad = np.zeros(int(group.max(initial=-1)) + 1, dtype=bool)
    ids = claims.column("other").combine_chunks().filter(pa.array(rows)).dictionary_encode()
    of, code = group[rows], ids.indices.to_numpy()
    order = np.argsort(of, kind="stable")
    same = of[order][1:] == of[order][:-1]
    bad[of[order][1:][same & (code[order][1:] != code[order][:-1])]] = True
    return bad


def check_partition(
    partition: int, tables: Mapping[str, pa.Table], *, repeat_cap: int
) -> Iterator[tuple[str, pa.Table]]:
    """`check_claims` on a partition of `claims`; yields `findings` (FINDING)."""
    del partition
    found = list(check_claims(tables["claims"], repeat_cap))
    yield "findings", pa.table([pa.array(found, pa.string())], schema=FINDING)
