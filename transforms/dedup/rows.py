"""The small rows that deduplication moves: ids, keys and numbers, never text."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.records import REASONS

__all__ = [
    "EDGE",
    "FATE",
    "KEPT",
    "LIGHT",
    "ORIGINS",
    "PAIR",
    "PART",
    "REQUEST",
    "SURVIVOR",
    "TIERS",
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


PART = pa.schema([("part", pa.uint64()), ("path", pa.string()), ("rows", pa.int64())])
"""One Parquet file of staging: `node >> 24` of its rows, where it is, and its rows."""

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
        ("bands", pa.binary()),
    ]
)
"""A staged document without its text. `p` is p_synthetic in ten-thousandths (-1
unknown); `bands` the band keys, uint64 little-endian (null without tokens)."""

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
        ("tier", pa.int8()),
        ("origin", pa.int8()),
        ("size", pa.int64()),
        ("copies", pa.int64()),
        ("copies_original", pa.int64()),
        ("bands", pa.binary()),
    ]
)
"""The survivor of a group of exact copies, with its survivor key (`hi`, `lo`)."""

KEPT = pa.schema([field for field in SURVIVOR if field.name not in ("hi", "lo", "bands")])
"""A document that deduplication kept."""

FATE = pa.schema(
    [
        ("node", pa.uint64()),
        ("reason", pa.int8()),
        ("witness", pa.binary()),
        ("similarity", pa.float64()),
        ("tier", pa.int8()),
        ("origin", pa.int8()),
    ]
)
"""What became of a dropped document; `reason` as in `reason_code`."""

COPY = FATE.append(pa.field("of", pa.uint64()))
"""The fate of an exact copy so far; `of` is the survivor of its group."""

BAND = pa.schema(
    [("band", pa.uint64()), ("node", pa.uint64()), ("hi", pa.uint64()), ("lo", pa.uint64())]
)
"""One band key of one survivor."""

PAIR = pa.schema(
    [(name, pa.uint64()) for name in ("u", "v", "u_hi", "u_lo", "v_hi", "v_lo")]
    + [("dest", pa.uint32())]
)
"""A candidate pair: `u` comes before `v` in survivor order. `dest` is the partition
in which the two are compared."""

REQUEST = pa.schema([("node", pa.uint64()), ("dest", pa.uint32())])
"""`dest` wants a vector of `node`."""

EDGE = pa.schema(
    [field for field in PAIR if field.name != "dest"]
    + [("similarity", pa.float64()), ("witness", pa.binary()), ("u_kept", pa.bool_())]
)
"""A verified pair. `witness` is the doc_id of `u`; `u_kept`, that u is known to stay."""

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

CREDIT = pa.schema([("node", pa.uint64()), ("copies", pa.int64()), ("copies_original", pa.int64())])
"""Copies that a removed document hands to its witness."""


def uint64(table: pa.Table, name: str) -> npt.NDArray[np.uint64]:
    """A uint64 column of a table as numpy, without copying where it can."""
    return table.column(name).to_numpy()  # type: ignore[no-any-return]
