"""Counting in parts and partitions, against counting everything at once."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rare_reference import Document, holders, run, survivors, types

from transforms.dedup.rows import KEPT
from transforms.rare.local import LocalTypes
from transforms.rare.rows import originals

WORDS = [f"w{letter}{more}" for letter in "abcdefgh" for more in "xyz"]
TEXT = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
DOCUMENT = st.tuples(TEXT, st.sampled_from(["eng_Latn", "swh_Latn"]))
SPREAD = st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 3))


@settings(max_examples=25)
@given(st.lists(DOCUMENT, min_size=1, max_size=30), SPREAD, st.data())
def test_counts_are_those_of_the_whole(
    documents: list[Document], spread: tuple[int, int, int], data: st.DataObject
):
    published = data.draw(st.sets(st.integers(0, len(documents) - 1)))
    found = run(documents, published, *spread)
    wanted = {one: held for one, held in holders(documents).items() if len(held) <= 5}
    rare = found["rare"].to_pylist()
    assert len(rare) == sum(map(len, wanted.values()))
    assert Counter((row["node"], row["documents"]) for row in rare) == Counter(
        (number, len(held)) for held in wanted.values() for number in held
    )
    told: Counter[tuple[str, int, bool]] = Counter()
    for row in found["told"].to_pylist():
        told[row["lang"], row["documents"], True] += row["survived"]
        told[row["lang"], row["documents"], False] += row["types"] - row["survived"]
    assert +told == survivors(documents, published)
    assert sum(found["told"].column("originals").to_pylist()) == len(documents)
    size = sum(len(documents[number][0]) for number in published)
    assert sum(found["told"].column("published").to_pylist()) == size


@settings(max_examples=10)
@given(st.lists(DOCUMENT, min_size=1, max_size=20), SPREAD)
def test_what_is_usual_is_summed_over_the_language(
    documents: list[Document], spread: tuple[int, int, int]
):
    found = {row.pop("lang"): row for row in run(documents, set(), *spread)["usual"].to_pylist()}
    for lang in {lang for _, lang in documents}:
        own = [text for text, other in documents if other == lang]
        held = [len(who) for (_, other), who in holders(documents).items() if other == lang]
        assert found[lang] == {
            "alone": held.count(1),
            "shared": sum(1 < count <= 5 for count in held),
            "originals": len(own),
            "types": sum(len(types(text, lang)) for text in own),
            "size": sum(map(len, own)),
        }


def test_what_is_common_in_a_part_travels_once():
    text = pa.array(["the one", *["the other"] * 6])
    found = LocalTypes()
    found.add(text, pa.array(["eng_Latn"] * 7), np.arange(7, dtype=np.uint64))
    _, nodes = found.rare()
    assert nodes.tolist() == [0]  # `one`, which nobody else holds
    assert len(found.common()) == 2


def test_a_table_grows_past_its_first_size():
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = [a + b + c for a in letters for b in letters for c in letters]
    found = LocalTypes()
    held = found.add(
        pa.array([" ".join(words), " ".join(words[::2])]),
        pa.array(["eng_Latn"] * 2),
        np.arange(2, dtype=np.uint64),
    )
    assert held.tolist() == [len(words), len(words) // 2]
    hashes, nodes = found.rare()
    assert len(set(hashes.tolist())) == len(words)
    assert np.bincount(nodes.astype(np.int64)).tolist() == held.tolist()


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({}, True),
        ({"origin": 1}, False),  # nobody knows whether a person wrote it
        ({"origin": 2}, False),
        ({"mixed": True}, False),
        ({"lang": "und"}, False),
        ({"lang": "zxx"}, False),
    ],
)
def test_only_originals_of_one_language_count(change: dict[str, object], counts: bool):
    row = {"node": 7, "lang": "eng_Latn", "mixed": False, "origin": 0, "size": 9}
    rows = originals(pa.RecordBatch.from_pylist([row | change], schema=KEPT))
    assert rows.to_pylist() == [{"node": 7, "lang": "eng_Latn", "size": 9}] * counts
