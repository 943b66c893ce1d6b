"""The pointer to the newest run."""

from __future__ import annotations

import json
import pathlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from transforms.errors import StorageError
from transforms.shards import latest, manifest


def publish(folder: pathlib.Path, name: str) -> str:
    run = folder / name
    run.mkdir()
    told = dict.fromkeys(manifest._KEYS) | {"run": name, "name": f"the {name}"}
    (run / "manifest.json").write_text(json.dumps(told))
    return str(run)


def test_it_names_the_newest_and_remembers_the_others(tmp_path: pathlib.Path):
    path, runs = str(tmp_path / "LATEST.json"), [publish(tmp_path, n) for n in "abc"]
    assert latest.read_latest(path) == (None, "")
    assert [latest.point_to(path, run) for run in runs] == [True] * 3
    told, _ = latest.read_latest(path)
    assert told is not None
    assert {name: told["latest"][name] for name in ("run", "name", "path")} == {
        "run": "c", "name": "the c", "path": runs[2],
    }  # fmt: skip
    assert [entry["run"] for entry in told["earlier"]] == ["b", "a"]
    assert not latest.point_to(path, runs[2])
    assert not latest.point_to(path, runs[0], only_if_new=True), "it was the newest once"
    assert latest.point_to(path, runs[0])
    told, _ = latest.read_latest(path)
    assert told is not None
    assert [entry["run"] for entry in told["earlier"]] == ["c", "b"]


def test_of_runs_published_at_once_none_is_lost(tmp_path: pathlib.Path):
    path, runs = str(tmp_path / "LATEST.json"), [publish(tmp_path, str(n)) for n in range(8)]
    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(lambda run: latest.point_to(path, run), runs))
    told, _ = latest.read_latest(path)
    assert told is not None
    assert {entry["run"] for entry in (told["latest"], *told["earlier"])} == set("01234567")


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"latest": 3, "earlier": []}'])
def test_another_file_is_left_alone(tmp_path: pathlib.Path, text: str):
    (tmp_path / "x").write_text(text)
    with pytest.raises(StorageError, match="does not name a newest run"):
        latest.point_to(str(tmp_path / "x"), publish(tmp_path, "a"))
    assert (tmp_path / "x").read_text() == text
