"""Flags: what they become, and that nothing misspelt passes."""

from __future__ import annotations

from typing import Any

import pytest
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions
from running import holdfast

from pipelines.cli import main
from pipelines.flags import add_shared_flags
from pipelines.options import (
    Parser,
    flag_values,
    refuse_unknown,
    split_flags,
)
from transforms.errors import UsageError

COMMANDS = ["curate", "annotate", "select", "plan", "verify", "inspect", "languages", "train"]
COMMANDS += ["calibrate", "evaluate", "index"]
READING = ["--input", "--field", "--max-dead-fraction", "--langid-model", "--trusted-source"]
READING += ["--date-kind"]
SELECTING = ["--floor", "--cap", "--no-floors", "--target", "--shard-size", "--unit"]
SELECTING += ["--repeat-cap", "--rotation", "--no-rare-types", "--exclude", "--index"]
SELECTING += ["--exchange", "--staging"]
FLAGS = {
    "curate": ["--config", "--output", *READING, *SELECTING],
    "annotate": ["--config", "--output", *READING, "--staging", "--exchange"],
    "select": ["STAGING", "--config", "--output", *SELECTING],
    "plan": ["STAGING", "--config", *SELECTING],
    "verify": ["RUN"],
    "inspect": ["RUN"],
    "index": ["show", "verify", "compact", "PATH", "--older-than", "--remove-unfinished"],
    "languages": ["CODE"],
    "calibrate": ["synthetic", "--controls", "--machine", "--synthetic-model", "--out"],
    "train": ["langid", "synthetic", "--data", "--out", "--leave-out"],
    "evaluate": [
        "langid",
        "synthetic",
        "--data",
        "--model",
        "--against",
        "--attacks",
        "--synthetic-reference",
        "--json",
    ],
}


def parser() -> Parser:
    made = Parser()
    add_shared_flags(made, reading=True, selecting=True)
    return made


def values(*arguments: str) -> dict[str, Any]:
    return flag_values(parser().parse_args(arguments))


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_well_and_names_every_flag(command: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert [flag for flag in FLAGS[command] if flag not in told] == []


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert [command for command in COMMANDS if command not in told] == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], {}),
        (
            ["--floor", "original=0.3", "--floor", "tail=.1"],
            {"floors": {"original": 0.3, "tail": 0.1}},
        ),
        (["--cap=synthetic=0.2"], {"caps": {"synthetic": 0.2}}),
        (["--no-floors"], {"no_floors": True}),
        (["--input", "a", "--input", "b"], {"input": ["a", "b"]}),
        (["--field", "text=body"], {"ingest": {"fields": {"text": "body"}}}),
        (["--max-dead-fraction", "0"], {"ingest": {"max_dead_fraction": 0.0}}),
        (["--trusted-source", "x"], {"provenance": {"trusted_sources": ["x"]}}),
        (["--format", "mds"], {"format": "mds"}),
        (["--rotation", "0"], {"rotation": 0}),
        (["--no-rare-types"], {"rare_types": False}),
        (["--target", "2G", "--shard-size", "1M"], {"target": "2G", "shard_size": "1M"}),
    ],
)
def test_flags_have_the_shape_of_a_file(arguments: list[str], expected: dict[str, Any]):
    assert values(*arguments) == expected


@pytest.mark.parametrize("text", ["original", "=0.3", "original=", "original=lots", "original:0.3"])
def test_a_share_that_is_none(text: str):
    with pytest.raises(UsageError, match=r"is not NAME=SHARE, such as original=0\.3"):
        values("--floor", text)


def test_a_field_that_is_none():
    with pytest.raises(UsageError, match="--field 'body' is not NAME=COLUMN"):
        values("--field", "body")


def test_flags_are_not_abbreviated():
    given, rest = parser().parse_known_args(["--no-floor"])
    assert rest == ["--no-floor"]
    assert flag_values(given) == {}


@pytest.mark.parametrize(
    ("flag", "nearest"),
    [
        ("--flor", "--floor"),
        ("--floors=original=0.3", "--floor"),
        ("--shardsize=3", "--shard-size"),
        ("--direct_num_worker=2", "--direct_num_workers"),
        ("--runer=DirectRunner", "--runner"),
    ],
)
def test_what_nobody_knows_names_the_nearest(flag: str, nearest: str):
    with pytest.raises(UsageError) as caught:
        refuse_unknown([flag], parser(), beam=True)
    assert str(caught.value) == f"unknown argument {flag!r}; did you mean {nearest}?"


def test_beam_takes_its_own():
    given = ["c.yaml", "--runner=FnApiRunner", "--cap", "tail=1", "--direct_num_workers", "2"]
    beam, own = split_flags(given)
    assert own == ["c.yaml", "--cap", "tail=1"]
    options = PipelineOptions(beam)
    assert options.view_as(StandardOptions).runner == "FnApiRunner"
    assert options.view_as(DirectOptions).direct_num_workers == 2


def test_a_value_that_beam_cannot_take():
    with pytest.raises(UsageError, match="invalid int value: 'many'"):
        split_flags(["--direct_num_workers=many"])


def refused(*arguments: str) -> str:
    ran = holdfast(*arguments)
    assert ran.code == 2
    return ran.refusal


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "COMMAND"),
        (["frobnicate"], "invalid choice: 'frobnicate'"),
        (["verify"], "RUN"),
        (["curate", "--flor", "original=0.3"], "did you mean --floor?"),
        (["curate", "job.yaml", "--flor", "original=0.3"], "did you mean --floor?"),
        (["plan", "staging", "--flor=tail=0.3"], "did you mean --floor?"),
        (["verify", "run", "--output", "x"], "unknown argument '--output'"),
        (["annotate", "--floor", "tail=0.1", "--output", "x"], "--floor"),
        (["languages", "qqq"], "'qqq'"),
        (["select", "nowhere", "--output", "x", "--no-floors"], "nowhere"),
        (["plan", "nowhere"], "nowhere"),
        (["inspect", "nowhere"], "nowhere is not a published run"),
        (["train", "langid", "--data", "nowhere.jsonl", "--out", "model"], "nowhere.jsonl"),
    ],
    ids=" ".join,
)
def test_a_command_line_that_cannot_be(arguments: list[str], words: str):
    assert words in refused(*arguments)


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_flag_of_beam_may_stand_apart_from_its_value(where: str):
    # `--runner NAME` without a positional CONFIG: NAME is no configuration file.
    own, beam = ["--config", "nowhere.yaml"], ["--runner", "FnApiRunner"]
    arguments = [*beam, *own] if where == "before" else [*own, *beam]
    assert "configuration nowhere.yaml does not exist" in refused("curate", *arguments)


def test_the_parser_raises_instead_of_leaving():
    made = Parser()
    made.add_argument("needed")
    with pytest.raises(UsageError, match="required: needed"):
        made.parse_args([])
