"""Comparing candidates: first by estimate from signatures, then exactly by shingle sets.

Both go the same way. The pairs of a partition ask for the vectors of their
documents; the parts of staging that hold those documents answer; pairs and
vectors meet again in the partition, which drops the pairs that are too far apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from transforms import storage
from transforms.dedup.near.candidates import requests_of
from transforms.dedup.rows import EDGE, ESTIMATED, NODE, is_indexed, uint64
from transforms.dedup.shingles import jaccard, shingle_sets
from transforms.formats.choose import PARQUET, of_path, read_columns
from transforms.kernels import Hashes, njit
from transforms.records import PART_BITS

__all__ = [
    "SETS",
    "SIGNATURES",
    "agreement",
    "compare_sets",
    "compare_signatures",
    "fetch_sets",
    "fetch_signatures",
    "read_rows",
    "signature_matrix",
]

SIGNATURES = pa.schema(
    [
        ("dest", pa.uint32()),
        ("node", pa.uint64()),
        ("doc_id", pa.binary()),
        ("vector", pa.binary()),
    ]
)
"""A document's signature on its way to a partition of pairs."""

SETS = pa.schema(
    [
        ("dest", pa.uint32()),
        ("node", pa.uint64()),
        ("tail", pa.bool_()),
        ("vector", pa.list_(pa.uint64())),
    ]
)
"""A document's shingle set on its way to a partition of pairs."""

Index = npt.NDArray[np.int64]

_BLOCK = 32
"""Signature values that are compared before looking whether to go on."""


def read_rows(
    part: Mapping[str, Any], wanted: Index, columns: list[str]
) -> Iterator[tuple[Index, pa.Table]]:
    """Reads some rows of a part, row group by row group.

    Args:
        part: A row of `PART`.
        wanted: Numbers of rows in the part, ascending.
        columns: What to read.

    Yields:
        Numbers, and the columns of the rows with these numbers.
    """
    first = -int(part["first"])
    if of_path(part["path"]) is not PARQUET:  # An earlier run's shard: these are read whole.
        yield wanted, read_columns(part["path"], columns).take(wanted - first)
        return
    with storage.open_input(part["path"]) as source:
        file = pq.ParquetFile(source)
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
    parts = {row["part"]: row for row in tables["parts"].to_pylist()}
    for number in np.unique(part):
        here = part == number
        if int(number) not in parts and is_indexed(node[here]).all():
            continue  # An earlier run's shard that is no longer there: estimates must do.
        asked, base = node[here], np.uint64(number) << np.uint64(PART_BITS)
        wanted = np.unique(asked - base).astype(np.int64)
        for rows, staged in read_rows(parts[int(number)], wanted, columns):
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
    columns = ["doc_id", "signature"]
    for answer in _fetch(tables, columns, lambda staged: staged.select(columns)):
        yield "vectors", answer.rename_columns(SIGNATURES.names).cast(SIGNATURES)


def fetch_sets(
    partition: int, tables: Mapping[str, pa.Table], *, ngram: int
) -> Iterator[tuple[str, pa.Table]]:
    """Makes the shingle sets that `requests` ask for from staged text; yields `vectors`."""
    del partition

    def make(staged: pa.Table) -> pa.Table:
        sets = shingle_sets(staged.column("text").combine_chunks(), ngram)
        return pa.table({"tail": staged.column("tail"), "vector": sets})

    for answer in _fetch(tables, ["text", "tail"], make):
        yield "vectors", answer.cast(SETS)


def _locate(vectors: pa.Table, pairs: pa.Table) -> tuple[pa.Table, Index, Index]:
    """Vectors in order of node, and where the two documents of each pair are in them.

    A document without a vector is at -1.
    """
    vectors = vectors.take(np.argsort(uint64(vectors, "node"), kind="stable"))
    node = uint64(vectors, "node")
    found = []
    for end in ("u", "v"):
        wanted = uint64(pairs, end)
        at = np.minimum(np.searchsorted(node, wanted), max(len(node) - 1, 0))
        there = node[at] == wanted if len(node) else np.zeros(len(wanted), dtype=bool)
        found.append(np.where(there, at, -1))
    return vectors, found[0], found[1]


def signature_matrix(column: pa.ChunkedArray) -> npt.NDArray[np.uint32]:
    """Signatures as a matrix, one a row; no nulls."""
    joined = b"".join(column.to_pylist())
    return np.frombuffer(joined, dtype="<u4").reshape(len(column), -1)


@njit
def agreement(
    signature: npt.NDArray[np.uint32], i: int, j: int, least: int
) -> int:  # pragma: no cover - compiled
    """In how many values two signatures agree; -1 once it is sure to be fewer than `least`."""
    size = signature.shape[1]
    same = 0
    for start in range(0, size, _BLOCK):
        stop = min(start + _BLOCK, size)
        for k in range(start, stop):
            same += signature[i, k] == signature[j, k]
        if same + size - stop < least:
            return -1
    return same


@njit
def _agreements(
    signature: npt.NDArray[np.uint32], left: Index, right: Index, least: int, out: Index
) -> None:  # pragma: no cover - compiled
    for pair in range(len(left)):
        out[pair] = agreement(signature, left[pair], right[pair], least)


def compare_signatures(
    partition: int, tables: Mapping[str, pa.Table], *, least: float
) -> Iterator[tuple[str, pa.Table]]:
    """Drops pairs whose signatures agree in fewer than `least` of their values.

    Args:
        partition: The `dest` of the pairs.
        tables: `pairs` (PAIR) and the `vectors` (SIGNATURES) that they asked for.
        least: Least estimated similarity.

    Yields:
        `pairs` (ESTIMATED) that remain, and `requests` (REQUEST) for their shingle sets.
    """
    pairs = tables["pairs"]
    if not len(pairs):
        return
    vectors, left, right = _locate(tables["vectors"], pairs)
    signature = signature_matrix(vectors.column("vector"))
    size = signature.shape[1]
    same = np.empty(len(pairs), dtype=np.int64)
    _agreements(signature, left, right, math.ceil(least * size), same)
    pairs = pairs.append_column("estimate", pa.array(same / size))
    pairs = pairs.append_column("witness", vectors.column("doc_id").take(left))
    near = pairs.filter(pa.array(same >= 0)).cast(ESTIMATED)
    yield "pairs", near
    yield "requests", requests_of(near, partition)


def compare_sets(
    partition: int,
    tables: Mapping[str, pa.Table],
    *,
    threshold: float,
    tail_threshold: float,
) -> Iterator[tuple[str, pa.Table]]:
    """Turns pairs that are similar enough into edges.

    The similarity is the exact Jaccard of the two sets of shingle hashes. Only where
    the text of an earlier run's document is gone does the estimate stand in for it.

    Args:
        partition: Not used.
        tables: `pairs` (ESTIMATED) and the `vectors` (SETS) that they asked for.
        threshold: Least similarity at which `u` may remove `v`.
        tail_threshold: The same where `v` is in a tail language.

    Yields:
        `edges` (EDGE), and as `beaten` (NODE) the documents that have one before them.
    """
    del partition
    pairs = tables["pairs"]
    if not len(pairs):
        return
    vectors, left, right = _locate(tables["vectors"], pairs)
    sets = vectors.column("vector").combine_chunks()
    ends: Hashes = sets.offsets.to_numpy().astype(np.int64)
    exact = left >= 0
    similarity = pairs.column("estimate").to_numpy().copy()
    known = np.empty(int(exact.sum()), dtype=np.float64)
    jaccard(sets.values.to_numpy(), ends[:-1], ends[1:], left[exact], right[exact], known)
    similarity[exact] = known
    tail = vectors.column("tail").to_numpy()[right]
    near = pa.array(similarity >= np.where(tail, tail_threshold, threshold))
    columns = [pairs.column(name) for name in EDGE.names[:6]]
    columns += [pa.array(similarity), pairs.column("witness")]
    columns.append(pa.array(is_indexed(uint64(pairs, "u"))))
    edges = pa.table(columns, schema=EDGE).filter(near)
    yield "edges", edges
    yield "beaten", pa.table([pa.array(np.unique(uint64(edges, "v")))], schema=NODE)
