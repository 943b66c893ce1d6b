"""Where a language's text comes from: how many sources, and how much of it from the largest.

A tail language that is all one Bible serves every floor and teaches one book.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

__all__ = ["LARGEST", "SOURCES", "largest", "largest_sources", "sources_of"]

SOURCES = pa.schema(
    [
        ("key", pa.uint64()),
        ("lang", pa.string()),
        ("source", pa.string()),
        ("documents", pa.int64()),
        ("size", pa.int64()),
    ]
)
"""First appearances of one language from one source in one shard; `key` is a hash of both."""

LARGEST = pa.schema(
    [("lang", pa.string()), ("sources", pa.int64()), ("source", pa.string()), ("size", pa.int64())]
)
"""How many sources a language has, and the largest of them."""


def sources_of(table: pa.Table, sizes: npt.NDArray[np.int64]) -> pa.Table:
    """The sources of a shard's first appearances.

    Args:
        table: Rows of PUBLISHED. A row's source is its `source`, else its `host`, else
            nothing: an empty name.
        sizes: Of the rows.

    Returns:
        Rows of `SOURCES`.
    """
    source = pc.coalesce(table.column("source"), table.column("host"), pa.scalar(""))
    rows = pa.table({"lang": table.column("lang"), "source": source, "size": sizes})
    rows = rows.filter(pc.equal(table.column("repeat"), 0))
    summed = rows.group_by(["lang", "source"]).aggregate([("size", "count"), ("size", "sum")])
    names = [summed.column(name).to_pylist() for name in ("lang", "source")]
    pairs = (f"{lang}\0{name}".encode() for lang, name in zip(*names, strict=True))
    keys = [xxhash.xxh3_64_intdigest(pair) for pair in pairs]
    columns = [pa.array(keys, pa.uint64()), summed.column("lang"), summed.column("source")]
    columns += [summed.column("size_count"), summed.column("size_sum")]
    return pa.table(columns, schema=SOURCES)


def largest(partition: int, tables: Mapping[str, pa.Table]) -> Iterator[tuple[str, pa.Table]]:
    """The largest source of each language in a partition of sources.

    Args:
        partition: Not used.
        tables: `sources` (SOURCES), all rows of a source.

    Yields:
        `largest` (LARGEST). Of sources of one size the first by name counts.
    """
    del partition
    rows = tables["sources"].group_by(["lang", "source"]).aggregate([("size", "sum")])
    order = [("lang", "ascending"), ("size_sum", "descending"), ("source", "ascending")]
    rows = rows.sort_by(order)
    lang = rows.column("lang").combine_chunks().dictionary_encode().indices.to_numpy()
    starts = np.flatnonzero(np.diff(lang, prepend=-1))
    counts = np.diff(np.append(starts, len(lang))).astype(np.int64)
    top = rows.take(pa.array(starts))
    columns = [top.column("lang"), pa.array(counts), top.column("source"), top.column("size_sum")]
    yield "largest", pa.table(columns, schema=LARGEST)


def largest_sources(tops: pa.Table) -> dict[str, dict[str, Any]]:
    """`sources`, `largest_source` and `largest_source_size` by language.

    Args:
        tops: Rows of `LARGEST`, several for a language, of different sources.
    """
    found: dict[str, dict[str, Any]] = {}
    ranked = tops.sort_by([("lang", "ascending"), ("size", "descending"), ("source", "ascending")])
    for row in ranked.to_pylist():
        first = {"largest_source": row["source"], "largest_source_size": row["size"], "sources": 0}
        entry = found.setdefault(row["lang"], first)
        entry["sources"] += row["sources"]
    return found
