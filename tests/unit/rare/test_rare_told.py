"""What the manifest says of rare types."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from transforms.rare.rows import TOLD
from transforms.rare.told import summarise, survival


def row(lang: str, documents: int, **counts: int) -> dict[str, Any]:
    return dict.fromkeys(TOLD.names, 0) | {"lang": lang, "documents": documents} | counts


TEXT = [
    row("eng_Latn", 0, originals=10, size=1_000, published=250),
    row("eng_Latn", 1, types=8, survived=3),
    row("eng_Latn", 2, types=4, survived=4),
    row("swh_Latn", 0, originals=2, size=100, published=100),
    row("swh_Latn", 5, types=7, survived=7),
]


def test_the_expectation_is_that_of_a_random_cut_of_equal_size():
    told = survival(TEXT)
    expected = 8 * 0.25 + 4 * (1 - 0.75**2)
    assert told["by_language"] == {
        "eng_Latn": {"originals": 10, "types": 12, "survived": 7, "expected": round(expected)},
        "swh_Latn": {"originals": 2, "types": 7, "survived": 7, "expected": 7},
    }
    assert (told["types"], told["survived"], told["expected"]) == (19, 14, round(expected + 7))
    assert told["by_documents"]["1"] == {"types": 8, "survived": 3, "expected": 2}
    assert told["by_documents"]["5"] == {"types": 7, "survived": 7, "expected": 7}
    assert told["most_documents"] == len(told["by_documents"]) == 5


def test_a_run_without_originals_has_none():
    told = survival([])
    assert (told["types"], told["survived"], told["expected"]) == (0, 0, 0)
    assert told["by_language"] == {}


def test_documents_without_size_break_nothing():
    told = survival([row("eng_Latn", 0, originals=1)])
    assert told["by_language"]["eng_Latn"]["types"] == 0


def split(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each row as two that add up to it."""
    halves = []
    for one in rows:
        counts = {k: v for k, v in one.items() if k not in ("lang", "documents")}
        halves.append(one | {k: v // 3 for k, v in counts.items()})
        halves.append(one | {k: v - v // 3 for k, v in counts.items()})
    return halves


@given(st.permutations(split(TEXT)))
def test_neither_order_nor_partitions_matter(rows: list[dict[str, Any]]):
    table = pa.Table.from_pylist(rows, schema=TOLD)
    ((name, summary),) = summarise(0, {"told": table})
    assert name == "summary"
    assert json.loads(summary.column("text")[0].as_py()) == survival(TEXT)


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(0, 10**6))
def test_large_numbers_are_rounded_once(published: int, left: int, types: int):
    size = row("eng_Latn", 0, originals=1, size=published + left, published=published)
    told = survival([size, row("eng_Latn", 3, types=types)])
    share = left / (published + left) if published + left else 1.0
    assert math.isclose(told["expected"], types * (1 - share**3), abs_tol=0.51)
