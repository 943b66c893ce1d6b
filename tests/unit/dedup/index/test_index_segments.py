"""Which segments count: those whose run is published, and no half-written one."""

from __future__ import annotations

import json
import pathlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from index_files import CONFIG, MANIFEST, index_run, published, shard, small_index

from transforms.dedup.config import DedupConfig
from transforms.dedup.index import layout
from transforms.dedup.index.segments import Pinned, Segment, Shard, append, counted, listed
from transforms.errors import InputError, UsageError


def test_what_runs_appended_is_listed_by_name(tmp_path: pathlib.Path):
    index = small_index(tmp_path)
    found = counted(str(index), published)
    assert [(s.run, len(s.shards), s.documents) for s in found] == [
        ("r1", 2, 4), ("r2", 0, 0), ("r3", 1, 6),
    ]  # fmt: skip
    assert found[0].folder == str(tmp_path / "of-r1")
    assert found[0].shards[0].rows == 3


def test_a_segment_keeps_what_its_run_pinned(tmp_path: pathlib.Path):
    pins = [Pinned("a"), Pinned("b", (0, 3))]
    index_run(tmp_path / "index", "r", shard("text"), pinned=pins)
    (found,) = counted(str(tmp_path / "index"), published)
    assert found.pinned == tuple(pins)


def test_there_may_be_no_index_yet(tmp_path: pathlib.Path):
    assert counted(str(tmp_path / "none"), published) == []


BROKEN_OFF = ("temporary", "some files", "all files", "segment", "another manifest")


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(BROKEN_OFF), st.integers(1, 3))
def test_a_half_written_append_is_invisible(
    tmp_path_factory: pytest.TempPathFactory, stage: str, shards: int
):
    folder = tmp_path_factory.mktemp("broken")
    index = folder / "index"
    index_run(index, "good", shard("a good text"))
    before = counted(str(index), published)
    dead = index_run(index, "dead", *(shard(f"text {n}") for n in range(shards)), finish=False)
    segment = index / "segments" / "dead"
    if stage != "segment":
        (segment / layout.SEGMENT).unlink()
    files = sorted(segment.glob("*.parquet"))
    if stage == "temporary":
        (segment / layout.TEMPORARY).mkdir()
        for file in files:
            file.rename(segment / layout.TEMPORARY / file.name)
    if stage == "some files":
        files[0].unlink()
    if stage == "another manifest":
        (dead / MANIFEST).write_text("another")
    assert counted(str(index), published) == before
    names = {run for run, _, counts in listed(str(index), published) if not counts}
    assert names <= {"dead"}


def test_a_run_that_is_gone_counts_no_more(tmp_path: pathlib.Path):
    index = small_index(tmp_path)
    (tmp_path / "of-r1" / MANIFEST).unlink()
    assert [segment.run for segment in counted(str(index), published)] == ["r2", "r3"]


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"run": "r1", "folder": "", "pinned": 3}'])
def test_a_damaged_record_is_told(tmp_path: pathlib.Path, text: str):
    index = small_index(tmp_path)
    path = index / "segments" / "r1" / layout.SEGMENT
    path.write_text(text)
    with pytest.raises(InputError, match=str(path)):
        counted(str(index), published)


def test_a_segment_of_another_name_is_told(tmp_path: pathlib.Path):
    index = small_index(tmp_path)
    (index / "segments" / "r1").rename(index / "segments" / "r9")
    with pytest.raises(InputError, match="renamed or copied"):
        counted(str(index), published)


def test_an_index_that_became_another_is_refused_before_it_is_appended_to(tmp_path: pathlib.Path):
    index = str(tmp_path / "index")
    layout.claim_format(index, DedupConfig(permutations=8, bands=2))
    with pytest.raises(UsageError, match=r"dedup\.bands=2, this run has 4"):
        append(index, CONFIG, "r", str(tmp_path), (), (), ())
    assert counted(index, published) == []


def test_a_record_reads_as_it_was_written(tmp_path: pathlib.Path):
    made = Segment("r", "/f", (Pinned("p", (1,)),), (Shard("data/s.parquet", 3, 2, "ab"),))
    place = tmp_path / "segments" / "r" / layout.SEGMENT
    place.parent.mkdir(parents=True)
    place.write_bytes(layout.dump(made.record()))
    assert json.loads(place.read_text())["pinned"] == [{"run": "p", "gone": [1]}]
    assert listed(str(tmp_path), lambda _: None) == [("r", made, False)]
