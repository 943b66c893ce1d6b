"""Who stays among near-duplicates: the lexicographically first maximal independent set.

Documents are taken in survivor order; one stays unless a document that stays is a
verified neighbour before it. So every removed document has a kept witness, and
similarity is never passed on along a chain.

The set is found in rounds over partitions of edges (u before v). `decide` sees all
edges into v: a kept u removes v. `propagate` sees all edges out of u: a removed u
takes its edges away, and a u into which no edge is left stays. What a few rounds
leave open goes to one partition, which takes documents in order (`solve`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.dedup.rows import OPEN, REMOVED, STATUS, WHY_OPEN, uint64
from transforms.kernels import Hashes, njit

__all__ = ["decide", "propagate", "solve", "split_open"]

Flags = npt.NDArray[np.bool_]
Index = npt.NDArray[np.int64]


def _by_v(edges: pa.Table) -> tuple[pa.Table, Index]:
    """Edges in order of (v, u's key), and where each v begins."""
    keys = [uint64(edges, name) for name in ("u_lo", "u_hi", "v", "v_lo", "v_hi")]
    edges = edges.take(np.lexsort(keys))
    v = uint64(edges, "v")
    fresh = np.ones(len(v), dtype=bool)
    fresh[1:] = v[1:] != v[:-1]
    return edges, np.flatnonzero(fresh)


def _removed(edges: pa.Table, chosen: Index) -> pa.Table:
    """REMOVED rows from the edge that removes each document."""
    taken = edges.take(chosen)
    names = ("v", "u", "witness", "similarity")
    return pa.table([taken.column(name) for name in names], schema=REMOVED)


def _first_kept(kept: Flags, starts: Index) -> Index:
    """Index of the first edge with a kept u, per v; len(kept) where there is none."""
    index = np.where(kept, np.arange(len(kept)), len(kept))
    return np.minimum.reduceat(index, starts)


def decide(partition: int, tables: Mapping[str, pa.Table]) -> Iterator[tuple[str, pa.Table]]:
    """Removes every v that has a kept u.

    Args:
        partition: Not used.
        tables: `edges` (EDGE), partitioned by v.

    Yields:
        `removed` (REMOVED), `edges` of the v that are still open, and a `status`
        (STATUS) for every v.
    """
    del partition
    edges, starts = _by_v(tables["edges"])
    first = _first_kept(edges.column("u_kept").to_numpy(), starts)
    gone = first < len(edges)
    yield "removed", _removed(edges, first[gone])
    counts = np.diff(np.append(starts, len(edges)))
    yield "edges", edges.filter(pa.array(np.repeat(~gone, counts)))
    v = uint64(edges, "v")[starts]
    yield "status", pa.table([pa.array(v), pa.array(gone)], schema=STATUS)


def propagate(partition: int, tables: Mapping[str, pa.Table]) -> Iterator[tuple[str, pa.Table]]:
    """Tells each edge what became of its u.

    Args:
        partition: Not used.
        tables: `edges` (EDGE), partitioned by u, and `status` (STATUS), by node.

    Yields:
        `edges` whose u is not removed, `u_kept` set where nothing is before u.
    """
    del partition
    edges, status = tables["edges"], tables["status"]
    if not len(edges):
        return
    order = np.argsort(uint64(status, "node"))
    node, removed = uint64(status, "node")[order], status.column("removed").to_numpy()[order]
    u = uint64(edges, "u")
    at = np.minimum(np.searchsorted(node, u), max(len(node) - 1, 0))
    known = node[at] == u if len(node) else np.zeros(len(u), dtype=bool)
    gone = known & removed[at] if len(node) else known
    kept = edges.column("u_kept").to_numpy() | ~known
    column = edges.schema.get_field_index("u_kept")
    yield "edges", edges.set_column(column, "u_kept", pa.array(kept)).filter(pa.array(~gone))


def split_open(edges: pa.RecordBatch) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    """Parts edges into those whose u stays, and the documents that the others leave open.

    Returns:
        Rows of EDGE, and of OPEN (a document may be among both, and in several batches).
    """
    sure = edges.column("u_kept")
    left = np.unique(edges.filter(pc.invert(sure)).column("v").to_numpy())
    why = np.full(len(left), WHY_OPEN.index("residue"), dtype=np.int8)
    return edges.filter(sure), pa.record_batch([pa.array(left), pa.array(why)], schema=OPEN)


@njit
def _greedy(
    starts: Index, stops: Index, u: Index, u_kept: Flags, removed: Flags, by: Index
) -> None:  # pragma: no cover - compiled
    for v in range(len(starts)):
        for edge in range(starts[v], stops[v]):
            if u_kept[edge] or u[edge] < 0 or not removed[u[edge]]:
                removed[v] = True
                by[v] = edge
                break


def solve(partition: int, tables: Mapping[str, pa.Table]) -> Iterator[tuple[str, pa.Table]]:
    """Decides all edges that are left, in survivor order, on one worker.

    Args:
        partition: Not used.
        tables: `edges` (EDGE), all of them.

    Yields:
        `removed` (REMOVED).
    """
    del partition
    edges, starts = _by_v(tables["edges"])
    v: Hashes = uint64(edges, "v")[starts]
    sorted_v = np.argsort(v)
    u = uint64(edges, "u")
    at = np.minimum(np.searchsorted(v, u, sorter=sorted_v), len(v) - 1)
    place = np.where(v[sorted_v[at]] == u, sorted_v[at], -1)
    removed = np.zeros(len(v), dtype=bool)
    by = np.full(len(v), -1, dtype=np.int64)
    kept = edges.column("u_kept").to_numpy()
    _greedy(starts, np.append(starts[1:], len(edges)), place, kept, removed, by)
    yield "removed", _removed(edges, by[removed])
