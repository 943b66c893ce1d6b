"""What is decided before the graph runs: names, places, scale; and what is refused there."""

from __future__ import annotations

import hashlib
import json
import pathlib
from typing import Any

import pytest
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions
from running import EXAMPLE, Run, holdfast
from tokenizing import write_tokenizer

from pipelines.config import make_config
from pipelines.run import Launch, prepare, started
from pipelines.scale import partitions as partitions_of
from transforms.errors import UsageError

LINE = json.dumps({"text": "The mill by the river stood still.", "id": "1"}) + "\n"


@pytest.fixture
def source(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "in.jsonl"
    path.write_text(LINE * 3)
    return path


def ready(folder: pathlib.Path, source: object, *flags: str, **values: Any) -> Launch:
    given = {"input": str(source), "output": str(folder / "run"), "no_floors": True} | values
    config = make_config({k: v for k, v in given.items() if v is not None}, "test")
    chosen = any("direct_num_workers" in flag for flag in flags)
    return prepare("curate", config, PipelineOptions(list(flags)), workers_chosen=chosen)


def filled(folder: pathlib.Path, source: object, **values: Any) -> Launch:
    """A run whose places were held for a moment, and are filled."""
    launch = ready(folder, source, **values)
    with started(launch) as done:
        assert not done
    return launch


def refusal(folder: pathlib.Path, source: object, **values: Any) -> str:
    with pytest.raises(UsageError) as caught:
        ready(folder, source, **values)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"no_floors": None}, "no floors are given: name them (--floor original=0.3"),
        ({"floors": {"tail": 0.1}}, "--no-floors contradicts the floors given"),
        ({"output": None}, "no output is given; name a folder with --output"),
        ({"input": None}, "no input is given"),
        ({"unit": "tokens"}, "unit tokens needs a tokenizer when annotating, and none is conf"),
        ({"unit": "tokens"}, "name a Hugging Face tokenizer.json with --tokenizer FILE, or use ch"),
        ({"input": "nowhere.jsonl"}, "nowhere.jsonl does not exist"),
        ({"input": "nowhere/*.jsonl"}, "matches no file that can be read"),
        ({"input": "README.md"}, "has no ending that tells its format"),
    ],
    ids=str,
)
def test_requests_that_lack_something(
    tmp_path: pathlib.Path, source: pathlib.Path, values: dict[str, Any], words: str
):
    assert words in refusal(tmp_path, source, **values)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl"]


def test_staging_lies_beside_the_output_by_default(tmp_path: pathlib.Path, source: pathlib.Path):
    launch = filled(tmp_path, source, output=f"{tmp_path}/run/")
    assert launch.job.staging == str(tmp_path / "run.staging")
    assert (tmp_path / "run.staging" / "inputs.jsonl").exists()


def test_a_foreign_output_is_left_alone(tmp_path: pathlib.Path, source: pathlib.Path):
    (tmp_path / "run" / "data").mkdir(parents=True)
    (tmp_path / "run" / "data" / "mine.parquet").write_text("mine")
    assert "is not empty and holds no published run" in refusal(tmp_path, source)
    assert (tmp_path / "run" / "data" / "mine.parquet").read_text() == "mine"


def test_a_foreign_staging_folder_is_left_alone(tmp_path: pathlib.Path, source: pathlib.Path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "parts").write_text("mine")
    assert "holds files that are not holdfast's" in refusal(
        tmp_path, source, staging=str(tmp_path / "mine")
    )
    assert (tmp_path / "mine" / "parts").read_text() == "mine"
    assert not (tmp_path / "run").exists()


def test_an_output_that_is_a_file_is_refused(tmp_path: pathlib.Path, source: pathlib.Path):
    assert str(source) in refusal(tmp_path, source, output=str(source))
    assert source.read_text() == LINE * 3


def test_staging_and_output_must_be_two_folders(tmp_path: pathlib.Path, source: pathlib.Path):
    # Both have a folder `dead_letters`, and a run holds nothing that its manifest does not name.
    refusal(tmp_path, source, staging=str(tmp_path / "run"))
    refusal(tmp_path, source, staging=f"{tmp_path}/run/")


def test_what_a_refused_attempt_left_is_no_obstacle(tmp_path: pathlib.Path, source: pathlib.Path):
    first = filled(tmp_path, source)
    (tmp_path / "run" / "_temporary").mkdir(parents=True)
    (tmp_path / "run" / "_temporary" / "shard.parquet").write_text("half")
    again = filled(tmp_path, source)  # the same run, after a crash
    assert again.job.name == first.job.name
    assert not (tmp_path / "run" / "_temporary").exists()


def test_another_run_is_never_overwritten(published: Run, source: pathlib.Path):
    before = (published.output / "manifest.json").read_bytes()
    places = ("--output", published.output, "--staging", source.parent / "staging")
    ran = holdfast("curate", "--input", source, "--no-floors", *places)
    assert ran.code == 2
    assert f"holds run {published.manifest['run']}" in ran.refusal
    assert "choose another place" in ran.refusal
    assert "floors.original is 0.4 there, None asked" in ran.refusal
    assert (published.output / "manifest.json").read_bytes() == before


def test_the_same_run_again_says_so(published: Run):
    places = ("--output", published.output, "--staging", published.staging)
    ran = holdfast("curate", EXAMPLE, *places)
    assert ran.code == 0
    assert f"run {published.manifest['run']} is published already; nothing to do" in ran.out


def test_a_format_without_its_library_is_refused_at_once(
    source: pathlib.Path, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("transforms.formats.wds.importlib.util.find_spec", lambda _: None)
    assert "pip install 'holdfast[wds]'" in refusal(tmp_path, source, format="wds")


def test_a_run_is_named_by_content_and_policy(tmp_path: pathlib.Path, source: pathlib.Path):
    other = tmp_path / "renamed.jsonl"
    other.write_bytes(source.read_bytes())
    name = ready(tmp_path / "a", source).job.name
    assert ready(tmp_path / "b", other).job.name == name
    assert ready(tmp_path / "c", source, exchange="shuffle").job.name == name
    assert ready(tmp_path / "d", source, rotation=1).job.name != name
    other.write_text(LINE * 4)
    assert ready(tmp_path / "e", other).job.name != name


def test_what_is_excluded_is_part_of_the_name(tmp_path: pathlib.Path, source: pathlib.Path):
    name = ready(tmp_path / "a", source).job.name
    listed = tmp_path / "exclude.txt"
    listed.write_text("id:1\n")
    one = ready(tmp_path / "b", source, exclude=str(listed)).job.name
    listed.write_text("# a comment changes nothing\nid:1\n")
    assert filled(tmp_path / "c", source, exclude=str(listed)).job.name == one != name
    assert (tmp_path / "c" / "run.staging" / "exclude.txt").read_bytes() == listed.read_bytes()


def test_the_content_of_a_tokenizer_is_part_of_the_name(
    tmp_path: pathlib.Path, source: pathlib.Path
):
    name = ready(tmp_path / "a", source).job.name
    one, same, other = (tmp_path / f"{which}.json" for which in ("one", "same", "other"))
    write_tokenizer(one, ["the mill"])
    write_tokenizer(other, ["the river"])
    same.write_bytes(one.read_bytes())
    launch = filled(tmp_path / "b", source, tokenizer=str(one))
    assert launch.job.name != name
    assert launch.job.models["tokenizer"] == hashlib.sha256(one.read_bytes()).hexdigest()
    copy = tmp_path / "b" / "run.staging" / "tokenizer.json"
    assert copy.read_bytes() == one.read_bytes(), "where workers read it"
    assert ready(tmp_path / "c", source, tokenizer=str(same)).job.name == launch.job.name
    again = ready(tmp_path / "d", source, tokenizer=str(other))
    assert again.job.annotation != launch.job.annotation


def test_staging_without_sizes_in_tokens_is_told_so(published: Run, tmp_path: pathlib.Path):
    asked = ("select", published.staging, "--no-floors", "--output", tmp_path / "run")
    ran = holdfast(*asked, "--unit", "tokens")
    assert ran.code == 2
    assert f"{published.staging} was annotated without a tokenizer" in ran.refusal
    assert "annotate again with --tokenizer FILE, or use --unit chars" in ran.refusal


def test_a_small_job_takes_one_worker(tmp_path: pathlib.Path, source: pathlib.Path):
    launch = ready(tmp_path, source)
    assert launch.options.view_as(StandardOptions).runner == "FnApiRunner"
    assert launch.options.view_as(DirectOptions).direct_num_workers == 1
    assert launch.job.carrier == "files"


def test_a_large_job_takes_the_cores_unless_told_otherwise(
    tmp_path: pathlib.Path, source: pathlib.Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("pipelines.scale._PARALLEL_BYTES", 0)
    monkeypatch.setattr("pipelines.scale._cores", lambda: 5)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    for flags, workers in (((), 5), (("--direct_num_workers=1",), 1)):
        options = ready(tmp_path, source, *flags).options
        assert options.view_as(DirectOptions).direct_num_workers == workers


def test_workers_asked_for_are_processes(tmp_path: pathlib.Path, source: pathlib.Path):
    direct = ready(tmp_path, source, "--direct_num_workers=3").options.view_as(DirectOptions)
    assert (direct.direct_num_workers, direct.direct_running_mode) == (3, "multi_processing")


def test_a_service_shuffles(tmp_path: pathlib.Path, source: pathlib.Path):
    assert ready(tmp_path, source, "--runner=DataflowRunner").job.carrier == "shuffle"


@pytest.mark.parametrize(("runner", "stays"), [("DataflowRunner", True), ("FnApiRunner", False)])
def test_who_stops_waiting_for_a_service_leaves_its_claims(
    tmp_path: pathlib.Path, source: pathlib.Path, runner: str, stays: bool
):
    launch = ready(tmp_path, source, f"--runner={runner}")
    with pytest.raises(KeyboardInterrupt), started(launch):  # noqa: PT012
        (tmp_path / "run" / "_temporary").mkdir(parents=True)
        raise KeyboardInterrupt
    places = [tmp_path / "run", tmp_path / "run.staging"]
    assert [(place / "_claim.json").exists() for place in places] == [stays] * 2
    assert (tmp_path / "run" / "_temporary").exists() == stays


@pytest.mark.parametrize(
    ("text_bytes", "partitions"),
    [
        (1, 1),
        (64 << 20, 1),
        ((64 << 20) + 1, 2),
        (1_000 * (64 << 20), 1_000),
        (4_000 * (64 << 20), 2_000),  # four times the text: twice as many, twice as large
        (100_000 * (64 << 20), 10_000),
    ],
)
def test_very_much_text_has_larger_partitions_too(text_bytes: int, partitions: int):
    assert partitions_of(text_bytes, 64 << 20) == partitions
