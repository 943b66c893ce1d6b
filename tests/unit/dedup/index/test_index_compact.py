"""Compacting: rows move, and nobody who looks for them can tell."""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from index_files import MANIFEST, days, index_run, published, shard, small_index

from transforms import storage
from transforms.dedup.index.check import check_index
from transforms.dedup.index.compact import Compacted, compact
from transforms.dedup.index.locate import compactions, pieces
from transforms.dedup.index.read import stored_rows
from transforms.dedup.index.segments import counted
from transforms.dedup.index.show import describe
from transforms.dedup.index.write import INDEXED
from transforms.errors import InputError, UsageError

NOW = 2_000_000_000.0
HOUR = 3600.0


def run_compact(index: pathlib.Path, now: float = NOW, **given_: Any) -> Compacted:
    settings_ = {"older_than": HOUR, "file_bytes": 1 << 30} | given_
    return compact(str(index), published, now=now, **settings_)


def content(index: pathlib.Path) -> dict[tuple[str, str], list[Any]]:
    """All rows that count, by run and shard."""
    segments = counted(str(index), published)
    found = {}
    for key, piece in pieces(str(index), segments).items():
        tables = list(stored_rows(piece.path, piece.first, piece.rows, INDEXED.names))
        found[key] = pa.concat_tables([INDEXED.empty_table(), *tables]).to_pylist()
    assert len(found) == sum(len(segment.shards) for segment in segments)
    return found


def own_files(index: pathlib.Path) -> list[str]:
    return sorted(path.parent.name for path in index.glob("segments/*/*.parquet"))


def test_small_files_become_one(tmp_path: pathlib.Path):
    index = small_index(tmp_path)
    before = content(index)
    assert run_compact(index) == Compacted(3, 1, 0, ())
    assert content(index) == before
    assert own_files(index) == ["r1", "r1", "r3"], "a run may still read them"
    (made,) = compactions(str(index))
    assert [(p.run, p.first, p.rows) for p in made.pieces] == [
        ("r1", 0, 3), ("r1", 3, 2), ("r3", 5, 6),
    ]  # fmt: skip


def test_what_was_replaced_goes_after_a_while(tmp_path: pathlib.Path):
    index = small_index(tmp_path)
    before = content(index)
    run_compact(index)
    assert run_compact(index, NOW + HOUR - 1) == Compacted(0, 0, 0, ())
    assert run_compact(index, NOW + HOUR) == Compacted(0, 0, 3, ())
    assert own_files(index) == []
    assert content(index) == before


def test_later_runs_join_in_and_old_compacted_files_go(tmp_path: pathlib.Path):
    index = small_index(tmp_path)
    run_compact(index)
    run_compact(index, NOW + HOUR)
    index_run(index, "r2b", shard("between the others", "by its name"))
    before = content(index)
    assert run_compact(index, NOW + 2 * HOUR).merged == 2
    assert len(compactions(str(index))) == 2
    assert content(index) == before
    assert run_compact(index, NOW + 3 * HOUR).removed == 3
    (made,) = compactions(str(index))
    assert [piece.run for piece in made.pieces] == ["r1", "r1", "r2b", "r3"]
    assert content(index) == before


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.lists(st.integers(1, 4), max_size=3), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 40_000), st.integers(0, 3)), min_size=1, max_size=4),
)
def test_any_sequence_of_compactions_keeps_every_row(
    tmp_path_factory: pytest.TempPathFactory,
    runs: list[list[int]],
    steps: list[tuple[int, int]],
):
    index = tmp_path_factory.mktemp("many") / "index"
    now = NOW
    for number, (file_bytes, hours) in enumerate(steps):
        if number < len(runs):
            texts = [[f"{number} {s} {r}" for r in range(n)] for s, n in enumerate(runs[number])]
            index_run(index, f"r{number}", *(shard(*some) for some in texts))
        before = content(index)
        now += hours * HOUR
        run_compact(index, now, file_bytes=file_bytes, older_than=HOUR)
        assert content(index) == before


def test_large_files_are_left_alone(tmp_path: pathlib.Path):
    assert run_compact(small_index(tmp_path), file_bytes=100) == Compacted(0, 0, 0, ())


def test_a_file_whose_record_is_missing_is_not_there(tmp_path: pathlib.Path):
    index = small_index(tmp_path)
    before = content(index)
    run_compact(index)
    (record,) = (index / "compacted").glob("*.json")
    (data,) = (index / "compacted").glob("*.parquet")
    record.unlink()
    data.write_bytes(b"half")
    assert content(index) == before
    os.utime(data, (NOW - 2 * HOUR, NOW - 2 * HOUR))
    run_compact(index, file_bytes=100)
    assert not data.exists()
    assert content(index) == before


def test_a_run_that_is_out_of_reach_keeps_its_rows(tmp_path: pathlib.Path):
    index = small_index(tmp_path)
    before = content(index)
    run_compact(index)
    run_compact(index, NOW + HOUR)
    (tmp_path / "of-r1" / MANIFEST).rename(tmp_path / "away")
    index_run(index, "r4", shard("a late text"))
    run_compact(index, NOW + 2 * HOUR)
    run_compact(index, NOW + 3 * HOUR)
    (tmp_path / "away").rename(tmp_path / "of-r1" / MANIFEST)
    after = content(index)
    assert {key: after[key] for key in before} == before


def test_unfinished_segments_go_only_when_asked_and_old(tmp_path: pathlib.Path):
    index = small_index(tmp_path)
    index_run(index, "dead", shard("half"), finish=False)
    (index / "segments" / "deader" / "_temporary").mkdir(parents=True)
    (index / "segments" / "deader" / "_temporary" / "x.parquet").write_bytes(b"")
    paths = [p for run in ("dead", "deader") for p in (index / "segments" / run).rglob("*")]
    asked = {"remove_unfinished": True, "file_bytes": 100}
    for path in paths:
        os.utime(path, (NOW - HOUR / 2, NOW - HOUR / 2))
    assert run_compact(index, **asked).unfinished == ()
    for path in paths[1:]:
        os.utime(path, (NOW - 2 * HOUR, NOW - 2 * HOUR))
    os.utime(paths[0], (NOW - 2 * HOUR, NOW - 2 * HOUR))
    assert run_compact(index, file_bytes=100).unfinished == ()
    assert (index / "segments" / "dead").exists()
    assert run_compact(index, **asked).unfinished == ("dead", "deader")
    assert sorted(p.name for p in (index / "segments").iterdir()) == ["r1", "r2", "r3"]


def test_a_damaged_record_is_told(tmp_path: pathlib.Path):
    index = small_index(tmp_path)
    run_compact(index)
    (record,) = (index / "compacted").glob("*.json")
    for text in ("{", json.dumps({"written": 1}), json.dumps({"written": 1, "pieces": [3]})):
        record.write_text(text)
        with pytest.raises(InputError, match="damaged"):
            compactions(str(index))


def test_an_index_elsewhere_is_no_other(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch):
    """Beam's own local file system stands in for an object store."""
    monkeypatch.setattr(storage, "is_local", lambda _: False)
    index = small_index(tmp_path)
    index_run(index, "dead", shard("half"), finish=False)
    before = content(index)
    assert run_compact(index, 4e9) == Compacted(3, 1, 0, ())
    assert run_compact(index, 4e9 + HOUR) == Compacted(0, 0, 3, ())
    assert content(index) == before
    assert check_index(str(index), published, days).findings == ()
    states = [segment.state for segment in describe(str(index), published)[0]]
    assert states == ["not published", "counts", "counts", "counts"]


def test_what_is_no_index_is_refused(tmp_path: pathlib.Path):
    with pytest.raises(UsageError, match="is no index"):
        run_compact(tmp_path)
