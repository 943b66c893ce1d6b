"""In what a run differs from the one that is published."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.difference import difference

INPUT = {"files": 2, "bytes": 30, "digest": "abcdefabcdef"}
CONFIG = {"floors": {"tail": 0.2}, "rotation": 0, "langid": {"labels": ["a"]}}
ASKED: dict[str, Any] = {"config": CONFIG, "input": INPUT, "config_digest": "d"}


@pytest.mark.parametrize(
    ("there", "words"),
    [
        ({"config": CONFIG | {"rotation": 3}}, "rotation is 3 there, 0 asked"),
        ({"config": CONFIG | {"floors": {}}}, "floors.tail is None there, 0.2 asked"),
        ({"input": INPUT | {"files": 3}}, "input is 3 files, 30 bytes, digest abcdefab there, 2"),
        ({"input": {}}, "input is not recorded there"),
        ({"config_digest": "e"}, "a file that the configuration names, has other content"),
        ({}, "the index holds other runs"),
        (
            {"config": {"a": 1, "b": 1, "c": 1, "d": 1} | CONFIG},
            "b is 1 there, None asked; c is 1 there, None asked and 1 more",
        ),
    ],
    ids=str,
)
def test_what_differs_is_named(there: dict[str, Any], words: str):
    assert words in difference(ASKED | there, ASKED)


def test_tuples_are_lists():
    asked = ASKED | {"config": CONFIG | {"langid": {"labels": ("a",)}}}
    assert difference(ASKED, asked) == "the index holds other runs"
