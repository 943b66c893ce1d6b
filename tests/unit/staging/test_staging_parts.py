"""Parts of staging: what is written is what is read, in order, and no row is lost on the way."""

from __future__ import annotations

import itertools
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from staging_rows import node, staged

from transforms.dedup.rows import PART
from transforms.errors import LedgerError
from transforms.records import STAGED
from transforms.staging.parts import PartWriter, part_of


@settings(
    max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.lists(st.integers(0, 9), max_size=4))
def test_what_is_written_is_read(tmp_path: pathlib.Path, cuts: list[int]):
    rows, bounds = staged(9), [0, *sorted(cuts), 9]
    writer = PartWriter(str(tmp_path), 7)
    for start, stop in itertools.pairwise(bounds):
        writer.write(rows.slice(start, stop - start))
    part = writer.close()
    assert part.schema == PART
    (named,) = part.to_pylist()
    assert (named["part"], named["rows"]) == (7, 9)
    table = pq.ParquetFile(named["path"]).read()
    assert table.schema.equals(STAGED)
    assert table.to_pylist() == rows.to_pylist()


def test_columns_may_come_in_another_order(tmp_path: pathlib.Path):
    writer = PartWriter(str(tmp_path), 7)
    writer.write(staged(2).select(STAGED.names[::-1]))
    (named,) = writer.close().to_pylist()
    assert pq.ParquetFile(named["path"]).read().to_pylist() == staged(2).to_pylist()


def test_attempts_do_not_meet(tmp_path: pathlib.Path):
    writers = [PartWriter(str(tmp_path), 7) for _ in range(2)]
    for writer in writers:
        writer.write(staged(2))
    paths = {writer.close().column("path")[0].as_py() for writer in writers}
    assert len(paths) == 2


@pytest.mark.parametrize(
    "batches",
    [[(0, 2), (3, 2)], [(0, 3), (2, 3)], [(1, 3)], [(0, 2), (0, 2)]],
    ids=["a gap", "an overlap", "a late start", "twice"],
)
def test_a_row_that_does_not_follow_is_an_error(
    tmp_path: pathlib.Path, batches: list[tuple[int, int]]
):
    writer = PartWriter(str(tmp_path), 7)
    *before, (start, length) = batches
    for first, rows in before:
        writer.write(staged(9).slice(first, rows))
    with pytest.raises(LedgerError, match=r"part 7 of staging: .* lost or repeated a document"):
        writer.write(staged(9).slice(start, length))
    writer.close()


def test_the_part_of_a_batch():
    assert part_of(staged(3, part=200)) == 200
    last = pa.record_batch({"node": pa.array([node(2**24 - 1, 2**40 - 1)], pa.uint64())})
    assert part_of(last) == 2**40 - 1
    both = pa.record_batch({"node": pa.array([node(0, 1), node(0, 2)], pa.uint64())})
    with pytest.raises(LedgerError, match=r"rows of parts \[1, 2\]; it must hold one"):
        part_of(both)


def test_many_rows_make_several_groups(tmp_path: pathlib.Path):
    one = staged(200)
    writer = PartWriter(str(tmp_path), 7)
    nodes = one.schema.get_field_index("node")
    for start in range(0, 10_000, 200):
        numbers = np.uint64(node(0)) + np.arange(start, start + 200, dtype=np.uint64)
        writer.write(one.set_column(nodes, STAGED.field("node"), pa.array(numbers)))
    (named,) = writer.close().to_pylist()
    metadata = pq.ParquetFile(named["path"]).metadata
    assert (metadata.num_rows, metadata.num_row_groups) == (10_000, 3)
