"""The yardstick: exact shares, sizes in every unit, and who counts towards what."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shards_documents import document, promise, published

from transforms.shards.promise import EXPECTED, Promise, counted_as, masses, members

TABLE = published(
    document("ä original tail", "anchor", "swh_Latn"),
    document("machine", "synthetic"),
    document("nobody knows", "unverified", "isl_Latn"),
    document("two languages", "unverified", "isl_Latn", mixed=True),
)


@given(st.integers(0, 1_000_000))
def test_a_share_means_its_decimal_notation(millionths: int):
    # 0.3 as a float is below three tenths: a floor read that way would let a shard fall short.
    assert Promise.exact(millionths / 1_000_000) == Fraction(millionths, 1_000_000)


def test_shares_that_floats_miss():
    assert Promise.exact(0.3) == Fraction(3, 10) != Fraction(0.3)
    assert Promise.exact(1e-06) == Fraction(1, 1_000_000)
    assert Promise.exact(1) == 1


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [
        ("original", [True, False, False, False]),
        ("tail", [True, False, True, False]),
        ("synthetic", [False, True, False, False]),
        ("lang:isl_Latn", [False, False, True, False]),
        ("source:elsewhere", [False] * 4),
    ],
)
def test_members(attribute: str, expected: list[bool]):
    assert members(TABLE, attribute).tolist() == expected


def test_what_is_likely_machine_made_counts_for_a_cap_by_its_probability():
    table = published(
        document("machine", "synthetic"),
        document("likely", "unverified", synthetic_tag="likely_synthetic", p_synthetic=0.8765),
        document("said", "synthetic", synthetic_tag="likely_synthetic", p_synthetic=0.5),
        document("perhaps", "unverified", p_synthetic=0.9),
    )
    assert counted_as("floors", "synthetic") == "synthetic"
    assert counted_as("caps", "synthetic") == EXPECTED
    assert masses(table, EXPECTED).tolist() == [1_000_000, 876_500, 1_000_000, 0]
    assert masses(table, "synthetic").tolist() == [1_000_000, 0, 1_000_000, 0]


@pytest.mark.parametrize(("unit", "first"), [("chars", 15), ("bytes", 16), ("docs", 1)])
def test_sizes(unit: str, first: int):
    sizes = promise(unit=unit).sizes(TABLE)
    assert (sizes.dtype.name, len(sizes), sizes[0]) == ("int64", 4, first)


def test_an_empty_table_has_no_sizes_and_no_members():
    assert promise().sizes(TABLE.slice(0, 0)).tolist() == []
    assert members(TABLE.slice(0, 0), "original").tolist() == []
