"""What YAML can do to a program, and a configuration file cannot."""

from __future__ import annotations

import pathlib

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.config import load_config
from pipelines.yaml_file import parse_yaml
from transforms.errors import UsageError

LAUGHS = b"a0: &a0 [lol]\n" + b"".join(
    b"a%d: &a%d [%b]\n" % (i, i, b",".join([b"*a%d" % (i - 1)] * 10)) for i in range(1, 12)
)
REFUSED = [
    (LAUGHS, "alias"),
    (b"a: &a {b: *a}\n", "alias"),
    (b"input: !!python/object/apply:os.system ['touch owned']\n", "write plain values"),
    (b"input: !!python/name:os.system\n", "write plain values"),
    (b"!!python/object:transforms.errors.UsageError {}\n", "write plain values"),
    (b"input: !include /etc/passwd\n", "write plain values"),
    (b"floors: {original: 0.3, original: 0.1}\n", "'original' is given twice"),
    (b"a: " + b"[" * 200 + b"]" * 200, "more than 32 deep"),
    (b"a: " + b"{b: " * 200 + b"}" * 200, "more than 32 deep"),
    (b"- " * 5000, "more than 32 deep"),
    (b"x" * (1 << 19), "bytes, at most"),
    (b"target: " + b"9" * 5000, "no YAML"),
    (b"date: 2001-99-99\n", "no YAML"),
    (b"input: \x00\n", "no YAML"),
    (b"? [a]\n: b\n", "no YAML"),
]


@pytest.mark.parametrize(("data", "words"), REFUSED, ids=[words for _, words in REFUSED])
def test_what_is_refused(data: bytes, words: str, tmp_path: pathlib.Path):
    path = tmp_path / "job.yaml"
    path.write_bytes(data)
    with pytest.raises(UsageError) as caught:
        load_config(str(path), {})
    told = str(caught.value)
    assert words in told
    assert "\n" not in told
    assert len(told) < 1000 + len(str(path))
    assert not pathlib.Path("owned").exists()


def test_a_large_wrong_value_is_told_in_short(tmp_path: pathlib.Path):
    path = tmp_path / "job.yaml"
    path.write_text("target: " + "x" * 100_000)
    with pytest.raises(UsageError) as caught:
        load_config(str(path), {})
    assert len(str(caught.value)) < 2000


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=80), st.text("{}[]:,&*!-? \n'\"ab1.", max_size=60)))
def test_any_bytes_are_a_mapping_or_an_error_of_ours(data: bytes | str):
    try:
        made = parse_yaml(data if isinstance(data, bytes) else data.encode(), "job.yaml")
    except UsageError:
        return
    assert made == yaml.safe_load(data)
