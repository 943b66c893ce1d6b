"""Which types are rare in the whole run, and which of these survive selection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.dedup.rows import uint64
from transforms.rare.rows import MOST_DOCUMENTS, RARE, SHARED, TOLD, USUAL, zeros

__all__ = ["count_types", "follow_documents", "follow_types", "sum_usual"]

Tables = Mapping[str, pa.Table]
Named = Iterator[tuple[str, pa.Table]]


def count_types(partition: int, tables: Tables) -> Named:
    """Finds the types that few originals of the run hold.

    Args:
        partition: Not used.
        tables: `pairs` (PAIR) and `common` (COMMON), every type whole.

    Yields:
        `rare` (RARE), by type, and `usual` (USUAL) of these types.
    """
    del partition
    types = uint64(tables["pairs"], "type")
    order = np.argsort(types)
    types = types[order]
    starts = np.flatnonzero(np.diff(types, prepend=~types[:1]))
    counts = np.diff(np.append(starts, len(types)))
    common = np.isin(types[starts], uint64(tables["common"], "type"))
    few = np.repeat((counts <= MOST_DOCUMENTS) & ~common, counts)
    documents = np.repeat(counts, counts)[few]
    types, rows = types[few], order[few]
    columns = [types, uint64(tables["pairs"], "node")[rows], documents.astype(np.int8)]
    yield "rare", pa.table([pa.array(column) for column in columns], schema=RARE)
    first = np.flatnonzero(np.diff(types, prepend=~types[:1]))
    lang = tables["pairs"].column("lang").take(pa.array(rows[first]))
    yield "usual", _usual(lang, documents[first] == 1)


def _usual(lang: pa.ChunkedArray, alone: npt.NDArray[np.bool_]) -> pa.Table:
    """Sums over types, as rows of `USUAL` without documents."""
    table = pa.table({"lang": lang, "alone": alone, "shared": ~alone})
    summed = table.group_by("lang").aggregate([("alone", "sum"), ("shared", "sum")])
    columns = [summed.column(name).cast(pa.int64()) for name in ("alone_sum", "shared_sum")]
    nothing = zeros(len(summed))
    return pa.table([summed.column("lang"), *columns, nothing, nothing, nothing], schema=USUAL)


def sum_usual(partition: int, tables: Tables) -> Named:
    """Adds up rows of `usual` (USUAL); yields `usual`, one row a language, by name."""
    del partition
    sums = [(name, "sum") for name in USUAL.names[1:]]
    summed = tables["usual"].group_by("lang").aggregate(sums).sort_by("lang")
    columns = [summed.column(f"{name}_sum") for name in USUAL.names[1:]]
    yield "usual", pa.table([summed.column("lang"), *columns], schema=USUAL)


def follow_documents(partition: int, tables: Tables) -> Named:
    """What became of rare types, as far as single documents tell.

    Args:
        partition: Not used.
        tables: By document `rare` (RARE), `originals` (ORIGINAL) and `assigned`
            (rebalance.finalise.ASSIGNED).

    Yields:
        `told` (TOLD) of documents and of types that one document holds; `shared` (SHARED),
        the other types, each once.
    """
    del partition
    rows = tables["originals"].combine_chunks()
    rows = rows.take(np.argsort(uint64(rows, "node")))
    node = uint64(rows, "node")
    published = np.isin(node, uint64(tables["assigned"], "node"))
    rare = tables["rare"].combine_chunks()
    at = np.searchsorted(node, uint64(rare, "node"))
    columns = [rare.column("type"), rows.column("lang").take(pa.array(at))]
    columns += [rare.column("documents"), pa.array(published[at])]
    types = pa.table(columns, schema=SHARED)
    single = pc.equal(types.column("documents"), 1)
    yield "told", _documents(rows, published)
    yield "told", _types(types.filter(single))
    yield "shared", _once(types.filter(pc.invert(single)))


def follow_types(partition: int, tables: Tables) -> Named:
    """What became of the rare types of several documents.

    Args:
        partition: Not used.
        tables: `shared` (SHARED), every type whole.

    Yields:
        `told` (TOLD).
    """
    del partition
    yield "told", _types(_once(tables["shared"]))


def _once(types: pa.Table) -> pa.Table:
    """Each type once; it survived if any of its rows did."""
    types = types.combine_chunks()
    order = np.lexsort(
        (~types.column("survived").to_numpy(zero_copy_only=False), uint64(types, "type"))
    )
    hashes = uint64(types, "type")[order]
    first = np.flatnonzero(np.diff(hashes, prepend=~hashes[:1]))
    return types.take(pa.array(order[first]))


def _documents(rows: pa.Table, published: npt.NDArray[np.bool_]) -> pa.Table:
    size = rows.column("size").to_numpy()
    table = pa.table({"lang": rows.column("lang"), "size": size, "published": size * published})
    summed = table.group_by("lang").aggregate(
        [("size", "count"), ("size", "sum"), ("published", "sum")]
    )
    nothing = zeros(len(summed))
    columns = [summed.column("lang"), nothing.cast(pa.int8()), nothing, nothing]
    columns += [summed.column(name) for name in ("size_count", "size_sum", "published_sum")]
    return pa.table(columns, schema=TOLD)


def _types(types: pa.Table) -> pa.Table:
    summed = types.group_by(["lang", "documents"]).aggregate(
        [("survived", "count"), ("survived", "sum")]
    )
    columns = [summed.column(n) for n in ("lang", "documents", "survived_count", "survived_sum")]
    columns[-1] = columns[-1].cast(pa.int64())
    return pa.table([*columns, *[zeros(len(summed))] * 3], schema=TOLD)
