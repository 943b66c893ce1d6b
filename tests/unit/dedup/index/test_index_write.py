"""The rows of an index file: those that the next run has to find."""

from __future__ import annotations

import io
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from index_files import CONFIG, days, shard, signature

from transforms.dedup.index import write
from transforms.dedup.index.write import INDEXED, Recorder, index_bytes, index_rows
from transforms.dedup.light import light_rows
from transforms.dedup.signature import band_keys
from transforms.dedup.survivor import UNDATED, survivor_keys

TABLE = shard(
    {"text": "one two three four five six", "date": "2019-05", "origin_tier": "A"},
    {"text": "one two three four five six", "repeat": 1, "origin_tier": "A", "date": "2019-05"},
    {"text": "…", "p_synthetic": 0.25},
    {"text": "seven eight nine", "date": "2021-01-02", "origin_tier": "B", "p_synthetic": 0.1},
)


def rows(table: pa.Table = TABLE, run: str = "r") -> pa.Table:
    return index_rows(table, signature(table), days, run, CONFIG)


def test_there_is_a_row_for_each_row_in_the_same_order():
    made = rows()
    assert made.schema == INDEXED
    for name in ("doc_id", "text_hash", "repeat"):
        assert made.column(name).to_pylist() == TABLE.column(name).to_pylist()
    assert made.column("original").to_pylist() == [True, True, False, True]
    assert set(made.column("run").to_pylist()) == {"r"}


def test_bands_are_those_of_the_signature():
    made = rows().to_pylist()
    assert (made[2]["signature"], made[2]["bands"]) == (None, None), "a text without tokens"
    words = np.frombuffer(made[3]["signature"], "<u4").reshape(1, -1)
    assert made[3]["bands"] == band_keys(words, CONFIG).astype("<u8").tobytes()


def test_survivor_keys_are_those_of_the_run_that_published():
    """Light rows of the same documents, as a run reads them from staging, give the same keys."""
    staged = TABLE.append_column("signature", signature(TABLE))
    staged = staged.append_column("node", pa.array(np.arange(4, dtype=np.uint64)))
    staged = staged.append_column("date_day", days(TABLE.column("date").combine_chunks()))
    none = pa.array([False] * 4)
    light = light_rows(staged, none, none, "chars", CONFIG)
    hi, lo = survivor_keys(
        light.column("tier").to_numpy(),
        light.column("date_day").fill_null(UNDATED).to_numpy(),
        light.column("p").to_numpy(),
        light.column("n_chars").to_numpy(),
        light.column("doc_id"),
    )
    made = rows()
    assert made.column("hi").to_pylist() == hi.tolist()
    assert made.column("lo").to_pylist() == lo.tolist()
    assert made.column("bands").to_pylist() == light.column("bands").to_pylist()


def test_no_rows_are_no_rows():
    assert rows(TABLE.slice(0, 0)) == INDEXED.empty_table()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 4))
def test_how_rows_came_reaches_no_byte(cut: int):
    pieces = pa.concat_tables([TABLE.slice(0, cut), TABLE.slice(cut)])
    given_ = index_rows(pieces, signature(TABLE), days, "r", CONFIG)
    assert index_bytes([given_]) == index_bytes([rows()])


def test_each_table_begins_a_row_group(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(write, "GROUP_ROWS", 3)
    file = pq.ParquetFile(io.BytesIO(index_bytes([rows(), rows(TABLE.slice(1, 1))])))
    groups = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
    assert groups == [3, 1, 1]
    assert file.read() == pa.concat_tables([rows(), rows(TABLE.slice(1, 1))])


def test_attempts_never_share_a_file(tmp_path: pathlib.Path):
    recorder = Recorder(str(tmp_path), "r", CONFIG, days)
    one, other = (recorder.write(TABLE, signature(TABLE)) for _ in range(2))
    assert one[0] != other[0]
    assert one[1] == other[1]
    assert pathlib.Path(one[0]).read_bytes() == index_bytes([rows()])
    assert pathlib.Path(one[0]).parent == tmp_path / "segments" / "r" / "_temporary"
