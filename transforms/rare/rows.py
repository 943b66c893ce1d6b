"""The small rows that follow rare types through the job: hashes and numbers, never text."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.dedup.rows import ORIGINS

__all__ = ["COMMON", "HOLDER", "MOST_DOCUMENTS", "ORIGINAL", "PAIR", "RARE", "SHARED", "TOLD"]
__all__ += ["USUAL", "originals", "zeros"]

MOST_DOCUMENTS = 5
"""A type is rare if at least one and at most so many originals hold it."""

ORIGINAL = pa.schema([("node", pa.uint64()), ("lang", pa.string()), ("size", pa.int64())])
"""A kept original of one language, whose types count."""

HOLDER = pa.schema([("node", pa.uint64()), ("types", pa.int32())])
"""An original, and how many distinct types it holds, rare or not."""

PAIR = pa.schema([("type", pa.uint64()), ("node", pa.uint64()), ("lang", pa.string())])
"""A type and an original that holds it, with the language of both."""

COMMON = pa.schema([("type", pa.uint64())])
"""A type that more than `MOST_DOCUMENTS` originals of one part hold."""

RARE = pa.schema([PAIR.field("type"), PAIR.field("node"), ("documents", pa.int8())])
"""A rare type and an original that holds it; `documents`, how many do."""

USUAL = pa.schema(
    [
        ("lang", pa.string()),
        ("alone", pa.int64()),
        ("shared", pa.int64()),
        ("originals", pa.int64()),
        ("types", pa.int64()),
        ("size", pa.int64()),
    ]
)
"""Sums over the originals of a language: rare types that one of them holds alone, rare
types that several hold, the originals, their distinct types, and their size."""

SHARED = pa.schema(
    [
        ("type", pa.uint64()),
        ("lang", pa.string()),
        ("documents", pa.int8()),
        ("survived", pa.bool_()),
    ]
)
"""A rare type of several originals, and whether one of those at hand was published."""

TOLD = pa.schema(
    [
        ("lang", pa.string()),
        ("documents", pa.int8()),
        ("types", pa.int64()),
        ("survived", pa.int64()),
        ("originals", pa.int64()),
        ("size", pa.int64()),
        ("published", pa.int64()),
    ]
)
"""Sums over one language: of types that so many `documents` hold, how many there are and
how many survived; in rows where `documents` is 0, originals, their size, and the size of
those that were published."""


def originals(kept: pa.RecordBatch) -> pa.RecordBatch:
    """The rows of `dedup.rows.KEPT` whose types count, as rows of `ORIGINAL`.

    Text of which nobody knows the language, or that has several, has no types.
    """
    told = pc.invert(pc.is_in(kept.column("lang"), pa.array(["und", "zxx"])))
    own = pc.equal(kept.column("origin"), ORIGINS.index("anchor"))
    chosen = pc.and_(pc.and_(told, own), pc.invert(kept.column("mixed")))
    rows = kept.filter(chosen)
    return pa.RecordBatch.from_arrays([rows.column(n) for n in ORIGINAL.names], schema=ORIGINAL)


def zeros(count: int) -> pa.Array:
    """So many zeros, int64."""
    return pa.array(np.zeros(count, np.int64))
