"""The ledger: it sums what it is given, and no change of one number goes unnoticed."""

from __future__ import annotations

import copy
from collections import Counter
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.records import REASONS
from transforms.shards.ledger import build_ledger, check_ledger
from transforms.staging.outcome import LEDGER

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "lang": st.sampled_from(["eng_Latn", "swh_Latn", "und"]),
            "origin": st.sampled_from(["anchor", "synthetic"]),
            "outcome": st.sampled_from(["kept", *REASONS]),
            "documents": st.integers(1, 9),
            "size": st.integers(1, 99),
        }
    ),
    max_size=12,
)
Rows = list[dict[str, Any]]


def table(rows: Rows) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=LEDGER)


def count(rows: Rows, column: str, field: str = "documents") -> dict[str, int]:
    found: Counter[str] = Counter()
    for row in rows:
        found[row[column]] += row[field]
    return dict(found)


def held(rows: Rows, dead: int) -> tuple[dict[str, dict[str, int]], dict[str, int], int]:
    """What the published files hold, when all is well."""
    kept = [row for row in rows if row["outcome"] == "kept"]
    by = {"by_language": count(kept, "lang"), "by_origin": count(kept, "origin")}
    return by, count([row for row in rows if row["outcome"] != "kept"], "outcome"), dead


@given(ROWS, st.integers(0, 5))
def test_a_ledger_of_what_is_there_has_no_contradictions(rows: Rows, dead: int):
    assert list(check_ledger(build_ledger(table(rows), dead), *held(rows, dead))) == []


@given(ROWS, st.integers(0, 5), st.sampled_from(["documents", "size"]))
def test_everything_read_has_one_fate(rows: Rows, dead: int, field: str):
    ledger = build_ledger(table(rows), dead, field)
    outcomes = count(rows, "outcome", field)
    assert ledger["kept"] == outcomes.get("kept", 0)
    assert ledger["dropped"] == {reason: outcomes.get(reason, 0) for reason in REASONS}
    assert ledger["read"] == sum(outcomes.values()) + dead
    for name, column in (("by_language", "lang"), ("by_origin", "origin")):
        assert {key: a["read"] for key, a in ledger[name].items()} == count(rows, column, field)


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_outcomes_does_not_matter(rows: Rows, draw: Any):
    assert build_ledger(table(draw.sample(rows, len(rows))), 1) == build_ledger(table(rows), 1)


GOOD: Rows = [
    {"lang": "eng_Latn", "origin": "anchor", "outcome": "kept", "documents": 5, "size": 50},
    {"lang": "swh_Latn", "origin": "anchor", "outcome": "trimmed", "documents": 2, "size": 9},
    {"lang": "swh_Latn", "origin": "synthetic", "outcome": "kept", "documents": 3, "size": 9},
]
PATHS = [
    ("read",),
    ("kept",),
    ("dead_letters",),
    ("dropped", "trimmed"),
    ("dropped", "excluded"),
    ("by_language", "swh_Latn", "read"),
    ("by_language", "swh_Latn", "kept"),
    ("by_language", "swh_Latn", "dropped", "trimmed"),
    ("by_origin", "anchor", "read"),
    ("by_origin", "anchor", "kept"),
    ("by_origin", "anchor", "dropped", "trimmed"),
]


@pytest.mark.parametrize("change", [-1, 1])
@pytest.mark.parametrize("path", PATHS, ids=".".join)
def test_any_other_number_is_a_contradiction(path: tuple[str, ...], change: int):
    ledger = copy.deepcopy(build_ledger(table(GOOD), 1))
    where = ledger
    for step in path[:-1]:
        where = where[step]
    where[path[-1]] += change
    assert list(check_ledger(ledger, *held(GOOD, 1)))


@pytest.mark.parametrize("name", ["by_language", "by_origin"])
def test_a_key_that_the_ledger_does_not_know_is_a_contradiction(name: str):
    kept, dropped, dead = held(GOOD, 1)
    kept[name]["xyz"] = 4
    found = list(check_ledger(build_ledger(table(GOOD), 1), kept, dropped, dead))
    assert f"{name} xyz: the shards hold 4 documents that the ledger does not know" in found


def test_a_reason_that_only_the_files_know_is_a_contradiction():
    kept, dropped, dead = held(GOOD, 1)
    found = list(check_ledger(build_ledger(table(GOOD), 1), kept, dropped | {"because": 3}, dead))
    assert found
