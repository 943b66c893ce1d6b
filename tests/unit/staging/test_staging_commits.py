"""Splits that are staged for good, and those that only seem so."""

from __future__ import annotations

import pathlib
from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from staging_rows import staged

from transforms.commits import Commits, end_of, ends, label_of, labelled, named_files
from transforms.errors import LedgerError
from transforms.records import DEAD_LETTERS, INGESTED, STAGED
from transforms.staging.parts import SplitWriter
from transforms.staging.record import spill

SPLIT = '{"file_no":0,"part":7}'
LETTER = {"file": "a", "position": 3, "reason": "no_text", "excerpt": "", "n_bytes": 5}


@pytest.fixture
def commits(tmp_path: pathlib.Path) -> Commits:
    return Commits(str(tmp_path), "annotation")


def commit(commits: Commits, *, documents: int = 9, dead: list[str] | None = None) -> Any:
    """Stages nine rows in two batches and ends their split."""
    rows, writer = staged(9), SplitWriter(f"{commits.staging}/parts", commits)
    given = [*writer.write(rows.slice(0, 5)), *writer.write(rows.slice(5))]
    assert given == []
    end = commits.end(STAGED, SPLIT, documents, dead or [], {"request": 2})
    counts: Counter[str] = Counter()
    given = writer.end(end_of(end), lambda name, n: counts.update({name: n}))
    assert not counts
    assert writer.close() == []
    return [row for part in given for row in part.to_pylist()]


def test_what_is_committed_is_found_and_stands_for_its_rows(commits: Commits):
    rows = commit(commits)
    found = commits.find(SPLIT)
    assert found is not None
    assert found["skipped"] == {"request": 2}
    marker = commits.staged(INGESTED, found)
    assert ends(marker)
    assert (marker.num_rows, marker.schema.names) == (0, INGESTED.names)
    counts: Counter[str] = Counter()
    writer = SplitWriter("nowhere", commits)
    given = writer.end(end_of(marker), lambda name, n: counts.update({name: n}))
    assert [row for part in given for row in part.to_pylist()] == rows
    assert counts == {"resume/splits": 1, "resume/documents": 9}


def test_a_folder_may_be_moved(commits: Commits, tmp_path: pathlib.Path):
    commit(commits)
    moved = tmp_path.rename(tmp_path.with_name(f"{tmp_path.name}-moved"))
    again = Commits(str(moved), "annotation")
    found = again.find(SPLIT)
    assert found is not None
    assert again.parts(found)[0]["path"].startswith(f"{moved}/parts/part-")


@pytest.mark.parametrize("documents", [8, 10])
def test_a_row_that_was_lost_or_repeated_commits_nothing(commits: Commits, documents: int):
    with pytest.raises(LedgerError, match=rf"{documents} documents were read .* and 9 arrived"):
        commit(commits, documents=documents)
    assert commits.find(SPLIT) is None


def test_an_end_that_was_lost_is_an_error(commits: Commits):
    writer = SplitWriter(f"{commits.staging}/parts", commits)
    writer.write(staged(2))
    with pytest.raises(LedgerError, match="has no end"):
        writer.close()


def test_without_commits_parts_go_on_as_they_are_finished(tmp_path: pathlib.Path):
    writer = SplitWriter(str(tmp_path), None)
    assert writer.write(staged(2)) == []
    assert [part.column("rows")[0].as_py() for part in writer.close()] == [2]


def test_other_settings_and_other_splits_find_nothing(commits: Commits):
    commit(commits)
    assert Commits(commits.staging, "other").find(SPLIT) is None
    assert commits.find(SPLIT + " ") is None


def test_a_part_that_is_gone_or_cut_is_not_taken_over(commits: Commits):
    [row] = commit(commits)
    path = pathlib.Path(row["path"])
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    assert commits.find(SPLIT) is None
    path.unlink()
    assert commits.find(SPLIT) is None
    path.write_bytes(data)
    assert commits.find(SPLIT) is not None


def test_a_damaged_commit_is_none(commits: Commits):
    commit(commits)
    [path] = pathlib.Path(commits.staging, "commits").iterdir()
    for text in ("{", "[]", "{}"):
        path.write_text(text)
        assert commits.find(SPLIT) is None


def test_dead_letters_keep_their_place(commits: Commits):
    name = "dead_letters/k-a-0.parquet"
    letters = pa.RecordBatch.from_pylist([LETTER], schema=DEAD_LETTERS)
    folder = f"{commits.staging}/dead_letters"
    [row] = spill(labelled(letters, name), folder).to_pylist()
    assert row == {"path": f"{commits.staging}/{name}", "rows": 1, "unreadable_bytes": 0}
    commit(commits, dead=[name])
    found = commits.find(SPLIT)
    assert found is not None
    assert found["dead"] == [name]
    before = pathlib.Path(row["path"]).stat().st_mtime_ns
    assert spill(labelled(letters, name, written=True), folder).to_pylist() == [row]
    assert pathlib.Path(row["path"]).stat().st_mtime_ns == before, "it is not written again"
    pathlib.Path(row["path"]).unlink()
    assert commits.find(SPLIT) is None


def test_what_is_named_is_kept_and_the_rest_is_told(commits: Commits):
    [row] = commit(commits, dead=[])
    other = Commits(commits.staging, "other")
    commit(other)
    named, useless = named_files(commits)
    assert named == {row["path"]}
    assert [pathlib.Path(path).stem for path in useless] == [other.key(SPLIT)]


def test_a_batch_of_rows_is_no_end():
    assert not ends(staged(1))
    assert not ends(staged(1).slice(0, 0))
    assert label_of(staged(1)) is None
