"""Which documents come first."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.rare.level import LEVELS, levels, rare_levels
from transforms.rare.rows import HOLDER, RARE, USUAL
from transforms.records import Unit

USUALLY = {"alone": 1_000, "shared": 1_000, "originals": 1_000, "types": 100_000, "size": 10**6}


def level(
    alone: int = 0,
    shared: int = 0,
    types: int = 1_000,
    size: int = 1_000,
    unit: Unit = "chars",
    all_alone: int = 1_000,
) -> int:
    usual = USUALLY | {"alone": all_alone}
    columns = {name: np.array([value]) for name, value in usual.items()}
    own = (np.array([value]) for value in (alone, shared, types, size))
    (found,) = levels(*own, columns, unit)
    return int(found)


def test_a_document_without_rare_types_has_no_level():
    assert level() == 0
    assert level(types=0) == 0


def test_more_and_rarer_types_and_less_text_come_first():
    assert level(shared=60) < level(shared=120) < level(shared=240)
    assert level(shared=60, alone=1) > level(shared=60)
    assert level(shared=60, size=4_000) < level(shared=60)
    assert level(shared=10**9, size=1) == LEVELS


def test_two_levels_are_a_doubling():
    assert level(shared=24_000 // 10) == level(shared=12_000 // 10) + 2 == level(shared=600) + 4


def test_types_of_one_document_count_no_more_than_those_that_others_vouch_for():
    assert level(alone=1) == level(alone=20) == 1
    assert level(alone=10, shared=120) == level(alone=2, shared=120) == level(shared=240)


@pytest.mark.parametrize(
    ("alone", "all_alone"),
    [
        (251, 90_000),  # more than a quarter, in a language with few documents
        (31, 1_000),  # more than three times what is usual
    ],
)
def test_what_is_unlike_its_language_is_worth_half_of_the_usual(alone: int, all_alone: int):
    trusted = level(alone=alone - 1, shared=6_000, all_alone=all_alone)
    assert trusted > level(alone=alone, shared=6_000, all_alone=all_alone)
    # Usually 60 + 60 for 1,000 characters and the 200 that are added: 100, and half of it.
    assert level(alone=alone, shared=6_000) == level(shared=60) == level(alone=900, shared=1)


@pytest.mark.parametrize("unit", ["chars", "bytes", "tokens"])
def test_levels_do_not_end_within_what_text_has(unit: Unit):
    size = 250 if unit == "tokens" else 1_000
    assert 1 < level(shared=30, size=size, unit=unit) < level(shared=1_200, size=size, unit=unit)
    assert level(shared=1_200, size=size, unit=unit) < LEVELS


def test_documents_that_are_counted_are_worth_what_they_hold():
    assert level(shared=60, size=1, unit="docs") < level(shared=120, size=1, unit="docs")


@given(*[st.integers(0, 10**7)] * 3, st.integers(0, 10**12))
def test_levels_stay_in_their_range(alone: int, shared: int, types: int, size: int):
    assert 0 <= level(alone, shared, types, size) <= LEVELS
    assert (level(alone, shared, types, size) > 0) == (alone + shared > 0)


def rare(*rows: tuple[int, int, int]) -> pa.Table:
    columns = [pa.array(column) for column in zip(*rows, strict=True)] if rows else [[]] * 3
    return pa.table(columns, names=RARE.names).cast(RARE)


def test_levels_find_their_rows():
    kept = pa.table({"node": pa.array([9, 3, 5, 7], pa.uint64()), "lang": ["eng_Latn"] * 4})
    kept = kept.append_column("size", pa.array([1_000] * 4))
    holders = pa.table({"node": [5, 9, 3], "types": [100, 100, 100]}).cast(HOLDER)
    usual = pa.Table.from_pylist([{"lang": "eng_Latn"} | USUALLY], schema=USUAL)
    pairs = rare((1, 5, 2), (1, 9, 2), (2, 9, 5), (3, 9, 1))
    found = rare_levels(kept, holders, pairs, usual, "chars")
    assert found.type == pa.int32()
    worth = [30 + 12 + 42, 0, 30, 0]
    assert found.to_pylist() == [level(shared=value) if value else 0 for value in worth]
    nobody = rare_levels(kept, HOLDER.empty_table(), rare(), USUAL.empty_table(), "chars")
    assert nobody.to_pylist() == [0] * 4
    assert len(rare_levels(kept[:0], holders, pairs, usual, "chars")) == 0
