import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.ingest.mapping import (
    MISSING,
    canonical_origin,
    find,
    hosts,
    metadata_json,
    scalar_text,
    without,
)
from transforms.ingest.validate import excerpt

HOSTS = [
    ("https://example.org/a?b#c", "example.org", "plain"),
    ("HTTP://WWW.Example.ORG", "www.example.org", "lower case; www stays"),
    ("https://user:p@ss@example.org:8443/", "example.org", "user, password with @, port"),
    ("https://example.org?q=http://other.org/", "example.org", "a URL in the query"),
    ("https://example.org#@other.org", "example.org", "an @ in the fragment"),
    ("https://example.org./x", "example.org", "the root's dot names the same host"),
    ("https://example.org:/x", "example.org", "an empty port"),
    ("http://[2001:DB8::1]:80/x", "[2001:db8::1]", "IPv6"),
    ("http://192.0.2.7/x", "192.0.2.7", "IPv4"),
    ("https://Bücher.example/ä", "bücher.example", "beyond ASCII"),
    ("  https://example.org/ ", "example.org", "space around it"),
    ("gemini://x.y", "x.y", "another scheme"),
    ("https:\\\\example.org\\x", None, "backslashes are no slashes"),
    ("example.org/path", None, "no scheme"),
    ("mailto:a@example.org", None, "a scheme without a host"),
    ("file:///etc/x", None, "an empty host"),
    ("https://exa mple.org/", None, "a space in the name"),
    ("", None, "empty"),
    (None, None, "null"),
]


@pytest.mark.parametrize(("url", "host", "why"), HOSTS, ids=[case[2] for case in HOSTS])
def test_hosts(url: str | None, host: str | None, why: str) -> None:
    assert hosts(pa.array([url], pa.string())).to_pylist() == [host]


def test_origins() -> None:
    human = ["human", "Original", " ORGANIC "]
    machine = ["synthetic", "machine", "AI", "llm", "Generated", "machine-generated"]
    unknown = ["", "unsure", "humane", None]
    found = canonical_origin(pa.array([*human, *machine, *unknown])).to_pylist()
    assert found == ["human"] * 3 + ["synthetic"] * 6 + [None] * 4


def test_paths() -> None:
    record = {"a": {"b": {"c": 1}, "n": None}, "a.b": 2}
    assert find(record, "a.b") == 2, "the field's own name comes first"
    assert find(record, "a.b.c") == 1
    assert find(record, "a.n") is None
    assert find(record, "a.x") is MISSING
    assert find(record, "a.n.x") is MISSING
    assert without(record, frozenset({"a.b.c"})) == {"a": {"b": {}, "n": None}, "a.b": 2}
    assert without(record, frozenset({"a.b"})) == {"a": {"b": {"c": 1}, "n": None}}
    assert without(record, frozenset({"a.n.x", "q"})) == record
    assert record == {"a": {"b": {"c": 1}, "n": None}, "a.b": 2}, "what is given stays as it is"


VALUES = [
    ("x", "x"),
    (7, "7"),
    (1.0, "1.0"),
    (True, "true"),
    ([1, None], "[1,null]"),
    ({"b": 1, "a": "é"}, '{"a":"é","b":1}'),
    (b"\xff", '"/w=="'),
    (None, None),
    (MISSING, None),
    (float("nan"), None),
]


@pytest.mark.parametrize(("value", "text"), VALUES)
def test_mapped_values_as_text(value: object, text: str | None) -> None:
    assert scalar_text(value) == text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), json_values))
def test_metadata_is_canonical(record: dict[str, object]) -> None:
    """The order of keys and absent fields leave no trace; what is written reads as itself."""
    turned = dict(reversed(list(record.items())))
    text = metadata_json(record)
    assert metadata_json({**turned, "\0none": None, "\0empty": {"x": None}}) == text
    if text is not None:
        assert metadata_json(orjson.loads(text)) == text


EXCERPTS = [
    (b"plain", "plain", "as it is"),
    (b"\xffx", "\ufffdx", "invalid bytes"),
    ("a\tb\nc\x00\x1b[31m\x7f", r"a\tb\nc\x00\x1b[31m\x7f", "control characters"),
    ("\u202egnp", r"\u202egnp", "a character that turns the direction"),
    ("é" * 300, "é" * 200, "at most 200 characters"),
    ("\x00" * 300, r"\x00" * 50, "also when they are escaped"),
    ("é".encode() * 399 + b"\xc3", "é" * 200, "cut within a character"),
]


@pytest.mark.parametrize(("value", "shown", "why"), EXCERPTS, ids=[case[2] for case in EXCERPTS])
def test_excerpts(value: bytes | str, shown: str, why: str) -> None:
    assert excerpt(value) == shown
