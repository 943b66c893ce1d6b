"""Configuration: sizes, files with flags over them, messages in one line, digests."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.config import Config, load_config, make_config, parse_size
from transforms.errors import UsageError

SIZES = {
    "64000000": 64_000_000,
    "64_000_000": 64_000_000,
    "64M": 64_000_000,
    "64m": 64_000_000,
    " 64 M ": 64_000_000,
    "1.5G": 1_500_000_000,
    "6e7": 60_000_000,
    "2k": 2_000,
    "1T": 10**12,
    6e7: 60_000_000,
    7: 7,
    None: None,
    1.5: 1.5,  # left alone: pydantic tells what is wrong with it
}


@pytest.mark.parametrize(("given_", "size"), SIZES.items())
def test_sizes(given_: object, size: object):
    assert parse_size(given_) == size


@pytest.mark.parametrize(
    "text", ["", "M", "many", "64X", "-5", "1..5M", "0x10", "6 4", "inf", "nan"]
)
def test_what_is_no_size(text: str):
    with pytest.raises(ValueError, match="is no size; write a number such as 64000000 or 64M"):
        parse_size(text)


@given(st.integers(0, 10**15), st.sampled_from([("", 1), ("k", 10**3), ("M", 10**6), ("G", 10**9)]))
def test_whole_sizes_are_exact(number: int, unit: tuple[str, int]):
    name, multiple = unit
    assert parse_size(f"{number // multiple}{name}") == number // multiple * multiple


@pytest.mark.parametrize("text", ["1e999", "9e400T"])
def test_a_size_beyond_all_numbers_is_refused(text: str):
    with pytest.raises(UsageError, match="target"):
        make_config({"target": text}, "job.yaml")


REFUSED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a floor above 1": ({"floors": {"original": 1.3}}, ["floor original=1.3", "between 0 and 1"]),
    "a floor in per cent": ({"floors": {"original": 30}}, ["did you mean 0.3?"]),
    "a negative cap": ({"caps": {"synthetic": -0.1}}, ["cap synthetic=-0.1", "between 0 and 1"]),
    "a floor that is no number": ({"floors": {"tail": "40%"}}, ["floors.tail", "'40%'"]),
    "a floor that is nan": ({"floors": {"tail": float("nan")}}, ["floor tail=nan"]),
    "an attribute": ({"floors": {"orignal": 0.3}}, ["'orignal'", "did you mean 'original'?"]),
    "a floor above its cap": (
        {"floors": {"tail": 0.5}, "caps": {"tail": 0.4}},
        ["floor tail=0.5 is above cap tail=0.4"],
    ),
    "too many decimals": ({"floors": {"tail": 0.12345678}}, ["more than six decimals"]),
    "an unknown key": ({"florrs": {}}, ["unknown key 'florrs'", "did you mean 'floors'?"]),
    "an unknown key within": (
        {"ingest": {"fields": {"txt": "body"}}},
        ["unknown key 'ingest.fields.txt'", "did you mean 'text'?"],
    ),
    "a key like no other": ({"zzzzzz": 1}, ["unknown key 'zzzzzz'", "known: ", "shard_size"]),
    "a size": ({"target": "lots"}, ["target", "'lots' is no size"]),
    "half a unit": ({"target": 1.5}, ["target", "1.5"]),
    "no repeats at all": ({"repeat_cap": 0}, ["repeat_cap", "greater than or equal to 1"]),
    "a shard smaller than a document": ({"shard_size": 1}, ["shard_size"]),
    "a unit": ({"unit": "words"}, ["unit", "'words'"]),
    "a date": ({"provenance": {"tier_a_before": "soon"}}, ["provenance.tier_a_before"]),
    "a section without content": ({"ingest": None}, ["ingest"]),
    "an empty column name": ({"ingest": {"fields": {"text": ""}}}, ["ingest.fields.text"]),
    "dead letters beyond all": ({"ingest": {"max_dead_fraction": 2}}, ["max_dead_fraction is 2"]),
}


@pytest.mark.parametrize(("values", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_wrong_is_told_in_one_line(values: dict[str, Any], words: list[str]):
    with pytest.raises(UsageError) as caught:
        make_config(values, "job.yaml")
    message = str(caught.value)
    assert message.startswith("job.yaml: ")
    assert "\n" not in message
    assert "pydantic" not in message
    for word in words:
        assert word in message


def test_more_problems_are_counted():
    with pytest.raises(UsageError, match=r"\(and 2 more\)$"):
        make_config({"a": 1, "b": 2, "c": 3}, "job.yaml")


def write(folder: pathlib.Path, text: str | bytes) -> str:
    path = folder / "job.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- a\n- b\n", "holds no mapping"),
        ("", "holds no mapping"),
        ("just text", "holds no mapping"),
        ("floors: {original: [\n", "is no YAML"),
        ("\tfloors: 1\n", "is no YAML"),
        (b"input: \xff\xfe\n", "is no YAML"),
        ("1: 2\n", "1"),
        ("null: 2\nfloors: {original: 0.3}\n", "None"),
    ],
)
def test_files_that_are_no_configuration(tmp_path: pathlib.Path, text: str | bytes, words: str):
    path = write(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        load_config(path, {})
    assert path in str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: pathlib.Path):
    with pytest.raises(UsageError, match=r"none\.yaml does not exist"):
        load_config(str(tmp_path / "none.yaml"), {})


def test_flags_lie_over_the_file_and_add_to_its_shares(tmp_path: pathlib.Path):
    path = write(tmp_path, "floors: {original: 0.4, tail: 0.2}\nshard_size: 20k\ninput: a.jsonl\n")
    flags = {"floors": {"tail": 0.1}, "input": ["b.jsonl", "c.jsonl"], "target": "1M"}
    config = load_config(path, flags)
    assert config.floors == {"original": 0.4, "tail": 0.1}
    assert (config.input, config.shard_size) == (("b.jsonl", "c.jsonl"), 20_000)
    assert config.target == config.rebalance.target == 1_000_000


def test_one_input_may_be_a_word():
    assert make_config({"input": "a.jsonl"}, "x").input == ("a.jsonl",)


def test_a_configuration_is_frozen():
    with pytest.raises(ValueError, match="frozen"):
        Config().target = 3  # type: ignore[misc]


PLACES = [
    {"input": ("a.jsonl", "b.jsonl")},
    {"output": "somewhere"},
    {"staging": "elsewhere"},
    {"index": "an/index"},  # what is pinned of it counts, in the name of the run
    {"exchange": "shuffle"},
    {"exclude": "list.txt"},  # its content counts, as an extra digest
    {"langid": {"model": "model.ftz"}},  # so does the model's
]
POLICIES = [
    {"floors": {"original": 0.3}},
    {"caps": {"synthetic": 0.3}},
    {"target": 10**6},
    {"repeat_cap": 5},
    {"shard_size": 10**6},
    {"unit": "bytes"},
    {"rotation": 1},
    {"rare_types": False},
    {"langid": {"min_score": 0.4}},
    {"langid": {"tail": {"swh": False}}},
    {"langid": {"thresholds": {"swh_Latn": 0.5}}},
    {"langid": {"tail_by": "share"}},
]
SCORES = [
    {"ingest": {"fields": {"text": "body"}}},
    {"langid": {"max_chars": 900}},
    {"provenance": {"trusted_sources": ["library.example"]}},
    {"provenance": {"date_kind": "page"}},
]
BOTH = [{"dedup": {"threshold": 0.9}}, {"dedup": {"ngram": 6}}]


def digests(values: dict[str, Any]) -> tuple[str, str]:
    config = make_config(values, "x")
    return config.digest_of("annotation", {}), config.digest_of("selection", {})


@pytest.mark.parametrize("values", PLACES, ids=str)
def test_places_do_not_matter(values: dict[str, Any]):
    assert digests(values) == digests({})


@pytest.mark.parametrize(
    ("values", "matters"),
    [
        *((v, (False, True)) for v in POLICIES),
        *((v, (True, False)) for v in SCORES),
        *((v, (True, True)) for v in BOTH),
    ],
    ids=str,
)
def test_policies_and_scores_matter_where_they_count(
    values: dict[str, Any], matters: tuple[bool, bool]
):
    pairs = zip(digests(values), digests({}), strict=True)
    assert tuple(ours != default for ours, default in pairs) == matters


def test_files_that_the_configuration_names_matter():
    config = Config()
    one, other = ({"exclude": digest} for digest in "ab")
    assert config.digest_of("selection", one) != config.digest_of("selection", other)


def test_the_format_matters_and_that_of_earlier_versions_is_not_named():
    assert digests({"format": "parquet"}) == digests({})
    found = [digests({"format": name}) for name in ("parquet", "jsonl", "mds", "wds")]
    assert len({annotation for annotation, _ in found}) == 1
    assert len({selection for _, selection in found}) == 4


def test_the_order_of_keys_does_not_matter():
    one, other = {"original": 0.3, "tail": 0.1}, {"tail": 0.1, "original": 0.3}
    assert digests({"floors": one}) == digests({"floors": other})


def test_staging_keeps_its_settings_under_another_configuration():
    made = make_config({"provenance": {"trusted_sources": ["a"]}, "dedup": {"ngram": 4}}, "x")
    asked = make_config({"floors": {"original": 0.3}}, "y").annotated_as(made.annotation, "st")
    assert asked.annotation == made.annotation
    assert asked.floors == {"original": 0.3}


def test_language_policy_may_differ_from_staging_and_scores_do_not():
    made = make_config({"langid": {"max_chars": 900, "min_score": 0.4}}, "x").annotation
    silent = make_config({}, "y").annotated_as(made, "st")
    assert (silent.langid.max_chars, silent.langid.min_score) == (900, 0.4)
    asked = make_config({"langid": {"tail": {"swh": False}}}, "y").annotated_as(made, "st")
    assert (asked.langid.max_chars, asked.langid.min_score) == (900, 0.5)
    assert asked.langid.tail == {"swh": False}


def test_thresholds_may_differ_from_staging_and_signatures_may_not():
    made = Config().annotation
    threshold = make_config({"dedup": {"threshold": 0.9}}, "y").annotated_as(made, "st")
    assert threshold.dedup.threshold == 0.9
    with pytest.raises(
        UsageError, match=r"st holds signatures with dedup\.ngram=5, asked for is 6"
    ):
        make_config({"dedup": {"ngram": 6}}, "y").annotated_as(made, "st")
