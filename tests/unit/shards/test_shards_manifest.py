"""`manifest.json`: what is written is what is read, and damage is told in one line."""

from __future__ import annotations

from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shards_documents import assess, document, promise, published

from transforms.dedup.rows import UNDECIDED
from transforms.errors import InputError
from transforms.shards import manifest as manifests
from transforms.shards.check import check_shard
from transforms.shards.layout import parquet_bytes

KEYS = ("run", "config", "config_digest", "versions", "models", "size_unit", "floors", "caps")
KEYS += ("plan", "tail")
KEYS += ("decisions", "languages", "undecided", "ledger", "shards", "files")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.fixed_dictionaries(dict.fromkeys(KEYS, JSON)))
def test_what_is_written_is_read(manifest: dict[str, Any]):
    data = manifests.encode(manifest)
    assert manifests.parse(data, "x") == manifest
    assert manifests.encode(dict(reversed(manifest.items()))) == data


def test_a_manifest_is_for_people_too():
    data = manifests.encode({"b": 1, "a": {"ä": [1]}})
    assert data.decode() == '{\n  "a": {\n    "ä": [\n      1\n    ]\n  },\n  "b": 1\n}\n'


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"{'run': 1}"])
def test_no_json(data: bytes):
    with pytest.raises(InputError, match=r"^run/manifest\.json is no JSON .*the run is damaged$"):
        manifests.parse(data, "run/manifest.json")


@pytest.mark.parametrize("missing", KEYS)
def test_a_missing_key_is_named(missing: str):
    data = orjson.dumps({key: {} for key in KEYS if key != missing})
    with pytest.raises(InputError, match=f"lacks {missing}; it is no manifest of holdfast"):
        manifests.parse(data, "x")


@pytest.mark.parametrize("data", [b"null", b"[]", b"5", b'"run"'])
def test_no_mapping(data: bytes):
    with pytest.raises(InputError, match="it is no manifest of holdfast"):
        manifests.parse(data, "x")


GOOD: dict[str, Any] = {
    "floors": {"tail": 0.2},
    "caps": {},
    "size_unit": "chars",
    "tail": {"swh_Latn": "class 2"},
    "decisions": {},
}
GOOD |= {"plan": {"repeat_cap": 4}, "config": {"dedup": {"threshold": 0.8}}}


def test_the_promise_of_a_manifest():
    made = manifests.promise_of(GOOD, "x")
    assert (dict(made.floors), dict(made.caps), made.unit, made.repeat_cap) == (
        {"tail": 0.2},
        {},
        "chars",
        4,
    )
    assert made.is_tail("swh_Latn")
    assert not made.is_tail("eng_Latn")


@pytest.mark.parametrize(
    "change",
    [
        {"floors": None},
        {"floors": {"tail": "much"}},
        {"floors": {"tail": None}},
        {"floors": {"orignal": 0.3}},
        {"caps": []},
        {"tail": 5},
        {"decisions": None},
        {"decisions": {"tail": 5}},
        {"decisions": {"tail": {"lang": [1], "tail": []}}},
        {"plan": {}},
        {"config": {}},
        {"plan": None},
        {"plan": {"repeat_cap": "four"}},
        {"size_unit": "words"},
        {"size_unit": None},
    ],
    ids=str,
)
def test_a_damaged_promise_is_no_promise(change: dict[str, Any]):
    with pytest.raises(InputError, match="damaged"):
        manifests.promise_of(GOOD | change, "x")


def reports(*shards: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for number, documents in enumerate(shards):
        data = parquet_bytes(published(*documents))
        report, _ = check_shard(number, f"data/{number}", data, promise(), assess)
        rows += report.to_pylist()
    return rows


ONE = [document("asili", "anchor", "swh_Latn"), document("asili", "anchor", "swh_Latn", repeat=1)]
TWO = [document("zaidi", "unverified", "swh_Latn"), document("more words", "synthetic")]


def test_languages_count_distinct_documents_over_all_shards():
    assert manifests.languages_of(reports(ONE, TWO)) == {
        "eng_Latn": {"documents": 1, "size": 10, "tail_documents": 0},
        "swh_Latn": {"documents": 2, "size": 10, "tail_documents": 2},
    }
    assert manifests.kept_of(reports(ONE, TWO)) == {
        "by_language": {"eng_Latn": 1, "swh_Latn": 2},
        "by_origin": {"anchor": 1, "synthetic": 1, "unverified": 1},
    }


def test_entries_of_shards():
    first, second = manifests.shard_entries(reports(ONE, TWO), promise())
    assert (first["path"], first["documents"], first["size"]) == ("data/0", 2, 10)
    assert first["shares"] == {
        "original": 1.0,
        "synthetic": 0.0,
        "synthetic_expected": 0.0,
        "tail": 1.0,
    }
    assert second["shares"]["synthetic"] == 10 / 15
    made = {"synthetic": 10, "synthetic_expected": 10}
    assert second["members"] == {"original": 0, "tail": 5} | made
    assert second["largest_document"] == 10


def test_versions_name_what_bytes_depend_on():
    found = manifests.versions()
    assert {"holdfast", "pyarrow", "numpy", "python", "unicode", "signature_scheme"} <= set(found)
    assert all(isinstance(version, str) and version for version in found.values())


def test_the_least_of_the_thresholds_is_what_any_removal_keeps():
    config = {"dedup": {"threshold": 0.8, "tail_threshold": 0.9}}
    assert manifests.promise_of(GOOD | {"config": config}, "x").threshold == 0.8
    config = {"dedup": {"threshold": 0.8, "tail_threshold": 0.7}}
    assert manifests.promise_of(GOOD | {"config": config}, "x").threshold == 0.7


def test_undecided_documents_are_counted_and_named():
    rows = [(b"\x02", "uncompared"), (b"\x01", "residue"), (b"\x03", "uncompared")]
    given = [{"doc_id": doc_id, "why": why} for doc_id, why in rows]
    table = pa.Table.from_pylist(given, schema=UNDECIDED)
    assert manifests.undecided_entry(table) == {
        "documents": 3,
        "reasons": {"residue": 1, "uncompared": 2},
        "doc_ids": ["01", "02", "03"],
    }
