"""What a run reads of the index: first appearances, by the node of their row."""

from __future__ import annotations

import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from index_files import CONFIG, days, published, shard, signature, small_index

from transforms.dedup.index import read
from transforms.dedup.index.locate import pieces
from transforms.dedup.index.pins import PIN, pin_rows, write_pins
from transforms.dedup.index.segments import Pinned, counted
from transforms.dedup.index.write import INDEXED, index_bytes, index_rows
from transforms.dedup.rows import PART, PUBLISHED, is_indexed
from transforms.errors import InputError
from transforms.records import INDEX_PART, PART_BITS


@pytest.fixture
def pins(tmp_path: pathlib.Path) -> list[pa.RecordBatch]:
    index = small_index(tmp_path)
    segments = counted(str(index), published)
    pinned = [Pinned("r1", (1,)), Pinned("r3")]
    rows = pin_rows(str(index), pinned, segments, pieces(str(index), segments), lambda _: ())
    write_pins(str(tmp_path), rows)
    return list(read.pinned_shards(str(tmp_path)))


def test_a_shard_at_a_time(pins: list[pa.RecordBatch]):
    assert [pin.num_rows for pin in pins] == [1, 1, 1]
    assert {str(pin.schema) for pin in pins} == {str(PIN)}


def test_first_appearances_have_the_node_of_their_row(
    pins: list[pa.RecordBatch], tmp_path: pathlib.Path
):
    found = [batch for pin in pins for batch in read.published_rows(pin)]
    table = pa.Table.from_batches(found, schema=PUBLISHED)
    node = table.column("node").to_numpy()
    assert is_indexed(node).all()
    part, row = (node >> np.uint64(PART_BITS)).astype(int), node & np.uint64((1 << PART_BITS) - 1)
    places = list(zip((part - INDEX_PART).tolist(), row.tolist(), strict=True))
    # Row 1 of the first shard is a repeat.
    assert places == [(0, 0), (0, 2), (1, 0), (1, 1), *((2, n) for n in range(6))]
    parts = {row["part"]: row for pin in pins for row in read.signature_parts(pin).to_pylist()}
    for place, doc_id in zip(places, table.column("doc_id").to_pylist(), strict=True):
        path = parts[INDEX_PART + place[0]]["path"]
        assert pq.ParquetFile(path).read().column("doc_id")[place[1]].as_py() == doc_id
    assert table.column("original").to_pylist() == [False] * 4 + [True] + [False] * 5


def test_parts_say_where_texts_and_signatures_lie(pins: list[pa.RecordBatch]):
    signatures = pa.Table.from_batches([read.signature_parts(pin) for pin in pins])
    texts = pa.Table.from_batches([read.text_parts(pin) for pin in pins])
    assert signatures.schema == texts.schema == PART
    assert signatures.column("part").to_pylist() == [INDEX_PART + n for n in range(3)]
    assert texts.column("part").to_pylist() == [INDEX_PART, INDEX_PART + 2], "one is gone"
    for part in texts.to_pylist():
        assert pq.ParquetFile(part["path"]).metadata.num_rows == part["rows"]
        assert part["first"] == 0


@pytest.mark.parametrize(("first", "rows"), [(0, 7), (0, 3), (2, 4), (3, 4), (6, 1), (2, 0)])
def test_rows_from_the_midst_of_a_file(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, first: int, rows: int
):
    monkeypatch.setattr("transforms.dedup.index.write.GROUP_ROWS", 3)
    table = shard(*(f"text {n}" for n in range(7)))
    made = index_rows(table, signature(table), days, "r", CONFIG)
    path = tmp_path / "x.parquet"
    path.write_bytes(index_bytes([made]))
    found = list(read.stored_rows(str(path), first, rows, INDEXED.names))
    assert pa.concat_tables([INDEXED.empty_table(), *found]) == made.slice(first, rows)


@pytest.mark.parametrize(("first", "rows"), [(0, 8), (7, 1), (5, 3)])
def test_rows_that_are_not_there_are_told(tmp_path: pathlib.Path, first: int, rows: int):
    table = shard(*(f"text {n}" for n in range(7)))
    path = tmp_path / "x.parquet"
    path.write_bytes(index_bytes([index_rows(table, signature(table), days, "r", CONFIG)]))
    with pytest.raises(InputError, match="the index is damaged"):
        list(read.stored_rows(str(path), first, rows, ["doc_id"]))
