"""One way to write a table: equal rows give equal bytes."""

from __future__ import annotations

import hashlib
import io
import itertools

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shards_documents import document, published

from transforms.records import DEAD_LETTERS, DROPPED, PUBLISHED
from transforms.shards import layout

ROWS = [
    document(
        f"text number {n} " + "ä" * n,
        ("anchor", "synthetic")[n % 2],
        ("eng_Latn", "und")[n % 3 // 2],
    )
    | {
        "url": None if n % 4 else f"https://a.example/{n}",
        "synthetic_evidence": ["artefact:x"] * (n % 3),
    }
    for n in range(23)
]
TABLE = published(*ROWS)
BYTES = layout.parquet_bytes(TABLE)


@given(st.lists(st.integers(0, 23), max_size=5))
def test_chunks_reach_no_byte(cuts: list[int]):
    bounds = [0, *sorted(cuts), 23]
    pieces = [TABLE.slice(a, b - a) for a, b in itertools.pairwise(bounds)]
    assert layout.parquet_bytes(pa.concat_tables(pieces)) == BYTES
    copies = [pa.Table.from_pylist(piece.to_pylist(), schema=PUBLISHED) for piece in pieces]
    assert layout.parquet_bytes(pa.concat_tables(copies)) == BYTES


@given(st.integers(0, 22), st.integers(1, 5))
def test_a_slice_is_as_good_as_a_copy(start: int, length: int):
    piece = TABLE.slice(start, length)
    copy = pa.Table.from_pylist(piece.to_pylist(), schema=PUBLISHED)
    assert layout.parquet_bytes(piece) == layout.parquet_bytes(copy)


@given(st.permutations(range(5)))
def test_taking_rows_is_as_good_as_having_them(order: list[int]):
    taken = TABLE.take(order)
    copy = pa.Table.from_pylist([TABLE.to_pylist()[row] for row in order], schema=PUBLISHED)
    assert layout.parquet_bytes(taken) == layout.parquet_bytes(copy)


def test_what_is_written_is_read():
    table = pq.ParquetFile(io.BytesIO(BYTES)).read()
    assert table.schema.equals(PUBLISHED)
    assert table.equals(TABLE)


def test_row_groups_are_of_one_size():
    many = pa.concat_tables([TABLE] * 400)
    metadata = pq.ParquetFile(io.BytesIO(layout.parquet_bytes(many))).metadata
    sizes = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
    assert sizes == [4096, 4096, 23 * 400 - 2 * 4096]


@pytest.mark.parametrize("schema", [PUBLISHED, DROPPED, DEAD_LETTERS], ids=len)
def test_an_empty_table_keeps_its_schema(schema: pa.Schema):
    data = layout.parquet_bytes(schema.empty_table())
    assert pq.ParquetFile(io.BytesIO(data)).read().schema.equals(schema)


def test_names():
    assert layout.shard_name(0, 32) == "data/shard-00000-of-00032.parquet"
    assert layout.dropped_name(3, 4) == "dropped/part-00003-of-00004.parquet"
    assert layout.dead_letters_name(0, 1) == "dead_letters/part-00000-of-00001.parquet"
    names = [layout.shard_name(n, 100_000) for n in range(0, 100_000, 997)]
    assert names == sorted(names)


def test_digest():
    assert layout.digest(b"x") == hashlib.sha256(b"x").hexdigest()
