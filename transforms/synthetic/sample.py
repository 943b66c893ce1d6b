"""Samples of scores: the human controls of a run, and the table that ships with a model.

Controls are drawn per language and length by the hash of their text: the
`SAMPLE` distinct texts with the smallest hashes. Such a sample of a union is found from
the samples of its parts, and copies of one text count once, however often they recur.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

__all__ = [
    "BUCKETS",
    "CONTROL",
    "PLAIN_LETTERS",
    "REFERENCE",
    "REGISTERS",
    "SAMPLE",
    "buckets",
    "cells_of",
    "clusters",
    "controls_of",
    "first_words",
    "lengths",
    "merge_controls",
]

BUCKETS = (400, 1000, 2500)
"""Characters at which the next length begins; there are four."""

PLAIN_LETTERS = 490
"""Letters a word, in hundredths, at which formal writing begins: people who write so
(abstracts, statutes, manuals) score like machines, whoever they are."""

REGISTERS = 2
"""Plain and formal writing."""

SAMPLE = 1 << 15
"""Most controls of a cell that are kept."""

CONTROL = pa.schema(
    [
        ("lang", pa.string()),
        ("bucket", pa.int8()),
        ("source", pa.string()),
        ("cluster", pa.uint64()),
        ("text", pa.uint64()),
        ("score", pa.int16()),
        ("words", pa.int16()),
    ]
)
"""A human control: `bucket` is its length and register (`cells_of`), `cluster` the hash of
its host (of its source without one), `text` the start of its text's hash, `score` and
`words` as in `records.SYNTHETIC`."""

REFERENCE = pa.schema(
    [
        ("machine", pa.bool_()),
        ("lang", pa.string()),
        ("bucket", pa.int8()),
        ("source", pa.string()),
        ("score", pa.int16()),
        ("words", pa.int16()),
    ]
)
"""A text of known origin: `source` is the set of a human text, the generator (or its
set) of a machine-made one."""


def buckets(n_chars: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int8]:
    """The length bucket of each text, 0 for the shortest."""
    sizes = np.asarray(n_chars.to_numpy(zero_copy_only=False))
    return np.asarray(np.searchsorted(np.array(BUCKETS), sizes, side="right"), dtype=np.int8)


def cells_of(n_chars: Any, letters: Any) -> npt.NDArray[np.int8]:
    """Length and register of each text: the length bucket, 4 more for formal writing.

    Args:
        n_chars: Arrow column of sizes.
        letters: Arrow column of letters a word, in hundredths; null counts as plain.
    """
    formal = letters.fill_null(0).to_numpy() >= PLAIN_LETTERS
    return np.asarray(buckets(n_chars) + np.int8(len(BUCKETS) + 1) * formal, dtype=np.int8)


def lengths(bucket: Any) -> npt.NDArray[np.int8]:
    """The length of each bucket of `cells_of`, whatever the register."""
    return np.asarray(bucket.to_numpy() % np.int8(len(BUCKETS) + 1), dtype=np.int8)


def clusters(host: pa.Array, source: pa.Array) -> npt.NDArray[np.uint64]:
    """XXH3-64 of the host, or of the source where there is no host.

    Texts of one cluster are more alike than those of several.
    """
    named = pc.coalesce(host, pc.binary_join_element_wise("source", source.fill_null(""), ":"))
    if isinstance(named, pa.ChunkedArray):
        named = named.combine_chunks()
    coded: Any = named.dictionary_encode()
    hashes = [xxhash.xxh3_64_intdigest(name.encode()) for name in coded.dictionary.to_pylist()]
    return np.asarray(np.array(hashes, dtype=np.uint64)[coded.indices.to_numpy()])


def first_words(hashes: pa.ChunkedArray | pa.Array) -> npt.NDArray[np.uint64]:
    """The first eight bytes of 16-byte hashes, as integers that sort as the bytes do."""
    column = hashes.combine_chunks() if isinstance(hashes, pa.ChunkedArray) else hashes
    raw = b"".join(column.to_pylist())
    return np.frombuffer(raw, dtype=">u8")[::2].astype(np.uint64)


def controls_of(rows: pa.Table, before: int) -> pa.Table:
    """The controls among staged rows: human by evidence, dated, and scored.

    Args:
        rows: `lang`, `n_chars`, `source`, `host`, `text_hash`, `date_day`, `origin_tier`,
            `synthetic_score`, `synthetic_words` and `synthetic_letters`.
        before: Ordinal of the day before which a control must be dated.

    Returns:
        Rows of `CONTROL`, sampled.
    """
    # A tier was given by source or date, never by a score: which texts become controls
    # does not depend on what they are to calibrate.
    human = pc.and_(
        pc.and_(rows.column("origin_tier").is_valid(), rows.column("synthetic_score").is_valid()),
        pc.less(rows.column("date_day"), before).fill_null(False),
    )
    rows = rows.filter(human).combine_chunks()
    return merge_controls(
        pa.table(
            [
                rows.column("lang"),
                pa.array(cells_of(rows.column("n_chars"), rows.column("synthetic_letters"))),
                rows.column("source").fill_null(""),
                pa.array(clusters(rows.column("host"), rows.column("source"))),
                pa.array(first_words(rows.column("text_hash"))),
                rows.column("synthetic_score"),
                rows.column("synthetic_words"),
            ],
            schema=CONTROL,
        )
    )


def merge_controls(controls: pa.Table, most: int = SAMPLE) -> pa.Table:
    """The sample of several samples: distinct texts, the smallest hashes of each cell.

    Args:
        controls: Rows of `CONTROL` in any order.
        most: Texts of one cell that are kept.

    Returns:
        Rows of `CONTROL` by language, length and hash; the same for every order.
    """
    order: Sequence[tuple[str, str]] = [
        (name, "ascending") for name in ("lang", "length", "text", "bucket", "source", "cluster")
    ]
    rows = controls.append_column("length", pa.array(lengths(controls.column("bucket"))))
    rows = rows.sort_by(order).combine_chunks()
    if not len(rows):
        return CONTROL.empty_table()
    coded: Any = rows.column("lang").combine_chunks().dictionary_encode()
    cell = coded.indices.to_numpy().astype(np.int64) * 8 + rows.column("length").to_numpy()
    text = rows.column("text").to_numpy()
    fresh = np.ones(len(rows), dtype=bool)
    fresh[1:] = (cell[1:] != cell[:-1]) | (text[1:] != text[:-1])
    rows, cell = rows.filter(pa.array(fresh)), cell[fresh]
    starts = np.flatnonzero(np.diff(cell, prepend=-1))
    rank = np.arange(len(cell)) - np.repeat(starts, np.diff(np.append(starts, len(cell))))
    return rows.filter(pa.array(rank < most)).select(CONTROL.names).combine_chunks()
