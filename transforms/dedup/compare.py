"""Comparing candidates: first by estimate from signatures, then exactly by shingle sets.

Both go the same way. The pairs of a partition ask for the vectors of their
documents; the parts of staging that hold those documents answer; pairs and
vectors meet again in the partition, which drops the pairs that are too far apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms import storage
from transforms.dedup.candidates import requests_of
from transforms.dedup.rows import EDGE, uint64
from transforms.dedup.shingles import jaccard, shingle_sets
from transforms.kernels import Hashes, njit
from transforms.records import PART_BITS

__all__ = [
    "SETS",
    "SIGNATURES",
    "compare_sets",
    "compare_signatures",
    "fetch_sets",
    "fetch_signatures",
]

SIGNATURES = pa.schema([("dest", pa.uint32()), ("node", pa.uint64()), ("vector", pa.binary())])
"""A document's signature on its way to a partition of pairs."""

SETS = pa.schema(
    [
        ("dest", pa.uint32()),
        ("node", pa.uint64()),
        ("doc_id", pa.binary()),
        ("vector", pa.list_(pa.uint64())),
    ]
)
"""A document's shingle set on its way to a partition of pairs."""

Index = npt.NDArray[np.int64]


def _read_rows(path: str, wanted: Index, columns: list[str]) -> Iterator[tuple[Index, pa.Table]]:
    """Reads some rows of a part; yields their numbers and columns, row group by row group."""
    with storage.open_input(path) as source:
        file = pq.ParquetFile(source)
        first = 0
        for number in range(file.num_row_groups):
            rows = file.metadata.row_group(number).num_rows
            inside = wanted[(wanted >= first) & (wanted < first + rows)]
            if len(inside):
                yield inside, file.read_row_group(number, columns=columns).take(inside - first)
            first += rows


def _fetch(
    tables: Mapping[str, pa.Table], columns: list[str], make: Callable[[pa.Table], pa.Table]
) -> Iterator[pa.Table]:
    """Answers requests part by part: `make` turns staged columns into vectors.

    A document is read and turned into a vector once, however many ask for it.
    """
    node, dest = uint64(tables["requests"], "node"), tables["requests"].column("dest").to_numpy()
    order = np.lexsort((dest, node))
    node, dest = node[order], dest[order]
    part = node >> np.uint64(PART_BITS)
    paths = dict(
        zip(
            tables["parts"].column("part").to_pylist(),
            tables["parts"].column("path").to_pylist(),
            strict=True,
        )
    )
    for number in np.unique(part):
        here = part == number
        asked, base = node[here], np.uint64(number) << np.uint64(PART_BITS)
        wanted = np.unique(asked - base).astype(np.int64)
        for rows, staged in _read_rows(paths[int(number)], wanted, columns):
            vectors = make(staged)
            begin, end = np.searchsorted(asked, (rows[[0, -1]].astype(np.uint64) + base))
            end = np.searchsorted(asked, rows[-1].astype(np.uint64) + base, side="right")
            answer = vectors.take(np.searchsorted(rows, (asked[begin:end] - base).astype(np.int64)))
            answer = answer.add_column(0, "node", pa.array(asked[begin:end]))
            yield answer.add_column(0, "dest", pa.array(dest[here][begin:end]))


def fetch_signatures(
    partition: int, tables: Mapping[str, pa.Table]
) -> Iterator[tuple[str, pa.Table]]:
    """Reads the signatures that `requests` ask for from the `parts`; yields `vectors`."""
    del partition
    for answer in _fetch(tables, ["signature"], lambda staged: staged.rename_columns(["vector"])):
        yield "vectors", answer.cast(SIGNATURES)


def fetch_sets(
    partition: int, tables: Mapping[str, pa.Table], *, ngram: int
) -> Iterator[tuple[str, pa.Table]]:
    """Makes the shingle sets that `requests` ask for from staged text; yields `vectors`."""
    del partition

    def make(staged: pa.Table) -> pa.Table:
        sets = shingle_sets(staged.column("text").combine_chunks(), ngram)
        return pa.table({"doc_id": staged.column("doc_id"), "vector": sets})

    for answer in _fetch(tables, ["text", "doc_id"], make):
        yield "vectors", answer.cast(SETS)


def _locate(vectors: pa.Table, pairs: pa.Table) -> tuple[pa.Table, Index, Index]:
    """Vectors in order of node, and where the two documents of each pair are in them."""
    vectors = vectors.take(np.argsort(uint64(vectors, "node"), kind="stable"))
    node = uint64(vectors, "node")
    return (
        vectors,
        np.searchsorted(node, uint64(pairs, "u")),
        np.searchsorted(node, uint64(pairs, "v")),
    )


@njit
def _agreement(
    signature: npt.NDArray[np.uint32], left: Index, right: Index, out: npt.NDArray[np.int64]
) -> None:  # pragma: no cover - compiled
    for pair in range(len(left)):
        same = 0
        for k in range(signature.shape[1]):
            same += signature[left[pair], k] == signature[right[pair], k]
        out[pair] = same


def compare_signatures(
    partition: int, tables: Mapping[str, pa.Table], *, least: float
) -> Iterator[tuple[str, pa.Table]]:
    """Drops pairs whose signatures agree in fewer than `least` of their values.

    Args:
        partition: The `dest` of the pairs.
        tables: `pairs` (PAIR) and the `vectors` (SIGNATURES) that they asked for.
        least: Least estimated similarity.

    Yields:
        `pairs` (PAIR) that remain, and `requests` (REQUEST) for their shingle sets.
    """
    pairs = tables["pairs"]
    vectors, left, right = _locate(tables["vectors"], pairs)
    joined = b"".join(vectors.column("vector").to_pylist())
    signature = np.frombuffer(joined, dtype="<u4").reshape(len(vectors), -1)
    same = np.empty(len(pairs), dtype=np.int64)
    _agreement(signature, left, right, same)
    near = pairs.filter(pa.array(same >= least * signature.shape[1]))
    yield "pairs", near
    yield "requests", requests_of(near, partition)


def compare_sets(
    partition: int, tables: Mapping[str, pa.Table], *, threshold: float
) -> Iterator[tuple[str, pa.Table]]:
    """Turns pairs of an exact Jaccard similarity of at least `threshold` into edges.

    Args:
        partition: Not used.
        tables: `pairs` (PAIR) and the `vectors` (SETS) that they asked for.
        threshold: Least exact similarity of the two sets of shingle hashes.

    Yields:
        `edges` (EDGE).
    """
    del partition
    pairs = tables["pairs"]
    if not len(pairs):
        return
    vectors, left, right = _locate(tables["vectors"], pairs)
    sets = vectors.column("vector").combine_chunks()
    ends: Hashes = sets.offsets.to_numpy().astype(np.int64)
    similarity = np.empty(len(pairs), dtype=np.float64)
    jaccard(sets.values.to_numpy(), ends[:-1], ends[1:], left, right, similarity)
    edges = pairs.drop_columns(["dest"])
    edges = edges.append_column("similarity", pa.array(similarity))
    edges = edges.append_column("witness", vectors.column("doc_id").take(left))
    edges = edges.append_column("u_kept", pa.array(np.zeros(len(pairs), dtype=bool)))
    yield "edges", edges.filter(pc.greater_equal(edges.column("similarity"), threshold)).cast(EDGE)
