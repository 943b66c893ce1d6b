"""What a run pins: never itself, the same again, and nothing that is gone."""

from __future__ import annotations

import hashlib
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from index_files import published, small_index

from transforms.dedup.index.locate import pieces
from transforms.dedup.index.pins import (
    PIN,
    Facts,
    choose,
    pin_rows,
    read_facts,
    read_pins,
    write_facts,
    write_pins,
)
from transforms.dedup.index.segments import Pinned, Segment, counted
from transforms.errors import InputError, UsageError
from transforms.records import INDEX_PART

Gone = dict[str, tuple[int, ...]]


class Namer:
    """Names a job by what it pins, as the launcher does."""

    def __init__(self, job: str) -> None:
        self._job = job

    def __call__(self, pinned: Sequence[Mapping[str, Any]]) -> str:
        return hashlib.sha256(json.dumps([self._job, list(pinned)]).encode()).hexdigest()[:8]


def whole(segment: Segment) -> tuple[int, ...]:
    del segment
    return ()


JOBS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.booleans(), st.booleans()), min_size=1, max_size=14
)
"""Jobs in the order in which they run; whether each finishes, and loses texts afterwards."""


@given(JOBS)
def test_no_run_pins_itself_and_running_again_adds_nothing(jobs: list[tuple[str, bool, bool]]):
    index: dict[str, Segment] = {}
    lost: Gone = {}
    first: dict[str, tuple[str, tuple[Pinned, ...]]] = {}
    for job, finishes, loses in jobs:
        counts = [index[run] for run in sorted(index)]
        pinned, own = choose(counts, lambda segment: lost.get(segment.run, ()), Namer(job))
        name = Namer(job)([pin.record() for pin in pinned])
        assert name not in {pin.run for pin in pinned}
        assert {pin.run for pin in pinned} <= set(index), "a broken-off run is never pinned"
        assert (own is not None) == (job in first)
        if job in first:
            assert (name, pinned) == first[job]
        elif finishes:
            index[name] = Segment(name, "/f", pinned, ())
            first[job] = name, pinned
            if loses:
                lost[name] = (0,)
        else:
            assert [pin.run for pin in pinned] == sorted(index)


def test_of_two_runs_of_one_job_the_one_that_pinned_less_is_taken():
    namer = Namer("job")
    alone = Segment(namer([]), "/one", (), ())
    other = Segment("0ther", "/other", (), ())
    pinned = (Pinned("0ther"),)
    both = Segment(namer([pin.record() for pin in pinned]), "/two", pinned, ())
    made = sorted([alone, other, both], key=lambda segment: segment.run)
    assert choose(made, whole, namer) == ((), alone)


def rows(index: pathlib.Path, pinned: Sequence[Pinned], gone: Gone | None = None) -> list[Any]:
    segments = counted(str(index), published)
    places = pieces(str(index), segments)
    lost = gone or {}
    given_ = pin_rows(str(index), pinned, segments, places, lambda s: lost.get(s.run, ()))
    return list(given_)


def test_shards_are_numbered_in_order_of_run_and_shard(tmp_path: pathlib.Path):
    index = small_index(tmp_path)
    found = rows(index, [Pinned("r1", (1,)), Pinned("r2"), Pinned("r3")])
    assert [row["part"] - INDEX_PART for row in found] == [0, 1, 2]
    assert [(row["run"], row["shard"], row["rows"]) for row in found] == [
        ("r1", "data/shard-00000-of-00002.parquet", 3),
        ("r1", "data/shard-00001-of-00002.parquet", 2),
        ("r3", "data/shard-00000-of-00001.parquet", 6),
    ]
    texts = [row["text"] and pathlib.Path(row["text"]).exists() for row in found]
    assert texts == [True, None, True]
    assert all(pathlib.Path(row["index"]).exists() and row["first"] == 0 for row in found)


def test_a_text_that_was_gone_stays_gone(tmp_path: pathlib.Path):
    # Whether it came back must not change what the run finds.
    found = rows(small_index(tmp_path), [Pinned("r3", (0,))])
    assert found[0]["text"] is None


def test_a_text_that_went_is_refused(tmp_path: pathlib.Path):
    with pytest.raises(UsageError, match=r"shard-00001-of-00002.parquet of .*cannot be made again"):
        rows(small_index(tmp_path), [Pinned("r1")], {"r1": (1,)})


def test_a_segment_that_went_is_refused(tmp_path: pathlib.Path):
    with pytest.raises(UsageError, match=r"run r9, which index .* does not count any more"):
        rows(small_index(tmp_path), [Pinned("r1"), Pinned("r9")])


def test_an_index_file_that_went_is_refused(tmp_path: pathlib.Path):
    index = small_index(tmp_path)
    (index / "segments" / "r1" / "shard-00001-of-00002.parquet").unlink()
    with pytest.raises(InputError, match=r"lost its file of data/shard-00001-of-00002\.parquet"):
        rows(index, [Pinned("r1")])


def test_pins_and_facts_read_as_they_were_written(tmp_path: pathlib.Path):
    found = rows(small_index(tmp_path), [Pinned("r1", (0,)), Pinned("r3")])
    write_pins(str(tmp_path), found)
    assert read_pins(str(tmp_path)).schema == PIN
    assert read_pins(str(tmp_path)).to_pylist() == found
    facts = Facts("/index", (Pinned("r1", (0,)), Pinned("r3")), 9, append=True)
    write_facts(str(tmp_path), facts)
    assert read_facts(str(tmp_path)) == facts
    assert "append" not in facts.told()


def test_nothing_pinned_is_an_empty_table(tmp_path: pathlib.Path):
    write_pins(str(tmp_path), [])
    assert read_pins(str(tmp_path)) == PIN.empty_table()
