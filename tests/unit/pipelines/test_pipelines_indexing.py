"""What a run pins is decided before its graph: by the index, the output and the name."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from running import holdfast

from pipelines.config import make_config
from pipelines.indexing import Pinning, pin, shards_gone
from pipelines.run import Launch, prepare, started
from transforms.dedup.config import DedupConfig
from transforms.dedup.index import layout
from transforms.dedup.index.pins import read_facts, read_pins
from transforms.dedup.index.segments import Pinned, Segment, Shard, counted
from transforms.errors import InputError, UsageError
from transforms.records import INDEX_PART

CONFIG = DedupConfig()
SHARD = "data/shard-00000-of-00001.parquet"
_KEYS = ("config", "config_digest", "versions", "size_unit", "floors", "caps", "plan", "tail")
_KEYS += ("models", "decisions", "languages", "undecided", "ledger", "shards", "files")


def add(
    folder: pathlib.Path, name: str, pinned: Sequence[Pinned] = (), path: str | None = None
) -> pathlib.Path:
    """A published run in the index; what it holds does not matter here."""
    index, run = folder / "index", folder / f"run-{name}"
    (run / "data").mkdir(parents=True)
    (run / SHARD).write_bytes(b"")
    facts = {"path": path or str(index), "pinned": [pin.record() for pin in pinned]}
    manifest = dict.fromkeys(_KEYS) | {"run": name, "index": facts | {"documents": 0}}
    (run / "manifest.json").write_text(json.dumps(manifest))
    layout.claim_format(str(index), CONFIG)
    segment = Segment(name, str(run), tuple(pinned), (Shard(SHARD, 5, 4, ""),))
    place = pathlib.Path(layout.segment_place(str(index), name))
    place.mkdir(parents=True)
    (place / layout.SEGMENT).write_bytes(layout.dump(segment.record()))
    (place / "shard-00000-of-00001.parquet").write_bytes(b"")
    return run


def name_of(pinned: Sequence[Mapping[str, Any]]) -> str:
    return "job" + "".join(str(pin["run"]) + str(pin["gone"]) for pin in pinned)


def pinning(folder: pathlib.Path, run: str = "new") -> Pinning:
    return pin(str(folder / "index"), str(folder / run), str(folder / "staging"), CONFIG, name_of)


def test_a_first_run_pins_nothing_and_makes_nothing(tmp_path: pathlib.Path):
    found = pinning(tmp_path)
    assert (found.name, found.rows) == ("job", ())
    assert (found.facts.pinned, found.facts.append) == ((), True)
    assert list(tmp_path.iterdir()) == []


def test_a_new_run_pins_all_that_counts(tmp_path: pathlib.Path):
    for name in ("b", "a", "c"):
        add(tmp_path, name)
    (tmp_path / "run-c" / "manifest.json").unlink()
    (tmp_path / "run-b" / SHARD).unlink()
    found = pinning(tmp_path)
    assert found.facts.pinned == (Pinned("a"), Pinned("b", (0,)))
    assert found.facts.documents == 8
    assert [row["part"] - INDEX_PART for row in found.rows] == [0, 1]
    assert [row["text"] for row in found.rows] == [str(tmp_path / "run-a" / SHARD), None]
    assert found.name == "joba[]b[0]"


def test_a_run_in_the_index_keeps_its_list(tmp_path: pathlib.Path):
    add(tmp_path, "a")
    add(tmp_path, "joba[]", [Pinned("a")])
    add(tmp_path, "later", [Pinned("a"), Pinned("joba[]")])
    found = pinning(tmp_path)
    assert found.name == "joba[]"
    assert found.facts.pinned == (Pinned("a"),)
    assert not found.facts.append


def test_a_run_in_the_output_keeps_its_list(tmp_path: pathlib.Path):
    add(tmp_path, "a")
    add(tmp_path, "joba[]", [Pinned("a")])
    assert pinning(tmp_path, "run-joba[]").name == "joba[]"
    # Even where what it pinned is gone: there is nothing left to do.
    (tmp_path / "run-a" / "manifest.json").unlink()
    assert pinning(tmp_path, "run-joba[]").name == "joba[]"
    with pytest.raises(UsageError, match="does not count any more"):
        pinning(tmp_path, "elsewhere")


def test_a_run_that_another_index_has_is_refused(tmp_path: pathlib.Path):
    add(tmp_path, "job", path="/other/index")
    (tmp_path / "index" / "segments" / "job" / layout.SEGMENT).unlink()
    with pytest.raises(UsageError, match="does not count it"):
        pinning(tmp_path, "run-job")


def test_a_damaged_manifest_is_told(tmp_path: pathlib.Path):
    add(tmp_path, "a")
    (tmp_path / "run-a" / "manifest.json").write_text("{")
    with pytest.raises(InputError, match="run-a"):
        pinning(tmp_path)


def test_shards_that_are_gone(tmp_path: pathlib.Path):
    for name in "ab":
        add(tmp_path, name)
    (tmp_path / "run-b" / SHARD).unlink()
    segments = counted(str(tmp_path / "index"), lambda folder: folder[-1])
    assert shards_gone(segments) == {"a": (), "b": (0,)}
    assert shards_gone([Segment("empty", "/nowhere", (), ())]) == {"empty": ()}


LINE = json.dumps({"text": "The mill by the river stood still.", "id": "1"}) + "\n"


def ready(folder: pathlib.Path, **values: Any) -> Launch:
    (folder / "in.jsonl").write_text(LINE)
    given = {"input": str(folder / "in.jsonl"), "no_floors": True, "index": str(folder / "index")}
    given |= {"output": str(folder / "run")} | values
    given = {name: value for name, value in given.items() if value is not None}
    launch = prepare("curate", make_config(given, "test"), PipelineOptions([]))
    with started(launch):
        return launch


def test_what_is_pinned_is_put_down_for_the_graph(tmp_path: pathlib.Path):
    add(tmp_path, "a")
    job = ready(tmp_path).job
    assert job.index is not None
    assert read_facts(job.staging) == job.index
    assert read_pins(job.staging).column("run").to_pylist() == ["a"]
    assert job.pinned == job.staging
    assert job.recorder is not None
    assert job.recorder.folder.startswith(str(tmp_path / "index" / "segments" / job.name))


def test_the_index_is_part_of_the_name(tmp_path: pathlib.Path):
    without = ready(tmp_path, index=None).job.name
    empty = ready(tmp_path).job.name
    add(tmp_path, "a")
    one = ready(tmp_path).job.name
    add(tmp_path, "b")
    assert len({without, empty, one, ready(tmp_path).job.name}) == 4


def test_a_large_index_takes_more_partitions(tmp_path: pathlib.Path):
    job = ready(tmp_path).job
    assert job.comparing == job.scale
    assert job.index is not None
    large = dataclasses.replace(job, index=dataclasses.replace(job.index, documents=10**6))
    assert large.comparing == dataclasses.replace(job.scale, light=job.scale.light + 40)


def test_places_are_not_part_of_the_name(tmp_path: pathlib.Path):
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        add(tmp_path / folder, "a")
    assert ready(tmp_path / "one").job.name == ready(tmp_path / "other").job.name


def test_an_attempt_that_broke_off_is_no_obstacle_when_the_index_grew(tmp_path: pathlib.Path):
    first = ready(tmp_path).job
    left = tmp_path / "run" / "data"
    left.mkdir(parents=True)
    (left / "shard.parquet").write_bytes(b"half")
    dead = pathlib.Path(layout.segment_place(str(tmp_path / "index"), first.name))
    dead.mkdir(parents=True)
    (dead / "x.parquet").write_bytes(b"half")
    again = ready(tmp_path).job
    assert again.name == first.name
    assert not dead.exists(), "what this run left in the index is removed"
    left.mkdir(parents=True)
    (left / "shard.parquet").write_bytes(b"half")
    add(tmp_path, "a")
    assert ready(tmp_path).job.name != first.name
    left.mkdir(parents=True)
    (left / "shard.parquet").write_bytes(b"half")
    with pytest.raises(UsageError, match="is not empty and holds no published run"):
        ready(tmp_path, rotation=1)


def test_only_runs_that_select_look_at_the_index(tmp_path: pathlib.Path):
    layout.claim_format(str(tmp_path / "index"), DedupConfig(ngram=4))
    (tmp_path / "in.jsonl").write_text(LINE)
    given = {"input": str(tmp_path / "in.jsonl"), "output": str(tmp_path / "run")}
    given |= {"index": str(tmp_path / "index")}
    prepare("annotate", make_config(given, "test"), PipelineOptions([]))
    with pytest.raises(UsageError, match=r"dedup\.ngram=4"):
        ready(tmp_path)


def test_flags_of_compacting_are_for_compacting(tmp_path: pathlib.Path):
    layout.claim_format(str(tmp_path), CONFIG)
    for flags in (["--remove-unfinished"], ["--older-than", "3"]):
        ran = holdfast("index", "show", tmp_path, *flags)
        assert (ran.code, "`holdfast index compact`" in ran.refusal) == (2, True)
    ran = holdfast("index", "compact", tmp_path, "--older-than", "-1")
    assert (ran.code, "no number of hours" in ran.refusal) == (2, True)
    ran = holdfast("index", "mend", tmp_path)
    assert ran.code == 2
