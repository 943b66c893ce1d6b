"""Which documents come first where a cut is free to choose: a level from rare types.

A document is worth the rare types that would be lost with it, for the room that it takes.
A type counts the more, the fewer documents hold it (60 / documents), and the sum is taken
per thousand size units, some added so that a line of two names is not the best of all.

Rare is also what is wrong: typing errors, encoded data, text of another language under a
wrong label. Nobody repeats those, so two rules bound what they gain. Types of a single
document count no more than those of the same document that another one vouches for. And
a document that has too many of its types alone is not trusted: more than three times the
share that is usual in its language, or more than a quarter. It is unlike its language, or
its language has too few documents to tell. Such a document is worth half of what is usual
in its language, about as much as the document in the middle: noise does not come first,
and what is only unlike the rest does not come last.

Levels are half octaves. Nothing but the document and counts decides them, so that
they mean the same in every language, and in none needs a level to be filled.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.dedup.rows import uint64
from transforms.rare.rows import MOST_DOCUMENTS
from transforms.records import Unit

__all__ = ["LEVELS", "levels", "rare_levels"]

LEVELS = 15
"""The highest level; 0 is for documents without rare types that count."""

Integers = npt.NDArray[np.int64]
Usual = Mapping[str, Integers]

_ONE = 60
"""What a type of a single document is worth: all numbers up to `MOST_DOCUMENTS` divide it."""
_WORTH = np.array([0, *(_ONE // n for n in range(1, MOST_DOCUMENTS + 1))], np.int64)
_PER: dict[str, tuple[int, int]] = {
    "chars": (1_000, 200),
    "bytes": (1_000, 200),
    "tokens": (250, 50),
    "docs": (1, 0),
}
"""By unit: per how much text worth is measured, and how much is added to every document."""
_FIRST = _ONE // 4
"""Worth at which the half octaves begin: a type of one document in four thousand units."""
_MOST_ALONE = 4
"""One in so many types of a trusted document, at most, is its alone."""
_USUAL = 3
"""And that is at most so many times the share that is usual in its language."""


def levels(
    alone: Integers, shared: Integers, types: Integers, sizes: Integers, usual: Usual, unit: Unit
) -> Integers:
    """The level of each document.

    Args:
        alone: Types that no other document holds.
        shared: Worth of the rare types that others hold, too.
        types: All types of the document, rare or not.
        sizes: Of the documents, in the unit.
        usual: Columns of `USUAL`, of the language of each document.
        unit: Of sizes.

    Returns:
        0 to `LEVELS`.
    """
    trusted = alone * _MOST_ALONE <= types
    trusted &= alone * usual["types"] <= _USUAL * usual["alone"] * types
    # Every type is worth _ONE to the documents that hold it, together.
    count = np.maximum(usual["originals"], 1)
    common = _density(usual["alone"], usual["shared"] * _ONE, usual["size"], count, unit)
    own = _density(alone, shared, sizes, np.ones_like(sizes), unit)
    worth: Integers = np.minimum(np.where(trusted, own, common // 2), 1 << 30)
    # At least _FIRST * 2 ** (n / 2) at the n-th bound; squares keep it exact.
    bounds = _FIRST**2 << np.arange(1, LEVELS, dtype=np.int64)
    found = 1 + np.searchsorted(bounds, worth**2, side="right")
    return np.asarray(np.where(alone + shared > 0, found, 0), np.int64)


def _density(
    alone: Integers, shared: Integers, sizes: Integers, count: Integers, unit: Unit
) -> Integers:
    """Worth of rare types for the room that `count` documents take."""
    per, added = _PER[unit]
    worth: Integers = shared + np.minimum(alone * _ONE, shared)
    return np.asarray(worth * per // np.maximum(sizes + added * count, 1), np.int64)


def rare_levels(
    kept: pa.Table, holders: pa.Table, rare: pa.Table, usual: pa.Table, unit: Unit
) -> pa.Array:
    """The column `rare` of kept documents.

    Args:
        kept: With `node`, `lang` and `size`.
        holders: Rows of `HOLDER`, of some of them.
        rare: Rows of `RARE`, of these.
        usual: Rows of `USUAL`, one for each of their languages.
        unit: Of sizes.

    Returns:
        int32 per row of `kept`; 0 for documents whose types do not count.
    """
    node = uint64(holders, "node")
    order = np.argsort(node)
    node, types = node[order], holders.column("types").to_numpy()[order].astype(np.int64)
    alone, shared = _worth(np.searchsorted(node, uint64(rare, "node")), rare, len(node))
    rows = np.flatnonzero(np.isin(uint64(kept, "node"), node))
    at = np.searchsorted(node, uint64(kept, "node")[rows])
    langs = pc.index_in(kept.column("lang").take(pa.array(rows)), usual.column("lang"))
    sums = usual.take(langs.combine_chunks() if isinstance(langs, pa.ChunkedArray) else langs)
    common = {name: sums.column(name).to_numpy() for name in usual.column_names[1:]}
    sizes = kept.column("size").to_numpy()[rows]
    out = np.zeros(len(kept), np.int32)
    out[rows] = levels(alone[at], shared[at], types[at], sizes, common, unit)
    return pa.array(out)


def _worth(at: Integers, rare: pa.Table, count: int) -> tuple[Integers, Integers]:
    """By document: its types that no other holds, and the worth of its other rare ones."""
    documents = rare.column("documents").to_numpy()
    alone = np.bincount(at[documents == 1], minlength=count).astype(np.int64)
    shared = np.zeros(count, np.int64)
    np.add.at(shared, at[documents > 1], _WORTH[documents[documents > 1]])
    return alone, shared
