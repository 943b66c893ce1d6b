"""Reading the text of originals again, for their types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from transforms import storage
from transforms.dedup.rows import uint64
from transforms.rare.local import LocalTypes
from transforms.rare.rows import COMMON, HOLDER, PAIR, USUAL, zeros
from transforms.records import PART_BITS

__all__ = ["held_types", "read_types"]

_PIECE = 16 << 20
"""Bytes of text that are looked at together, at most, unless one text is larger."""


def read_types(partition: int, tables: Mapping[str, pa.Table]) -> Iterator[tuple[str, pa.Table]]:
    """Counts the types of originals, part by part.

    Args:
        partition: Not used.
        tables: `parts` (dedup.rows.PART), and by part `originals` (ORIGINAL).

    Yields:
        `holders` (HOLDER), `pairs` (PAIR) of types that are not common in their part,
        `common` (COMMON), the others, and `usual` (USUAL) of all types.
    """
    del partition
    rows = tables["originals"]
    rows = rows.take(np.argsort(uint64(rows, "node"))).combine_chunks()
    node = uint64(rows, "node")
    columns = (tables["parts"].column(name).to_pylist() for name in ("part", "path"))
    for part, path in zip(*columns, strict=True):
        base = np.uint64(part << PART_BITS)
        first, last = np.searchsorted(node, [base, base + np.uint64(1 << PART_BITS)])
        if first < last:
            yield from _part(path, rows.slice(first, last - first), base)


def _part(path: str, rows: pa.Table, base: np.uint64) -> Iterator[tuple[str, pa.Table]]:
    types = LocalTypes()
    node, lang = uint64(rows, "node"), rows.column("lang").combine_chunks()
    held = [
        types.add(text, lang.slice(at, len(text)), node[at : at + len(text)])
        for at, text in _texts(path, (node - base).astype(np.int64))
    ]
    holders = pa.table([pa.array(node), pa.array(np.concatenate(held))], schema=HOLDER)
    yield "holders", holders
    yield "usual", held_types(rows, holders.column("types"))
    found, nodes = types.rare()
    langs = lang.take(pa.array(np.searchsorted(node, nodes)))
    yield "pairs", pa.table([pa.array(found), pa.array(nodes), langs], schema=PAIR)
    yield "common", pa.table([pa.array(types.common())], schema=COMMON)


def held_types(rows: pa.Table, types: pa.ChunkedArray) -> pa.Table:
    """Sums over documents, as rows of `USUAL` without types that are rare.

    Args:
        rows: Of `ORIGINAL`.
        types: How many distinct types each holds.
    """
    table = pa.table({"lang": rows.column("lang"), "types": types, "size": rows.column("size")})
    summed = table.group_by("lang").aggregate(
        [("types", n) for n in ("count", "sum")] + [("size", "sum")]
    )
    nothing = zeros(len(summed))
    columns = [summed.column(name) for name in ("types_count", "types_sum", "size_sum")]
    return pa.table([summed.column("lang"), nothing, nothing, *columns], schema=USUAL)


def _texts(path: str, wanted: npt.NDArray[np.int64]) -> Iterator[tuple[int, pa.Array]]:
    """Texts of some rows of a part, ascending, and which of them is the first each time."""
    with storage.open_input(path) as source:
        file, at, begin = pq.ParquetFile(source), 0, 0
        for group in range(file.num_row_groups):
            end = begin + file.metadata.row_group(group).num_rows
            stop = int(np.searchsorted(wanted, end))
            if stop > at:
                text = file.read_row_group(group, columns=["text"]).column("text")
                chosen = text.take(pa.array(wanted[at:stop] - begin))
                for piece in _pieces(chosen.combine_chunks()):
                    yield at, piece
                    at += len(piece)
            begin = end


def _pieces(text: pa.Array | pa.ChunkedArray) -> Iterator[pa.Array]:
    """Texts in pieces that are not large."""
    arrays = text.chunks if isinstance(text, pa.ChunkedArray) else [text]
    for array in arrays:
        step = max(1, len(array) * _PIECE // max(array.nbytes, 1))
        for first in range(0, len(array), step):
            yield array.slice(first, step)
