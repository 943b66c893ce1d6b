"""One shard recomputed from its rows: facts against plain Python, and every kind of finding."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shards_documents import assess, document, promise, published

from transforms.records import PUBLISHED
from transforms.shards.check import REPORT, check_shard
from transforms.shards.identities import CLAIM
from transforms.shards.layout import digest, parquet_bytes
from transforms.shards.promise import Promise

ROWS = [
    document("an original text", "anchor"),
    document("maandishi ya asili", "anchor", "swh_Latn"),
    document("made by a machine", "synthetic"),
    document("who knows", "unverified", "isl_Latn"),
]


def checked(table: pa.Table, kept: Promise | None = None) -> tuple[dict[str, Any], pa.Table]:
    data = parquet_bytes(table)
    report, claims = check_shard(5, "data/x.parquet", data, kept or promise(), assess)
    assert report.schema == REPORT
    assert claims.schema == CLAIM
    row = report.to_pylist()[0]
    assert row["sha256"] == digest(data)
    return row | {"facts": orjson.loads(row["facts"])}, claims


def findings(table: pa.Table, **kept: Any) -> list[str]:
    found: list[str] = checked(table, promise(**kept))[0]["findings"]
    return found


def with_value(name: str, row: int, value: Any) -> pa.Table:
    table = published(*ROWS)
    place = table.schema.get_field_index(name)
    values = table.column(name).to_pylist()
    values[row] = value
    return table.set_column(
        place, table.schema.field(name), pa.array(values, table.schema.field(name).type)
    )


def test_a_good_shard_has_no_findings_and_all_facts():
    repeated = ROWS[0] | {"repeat": 1}
    row, claims = checked(published(*ROWS, repeated), promise(floors={"original": 0.5}))
    assert row["findings"] == []
    assert (row["shard"], row["documents"], row["distinct"]) == (5, 5, 4)
    assert row["size"] == sum(len(given["text"]) for given in [*ROWS, repeated])
    facts = row["facts"]
    made = {"synthetic": 17, "synthetic_expected": 17}
    assert facts["members"] == {"original": 16 + 18 + 16, "tail": 18 + 9} | made
    assert facts["largest"] == 18
    assert facts["languages"] == {
        "eng_Latn": [2, 33, 0],
        "isl_Latn": [1, 9, 1],
        "swh_Latn": [1, 18, 1],
    }
    assert facts["origins"] == {
        "anchor": [2, 34, 1],
        "synthetic": [1, 17, 0],
        "unverified": [1, 9, 1],
    }
    assert len(claims) == 2 * 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("doc_id", bytes(16)),
        ("text_hash", bytes(16)),
        ("n_chars", 1),
        ("n_bytes", 1),
        ("n_tokens", -1),
        ("tail", True),
        ("origin", "anchor"),
        ("origin_tier", "B"),
    ],
)
def test_a_wrong_column_is_found_with_its_first_row(name: str, value: Any):
    assert findings(with_value(name, 2, value)) == [
        f"1 rows have a wrong {name}, the first is row 2"
    ]


SPAN = ("2021-03-04", "2021-05-06")


@pytest.mark.parametrize(
    ("date", "copies", "span", "wrong"),
    [
        ("2021-03-04", 1, ("2021-03-04", "2021-03-04"), []),
        ("2021-04", 3, ("2021-03-04", "2021-05-06"), []),  # counts as 2021-04-30
        (None, 3, SPAN, []),  # only others are dated
        (None, 3, (None, None), []),
        (None, 1, (None, None), []),
        ("2021-03-04", 2, SPAN, []),
        ("2021-03-04", 1, SPAN, ["last_date"]),  # alone, it has no other days
        (None, 1, SPAN, ["first_date", "last_date"]),
        ("2021-03-03", 2, SPAN, ["first_date"]),
        ("2021-05", 2, SPAN, ["last_date"]),
        ("2021-04-01", 2, (None, None), ["first_date", "last_date"]),
        (None, 2, (None, "2021-05-06"), ["first_date", "last_date"]),
        (None, 2, ("2021-05-06", None), ["first_date", "last_date"]),
        (None, 2, SPAN[::-1], ["first_date", "last_date"]),
        (None, 2, ("2021", "2021-05-06"), ["first_date"]),  # no day
    ],
)
def test_days_of_copies_enclose_the_own_one(date, copies, span, wrong):
    dated = {"date": date, "copies": copies, "first_date": span[0], "last_date": span[1]}
    assert findings(published(*ROWS, document("dated", **dated))) == [
        f"1 rows have a wrong {name}, the first is row 4" for name in wrong
    ]


def test_a_mixed_document_is_no_tail():
    assert findings(published(*ROWS, document("half and half", lang="swh_Latn", mixed=True))) == []
    assert findings(with_value("mixed", 1, True)) == [
        "1 rows have a wrong tail, the first is row 1"
    ]


def test_a_language_that_is_not_frozen_as_tail_is_none():
    assert findings(published(*ROWS), is_tail=frozenset(["swh_Latn"]).__contains__) == [
        "1 rows have a wrong tail, the first is row 3"
    ]


def test_a_copy_that_was_declared_machine_made_speaks_for_the_row():
    declared = {"origin_evidence": ["declared_copy"], "source": "anchor", "origin_tier": None}
    assert findings(published(document("said so", "synthetic") | declared)) == []
    assert findings(published(document("said so", "anchor") | declared | {"origin_tier": "A"}))


def test_only_protected_text_repeats():
    repeat = [document("who knows", "unverified"), document("who knows", "unverified", repeat=1)]
    assert findings(published(*repeat)) == ["row 1 repeats unprotected text"]
    anchors = [row | {"source": "anchor", "origin": "anchor", "origin_tier": "A"} for row in repeat]
    assert findings(published(*anchors), floors={"original": 0.1}) == []
    assert findings(published(*anchors), floors={"tail": 0.0}) == ["row 1 repeats unprotected text"]


def test_an_empty_shard_is_found():
    assert findings(published(*ROWS).slice(0, 0)) == ["the shard is empty"]


def test_another_schema_is_found_and_nothing_is_believed():
    table = published(*ROWS)
    for other in (
        table.drop_columns(["url"]),
        table.rename_columns(["x", *table.column_names[1:]]),
    ):
        row, claims = checked(other)
        assert row["findings"][0].startswith("the schema differs")
        assert (row["documents"], len(claims)) == (0, 0)


def test_a_floor_is_met_exactly_or_broken():
    table = published(document("a" * 3, "anchor"), document("b" * 7))
    assert findings(table, floors={"original": 0.3}) == []
    assert findings(table, floors={"original": 0.300001}) == [
        "floor original=0.300001 is broken: 3 of 10 chars"
    ]


def test_a_cap_is_met_exactly_or_broken():
    table = published(document("a" * 3, "synthetic"), document("b" * 7))
    assert findings(table, caps={"synthetic": 0.3}) == []
    assert findings(table, caps={"synthetic": 0.299999}) == [
        "cap synthetic=0.299999 is broken: 3 of 10 chars"
    ]


def test_shares_are_of_the_unit():
    table = published(document("ä" * 3, "anchor"), document("b" * 6))
    assert findings(table, floors={"original": 0.5}, unit="bytes") == []
    assert findings(table, floors={"original": 0.5}, unit="docs") == []
    assert findings(table, floors={"original": 0.5}) == [
        "floor original=0.5 is broken: 3 of 9 chars"
    ]


def test_originals_all_at_the_end_leave_a_window_short():
    rows = [document(f"{n:010}") for n in range(20)]
    rows += [document(f"{n:010}", "anchor") for n in range(20, 40)]
    assert findings(published(*rows), floors={"original": 0.5}) == [
        "a window is 100 chars short of floor original; at most 20"
    ]
    mixed = [row for pair in zip(rows[:20], rows[20:], strict=True) for row in pair]
    assert findings(published(*mixed), floors={"original": 0.5}) == []


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=12),
    st.integers(0, 1_000_000),
)
def test_shares_and_windows_are_those_of_plain_python(rows: list[tuple[int, bool]], share: int):
    documents = [
        document(f"{n:02}" + "x" * size, "anchor" if original else "unverified")
        for n, (size, original) in enumerate(rows)
    ]
    floor = Fraction(share, 1_000_000)
    row, _ = checked(published(*documents), promise(floors={"original": float(floor)}))
    sizes = [(size + 2, original) for size, original in rows]
    total, have = sum(s for s, _ in sizes), sum(s for s, original in sizes if original)
    assert any("is broken" in finding for finding in row["findings"]) == (have < floor * total)
    windows = (sizes[i:j] for i in range(len(sizes)) for j in range(i + 1, len(sizes) + 1))
    worst = max(floor * sum(s for s, _ in w) - sum(s for s, o in w if o) for w in windows)
    assert row["facts"]["worst_window"]["original"] == max(0, math.ceil(worst))


def test_sizes_in_tokens_are_recounted_where_a_tokenizer_is_at_hand():
    words = [len(row["text"].split()) for row in ROWS]
    place = PUBLISHED.get_field_index("n_tokens")
    field = PUBLISHED.field(place)
    table = published(*ROWS).set_column(place, field, pa.array(words, field.type))

    def count(text: pa.Array) -> pa.Array:
        return pa.array([len(given.split()) for given in text.to_pylist()], pa.int32())

    row, _ = checked(table, promise(unit="tokens", count_tokens=count))
    assert row["findings"] == []
    assert row["size"] == sum(words)
    forged = table.set_column(place, field, pa.array([*words[:3], words[3] + 1], field.type))
    assert findings(forged, unit="tokens", count_tokens=count) == [
        "1 rows have a wrong n_tokens, the first is row 3"
    ]
    assert findings(forged, unit="tokens") == [], "taken as given"


def test_a_row_without_a_size_in_tokens_is_found_where_these_count():
    assert findings(published(*ROWS), unit="tokens") == [
        "4 rows have a wrong n_tokens, the first is row 0"
    ]
