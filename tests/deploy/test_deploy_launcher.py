"""Parameters of the template, flags of the command, and the file that lists the former."""

from __future__ import annotations

import argparse
import json
import re
from typing import Any

import pytest
from running import ROOT

from deploy.dataflow.launcher import arguments, own_flags
from pipelines.options import refuse_unknown
from transforms.errors import UsageError

METADATA: dict[str, Any] = json.loads((ROOT / "deploy/dataflow/metadata.json").read_text())
PARAMETERS = {parameter["name"]: parameter for parameter in METADATA["parameters"]}
DAY = "2026-10-01"
GOOD = {
    "input": ["gs://crawl/2026-10/*.parquet", "gs://a-b/c,gs://d/e.jsonl.gz"],
    "output": ["gs://bucket/out", "gs://bucket"],
    "floor": ["original=0.3,tail=0.1", "tail=1", "original=.25", "lang:swh=0.05,host:a.example=1"],
    "concentration": ["tail/source=0.5,tail/host=0.25"],
    "cap": ["synthetic=0.2"],
    "target": ["2G", "1.5T", "64_000_000", "6e7"],
    "shard_size": ["64M", "20000"],
    "no_floors": ["true", "false"],
    "field": ["text=body,url=meta.url"],
    "rotation": ["0", "12"],
    "config": ["gs://bucket/holdfast.yaml"],
    "trusted_source": ["library.example,archive.example"],
}
BAD = {
    "input": ["crawl/in", "gs://a,", ""],
    "output": ["s3://bucket/out", "out", "gs://A/out"],
    "floor": ["original", "original=2", "original=0.3;tail=0.1", "original=-1"],
    "target": ["2 G", "lots", "-1"],
    "no_floors": ["yes", "1"],
    "rotation": ["-1", "1.5"],
    "config": ["gs://bucket"],
    "unit": ["words"],
}


def test_the_parameters_are_the_flags():
    assert set(PARAMETERS) == set(own_flags())


def test_choices_are_those_of_the_flags():
    for name, action in own_flags().items():
        if action.choices:
            assert PARAMETERS[name]["regexes"] == [f"^({'|'.join(action.choices)})$"], name


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_each_parameter_is_described(name: str):
    parameter = PARAMETERS[name]
    assert parameter["label"]
    assert parameter["helpText"].endswith(".")
    assert parameter["isOptional"] is True, "a configuration file may say it"
    for pattern in parameter["regexes"]:
        assert pattern.startswith("^")
        assert pattern.endswith("$")


@pytest.mark.parametrize("name", sorted(GOOD))
def test_good_texts_match_and_are_flags_that_somebody_knows(name: str):
    for text in GOOD[name]:
        assert all(re.match(pattern, text) for pattern in PARAMETERS[name]["regexes"]), text
        flags = arguments([f"--{name}={text}"], DAY)
        known = {flag for action in own_flags().values() for flag in action.option_strings}
        assert {flag.partition("=")[0] for flag in flags} <= known


@pytest.mark.parametrize("name", sorted(BAD))
def test_bad_texts_are_refused_before_anything_starts(name: str):
    for text in BAD[name]:
        assert not all(re.match(p, text) for p in PARAMETERS[name]["regexes"]), text


def test_underscores_commas_and_switches_become_flags():
    given = ["--shard_size=64M", "--floor=original=0.3,tail=0.1", "--no_floors=true", "--index="]
    assert arguments(given, DAY) == [
        "--shard-size=64M", "--floor=original=0.3", "--floor=tail=0.1", "--no-floors"
    ]  # fmt: skip
    assert arguments(["--no_floors=false"], DAY) == []


def test_what_is_beams_stays_as_it_is():
    given = ["--temp_location=gs://b/t", "--max_num_workers=20", "--labels=job=holdfast"]
    assert arguments(given, DAY) == given


def test_a_switch_is_true_or_false():
    with pytest.raises(SystemExit, match="no_floors='maybe'"):
        arguments(["--no_floors=maybe"], DAY)


def test_nothing_unknown_is_let_through():
    with pytest.raises(UsageError, match="--florr"):
        refuse_unknown(arguments(["--florr=1"], DAY), argparse.ArgumentParser(), beam=True)


def test_the_day_of_the_launch_names_folders():
    given = ["--output=gs://a-bucket/{date}", "--input=gs://crawl/{date}/*", "--job_name={date}"]
    assert arguments(given, DAY) == [
        "--output=gs://a-bucket/2026-10-01", "--input=gs://crawl/2026-10-01/*", "--job_name={date}"
    ]  # fmt: skip
