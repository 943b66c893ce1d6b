"""`holdfast train synthetic` and `holdfast evaluate synthetic` on invented texts."""

from __future__ import annotations

import gzip
import json
import pathlib
import random

import pytest
from running import holdfast, succeed

WORDS = ["mill", "river", "bridge", "kettle", "ferry", "orchard", "lantern", "stove"]
FRAMES = {
    "human": ["I never liked the {} , nor the {} !", "so the {} broke . We sold the {} ."],
    "machine": [
        "Moreover , the {} is a testament to the {} .",
        "It is crucial to note the {} of every {} .",
    ],
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> list[pathlib.Path]:
    folder = tmp_path_factory.mktemp("texts")
    rng = random.Random(4)
    paths = [folder / "one.jsonl", folder / "two.jsonl.gz"]
    for path in paths:
        lines = []
        for number in range(700):
            label = "machine" if number % 2 else "human"
            frames = rng.choices(FRAMES[label], k=9) + rng.choices(FRAMES["human"], k=3)
            text = " ".join(frame.format(*rng.sample(WORDS, 2)) for frame in frames)
            row = {"text": text, "label": label, "generator": label, "domain": path.name}
            lines.append(json.dumps(row | {"lang": "eng_Latn"}).encode() + b"\n")
        blob = b"".join(lines)
        path.write_bytes(gzip.compress(blob) if path.suffix == ".gz" else blob)
    return paths


@pytest.fixture(scope="module")
def model(data: list[pathlib.Path], tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    out = tmp_path_factory.mktemp("model") / "model.bin"
    succeed("train", "synthetic", "--data", *data, "--out", out)
    return out


def test_a_trained_model_finds_what_it_was_shown(
    data: list[pathlib.Path], model: pathlib.Path
) -> None:
    ran = succeed("evaluate", "synthetic", "--data", *data, "--model", model, "--json")
    slices = [json.loads(line) for line in ran.out.splitlines()]
    whole = slices[0]
    assert (whole["kind"], whole["human"], whole["machine"]) == ("all", 700, 700)
    assert whole["auroc"] > 0.99
    assert whole["abstains"] == 1, "the table that ships is of another classifier"
    assert {one["name"] for one in slices if one["kind"] == "data set"} == {"one", "two"}


def test_figures_are_printed_with_attacks(data: list[pathlib.Path], model: pathlib.Path) -> None:
    ran = succeed("evaluate", "synthetic", "--data", *data, "--model", model, "--attacks")
    lines = ran.out.splitlines()
    assert lines[0].split()[:3] == ["human", "machine", "auroc"]
    kinds = {line[:17].strip() for line in lines[1:]}
    assert {"all", "data set", "generator", "domain", "language", "characters", "attack"} <= kinds
    assert any("homoglyphs" in line for line in lines)


def test_a_reference_of_the_model_gives_an_operating_point(
    data: list[pathlib.Path], model: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    # Each copy of a file stands for a family of its own.
    files = [tmp_path / f"family{number}.jsonl" for number in range(4)]
    for path in files:
        path.write_bytes(data[0].read_bytes())
    table = tmp_path / "table.parquet"
    given = ["--controls", *files, "--machine", *files, "--synthetic-model", model]
    succeed("calibrate", "synthetic", *given, "--out", table)
    asked = ["evaluate", "synthetic", "--data", data[1], "--synthetic-reference", table]
    whole = json.loads(succeed(*asked, "--model", model, "--json").out.splitlines()[0])
    assert whole["abstains"] == 0
    assert whole["fpr"] <= 0.05
    assert whole["found"] > 0.9
    ran = holdfast(*asked)
    assert ran.code == 2
    assert "make a table with `holdfast calibrate synthetic`" in ran.refusal


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["train", "synthetic", "--data", "nowhere.jsonl", "--out", "m"], "nowhere.jsonl"),
        (["evaluate", "synthetic", "--data", "nowhere.jsonl"], "nowhere.jsonl"),
        (["calibrate", "synthetic", "--controls", "no.jsonl", "--out", "m"], "--controls no.jsonl"),
    ],
)
def test_a_missing_file_is_told(arguments: list[str], told: str) -> None:
    ran = holdfast(*arguments)
    assert ran.code == 2
    assert told in ran.refusal


def test_what_is_no_model_is_refused(data: list[pathlib.Path]) -> None:
    ran = holdfast("evaluate", "synthetic", "--data", *data, "--model", data[0])
    assert ran.code == 2
    assert "is no classifier of machine-made text" in ran.refusal


def test_examples_without_a_label_are_refused(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text('{"text": "one", "lang": "eng_Latn"}\n')
    ran = holdfast("train", "synthetic", "--data", path, "--out", tmp_path / "model.bin")
    assert ran.code == 2
    assert "line 1" in ran.refusal
    assert not (tmp_path / "model.bin").exists()
