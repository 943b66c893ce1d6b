"""Which documents come first where a cut is free to choose: a level from rare types.

A document is worth the rare types that would be lost with it, for the room that it takes.
A type counts the more, the fewer documents hold it (60 / documents), and the sum is taken
per thousand size units, some added so that a line of two names is not the best of all.

Rare is also what is wrong: typing errors, encoded data, text of another language under a
wrong label. Nobody repeats those, so two rules bound what they gain. Types of a single
document count no more than those of the same document that another one vouches for. And
a document of which no other holds more than a quarter of the types has no level at all:
it is unlike its language, or its language has too few documents to tell.

Levels are half octaves. Nothing but the document and the counts of its types decides them,
so that they mean the same in every language, and in none needs a level to be filled.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.dedup.rows import uint64
from transforms.rare.rows import MOST_DOCUMENTS
from transforms.records import Unit

__all__ = ["LEVELS", "levels", "rare_levels"]

LEVELS = 15
"""The highest level; 0 is for documents without rare types that count."""

Integers = npt.NDArray[np.int64]

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
"""One in so many types of a document, at most, is its alone."""


def levels(
    alone: Integers, shared: Integers, types: Integers, sizes: Integers, unit: Unit
) -> Integers:
    """The level of each document.

    Args:
        alone: Types that no other document holds.
        shared: Worth of the rare types that others hold, too.
        types: All types of the document, rare or not.
        sizes: Of the documents, in the unit, at least 1 each.
        unit: Of sizes.

    Returns:
        0 to `LEVELS`.
    """
    per, added = _PER[unit]
    worth = (shared + np.minimum(alone * _ONE, shared)) * per // (sizes + added)
    # Worth is at least _FIRST * 2 ** (n / 2) at the n-th bound; squares keep it exact.
    bounds = _FIRST**2 << np.arange(1, LEVELS, dtype=np.int64)
    found = 1 + np.searchsorted(bounds, np.minimum(worth, 1 << 30) ** 2, side="right")
    known = (worth > 0) & (alone * _MOST_ALONE <= types)
    return np.where(known, found, 0).astype(np.int64)


def rare_levels(kept: pa.Table, holders: pa.Table, rare: pa.Table, unit: Unit) -> pa.Array:
    """The column `rare` of kept documents.

    Args:
        kept: With `node` and `size`.
        holders: Rows of `HOLDER`, of some of them.
        rare: Rows of `RARE`, of these.
        unit: Of sizes.

    Returns:
        int32 per row of `kept`; 0 for documents whose types do not count.
    """
    node = uint64(holders, "node")
    order = np.argsort(node)
    node, types = node[order], holders.column("types").to_numpy()[order].astype(np.int64)
    at = np.searchsorted(node, uint64(rare, "node"))
    documents = rare.column("documents").to_numpy()
    alone = np.bincount(at[documents == 1], minlength=len(node)).astype(np.int64)
    shared = np.zeros(len(node), np.int64)
    several = documents > 1
    np.add.at(shared, at[several], _WORTH[documents[several]])
    wanted = uint64(kept, "node")
    place = np.minimum(np.searchsorted(node, wanted), max(len(node) - 1, 0))
    out = np.zeros(len(wanted), np.int32)
    if len(node):
        own = node[place] == wanted
        sizes = kept.column("size").to_numpy()[own]
        place = place[own]
        out[own] = levels(alone[place], shared[place], types[place], sizes, unit)
    return pa.array(out)
