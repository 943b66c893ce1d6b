"""The small rows that deduplication moves: ids, keys and numbers, never text."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.records import INDEX_PART, PART_BITS, REASONS

__all__ = [
    "COVERED",
    "CROWD",
    "EDGE",
    "ESTIMATED",
    "FATE",
    "HOT",
    "KEPT",
    "LIGHT",
    "NODE",
    "OPEN",
    "ORIGINS",
    "PAIR",
    "PART",
    "PUBLISHED",
    "REQUEST",
    "SEEN",
    "SURVIVOR",
    "TIERS",
    "UNDECIDED",
    "WHY_OPEN",
    "is_indexed",
    "original",
    "reason_code",
    "uint64",
]

ORIGINS = ("anchor", "unverified", "synthetic")
"""`origin` by its code."""
TIERS = ("A", "B", None)
"""`origin_tier` by its code."""


def reason_code(reason: str) -> int:
    """The code of a reason for dropping a document; -1 is for a kept one."""
    return REASONS.index(reason)


def original(hi: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Which survivor keys, by their first word, are those of originals (tier A or B)."""
    return np.asarray((hi >> np.uint64(62)) < 2)


PART = pa.schema(
    [("part", pa.uint64()), ("path", pa.string()), ("rows", pa.int64()), ("first", pa.int64())]
)
"""One Parquet file of staging, of an index or of a published run: `node >> 24` of its
rows, where it is, how many rows, and the row of the file at which they begin: 0 but in
an index file that holds several shards."""

LIGHT = pa.schema(
    [
        ("node", pa.uint64()),
        ("doc_id", pa.binary()),
        ("text_hash", pa.binary()),
        ("date_day", pa.int32()),
        ("tier", pa.int8()),
        ("declared", pa.bool_()),
        ("convicted", pa.bool_()),
        ("excluded", pa.bool_()),
        ("p", pa.int16()),
        ("n_chars", pa.int32()),
        ("size", pa.int64()),
        ("lang", pa.string()),
        ("mixed", pa.bool_()),
        ("tail", pa.bool_()),
        ("weight", pa.int32()),
        ("likely", pa.int16()),
        ("source", pa.string()),
        ("host", pa.string()),
        ("bands", pa.binary()),
    ]
)
"""A staged document without its text. `p` is p_synthetic in ten-thousandths (-1
unknown), and so is `likely`, of what is tagged `likely_synthetic` (0 for all else);
`bands` the band keys, uint64 little-endian (null without tokens)."""

SURVIVOR = pa.schema(
    [
        ("node", pa.uint64()),
        ("doc_id", pa.binary()),
        ("hi", pa.uint64()),
        ("lo", pa.uint64()),
        ("lang", pa.string()),
        ("mixed", pa.bool_()),
        ("tail", pa.bool_()),
        ("weight", pa.int32()),
        ("likely", pa.int16()),
        ("source", pa.string()),
        ("host", pa.string()),
        ("tier", pa.int8()),
        ("origin", pa.int8()),
        ("size", pa.int64()),
        ("copies", pa.int64()),
        ("copies_original", pa.int64()),
        ("first_day", pa.int32()),
        ("last_day", pa.int32()),
        ("bands", pa.binary()),
    ]
)
"""The survivor of a group of exact copies, with its survivor key (`hi`, `lo`) and the first
and last `date_day` among its copies (null when none is dated)."""

KEPT = pa.schema([field for field in SURVIVOR if field.name not in ("hi", "lo", "bands")])
"""A document that deduplication kept."""

PUBLISHED = pa.schema(
    [
        ("node", pa.uint64()),
        ("doc_id", pa.binary()),
        ("text_hash", pa.binary()),
        ("hi", pa.uint64()),
        ("lo", pa.uint64()),
        ("original", pa.bool_()),
        ("bands", pa.binary()),
    ]
)
"""A document that an earlier run published, from the index. `node` is in the space of
the index (`is_indexed`); `original`, that its tier is A or B; the rest as in `SURVIVOR`."""

SEEN = pa.schema([PUBLISHED.field(name) for name in ("node", "doc_id", "text_hash", "original")])
"""What exact copies need to know of a published document."""

FATE = pa.schema(
    [
        ("node", pa.uint64()),
        ("reason", pa.int8()),
        ("witness", pa.binary()),
        ("similarity", pa.float64()),
        ("tier", pa.int8()),
        ("origin", pa.int8()),
        ("by", pa.uint64()),
    ]
)
"""What became of a dropped document; `reason` as in `reason_code`, `by` the node of the
witness: null without one, in the space of the index (`is_indexed`) for one of an earlier run."""

COPY = FATE.append(pa.field("of", pa.uint64()))
"""The fate of an exact copy so far; `of` is the survivor of its group."""

BAND = pa.schema(
    [("band", pa.uint64()), ("node", pa.uint64()), ("hi", pa.uint64()), ("lo", pa.uint64())]
)
"""One band key of one survivor."""

CROWD = BAND.append(pa.field("size", pa.int64()))
"""A document of a bucket that is too large to be compared pair by pair, and how large it is."""

HOT = pa.schema([*BAND, ("doc_id", pa.binary()), ("signature", pa.binary())])
"""What is left of such a bucket, with what comparing it takes."""

PAIR = pa.schema(
    [(name, pa.uint64()) for name in ("u", "v", "u_hi", "u_lo", "v_hi", "v_lo")]
    + [("dest", pa.uint32())]
)
"""A candidate pair: `u` comes before `v` in survivor order, or is of the index. `dest`
is the partition in which the two are compared."""

ESTIMATED = pa.schema([*PAIR, ("estimate", pa.float64()), ("witness", pa.binary())])
"""A candidate pair with the similarity that the two signatures estimate; `witness` is
the doc_id of `u`."""

REQUEST = pa.schema([("node", pa.uint64()), ("dest", pa.uint32())])
"""`dest` wants a vector of `node`."""

EDGE = pa.schema(
    [field for field in PAIR if field.name != "dest"]
    + [("similarity", pa.float64()), ("witness", pa.binary()), ("u_kept", pa.bool_())]
)
"""A verified pair. `witness` is the doc_id of `u`; `u_kept`, that u is known to stay."""

NODE = pa.schema([("node", pa.uint64())])
"""A document, and nothing but which."""

WHY_OPEN = ("residue", "uncompared", "witness_lost")
"""Why a kept document may still have a kept near-duplicate, by code: too many edges were
left after the rounds; its bucket was too large; the document that first seemed to cover
it was itself removed."""

COVERED = NODE.append(pa.field("sure", pa.bool_()))
"""A document with a neighbour that nothing comes before; `sure`, that nothing can."""

OPEN = NODE.append(pa.field("why", pa.int8()))
"""A document that may be kept although a near-duplicate of it is; see `WHY_OPEN`."""

UNDECIDED = pa.schema([("doc_id", pa.binary()), ("why", pa.string())])
"""A kept document that may have a kept near-duplicate."""

STATUS = pa.schema([("node", pa.uint64()), ("removed", pa.bool_())])
"""A node with a better neighbour: removed, or not yet decided."""

REMOVED = pa.schema(
    [
        ("node", pa.uint64()),
        ("by", pa.uint64()),
        ("witness", pa.binary()),
        ("similarity", pa.float64()),
    ]
)
"""A near-duplicate and the kept neighbour that removes it."""

CREDIT = pa.schema(
    [
        ("node", pa.uint64()),
        ("copies", pa.int64()),
        ("copies_original", pa.int64()),
        ("first_day", pa.int32()),
        ("last_day", pa.int32()),
    ]
)
"""Copies that a removed document hands to its witness, and when they were seen."""


def is_indexed(node: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Which nodes are of documents that earlier runs published."""
    return node >> np.uint64(PART_BITS) >= np.uint64(INDEX_PART)


def uint64(table: pa.Table, name: str) -> npt.NDArray[np.uint64]:
    """A uint64 column of a table as numpy, without copying where it can."""
    return table.column(name).to_numpy()  # type: ignore[no-any-return]
