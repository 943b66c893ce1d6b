"""Exact copies of what earlier runs published, and verdicts that name their documents."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from dedup_reference import light, light_row
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.dedup.exact import settle_exact
from transforms.dedup.rows import COPY, OPEN, REMOVED, SEEN, SURVIVOR, is_indexed, reason_code
from transforms.dedup.settle import remove_near
from transforms.provenance.group import settle_groups
from transforms.records import INDEX_PART, PART_BITS

EXACT, NEAR, EXCLUDED = map(reason_code, ("exact_duplicate", "near_duplicate", "excluded"))
TEXTS = "abcde"


def together(*arguments: Any) -> Any:
    return settle_groups(*arguments)[:2]


def indexed(number: int) -> int:
    return (INDEX_PART + number // 3) << PART_BITS | number % 3


def seen(number: int, text: str, original: bool = False) -> dict[str, Any]:
    doc_id = b"published" + number.to_bytes(7, "big")
    hashed = light_row(0, text)["text_hash"]
    return {"node": indexed(number), "doc_id": doc_id, "text_hash": hashed, "original": original}


def settled(rows: list[Any], published: list[Any] | None) -> tuple[dict[int, Any], dict[int, Any]]:
    tables = {"documents": light(rows)}
    if published is not None:
        tables["published"] = pa.Table.from_pylist(published, schema=SEEN)
    found = dict(settle_exact(0, tables, settle=together))
    assert (found["survivors"].schema, found["copies"].schema) == (SURVIVOR, COPY)
    return ({r["node"]: r for r in found[n].to_pylist()} for n in ("survivors", "copies"))  # type: ignore[return-value]


def test_the_whole_group_goes_and_names_the_published_document():
    rows = [light_row(1, "a"), light_row(2, "a"), light_row(3, "b")]
    kept, copies = settled(rows, [seen(4, "a")])
    assert set(kept) == {3}
    for node in (1, 2):
        fate = copies[node]
        assert (fate["reason"], fate["similarity"]) == (EXACT, 1.0)
        assert (fate["witness"], fate["by"]) == (seen(4, "a")["doc_id"], indexed(4))


def test_an_original_stays_beside_published_copies_that_are_none():
    rows = [light_row(1, "a", tier=1), light_row(2, "a")]
    kept, copies = settled(rows, [seen(4, "a"), seen(5, "a")])
    assert set(kept) == {1}
    assert (copies[2]["by"], copies[2]["witness"]) == (1, light_row(1)["doc_id"])


def test_an_original_goes_where_an_original_is_published():
    rows = [light_row(1, "a", tier=0, date_day=1)]
    kept, copies = settled(rows, [seen(4, "a"), seen(9, "a", original=True)])
    assert not kept
    assert copies[1]["by"] == indexed(9), "the original is the witness, not the first copy"


def test_what_is_excluded_keeps_its_reason():
    rows = [light_row(1, "a", excluded=True), light_row(2, "b"), light_row(3, "b", excluded=True)]
    kept, copies = settled(rows, [seen(4, "a"), seen(5, "b")])
    assert not kept
    assert {n: (f["reason"], f["witness"], f["by"]) for n, f in copies.items()} == {
        1: (EXCLUDED, None, None),
        2: (EXACT, seen(5, "b")["doc_id"], indexed(5)),
        3: (EXCLUDED, None, None),
    }


def test_an_original_by_name_only_goes():
    # Declared machine-made by a copy that nothing predates: no original.
    rows = [light_row(1, "a", tier=1), light_row(2, "a", declared=True, date_day=1)]
    kept, _ = settled(rows, [seen(4, "a")])
    assert not kept


def test_nothing_new_leaves_nothing():
    kept, copies = settled([], [seen(4, "a")])
    assert (kept, copies) == ({}, {})


DOCUMENTS = st.lists(
    st.tuples(st.sampled_from(TEXTS), st.sampled_from([0, 1, 2]), st.booleans()), max_size=14
)
PUBLISHED = st.lists(st.tuples(st.sampled_from(TEXTS), st.booleans()), max_size=8)


@settings(deadline=None)
@given(DOCUMENTS, PUBLISHED, st.randoms(use_true_random=False))
def test_survivors_are_those_of_plain_python(documents: Any, published: Any, draw: Any):
    rows = [
        light_row(n, text, tier=tier, excluded=excluded)
        for n, (text, tier, excluded) in enumerate(documents)
    ]
    known = [seen(n, text, original) for n, (text, original) in enumerate(published)]
    kept, copies = settled(draw.sample(rows, len(rows)), draw.sample(known, len(known)))
    alone, _ = settled(rows, None)
    assert kept.keys() | copies.keys() == set(range(len(rows)))
    assert not kept.keys() & copies.keys()
    for node, row in alone.items():
        text = documents[node][0]
        there = [original for given_text, original in published if given_text == text]
        stays = not there or (row["tier"] < 2 and not any(there))
        assert (node in kept) == stays
        if stays:
            assert kept[node] == row
    for node, fate in copies.items():
        if fate["reason"] == EXCLUDED:
            continue
        text = documents[node][0]
        group = [n for n in alone if documents[n][0] == text]
        if fate["by"] in kept:
            assert group == [fate["by"]]
        else:
            same = [s for s, (given_text, _) in zip(known, published, strict=True)
                    if given_text == text]  # fmt: skip
            best = min(same, key=lambda s: (not s["original"], s["node"]))
            assert (fate["by"], fate["witness"]) == (best["node"], best["doc_id"])


def test_verdicts_of_the_index_credit_nobody_and_take_copies_along():
    rows = [light_row(1, "a"), light_row(2, "a"), light_row(3, "b")]
    exact = dict(settle_exact(0, {"documents": light(rows)}, settle=together))
    # Of the two copies of "a" the one with the smaller doc_id stays.
    (best,) = {r["node"] for r in exact["survivors"].to_pylist()} - {3}
    witness = seen(4, "x")
    removal = {"node": best, "by": indexed(4), "witness": witness["doc_id"], "similarity": 0.9}
    removed = pa.Table.from_pylist([removal], schema=REMOVED)
    tables = {**exact, "removed": removed, "open": OPEN.empty_table()}
    out: dict[str, list[Any]] = {}
    for name, table in remove_near(0, tables):
        out.setdefault(name, []).extend(table.to_pylist())
    assert out["credits"] == []
    assert [row["node"] for row in out["kept"]] == [3]
    found = {f["node"]: (f["reason"], f["by"], f["similarity"]) for f in out["fates"]}
    assert found == dict.fromkeys((1, 2), (NEAR, indexed(4), 0.9))


@given(st.integers(0, 2**64 - 1))
def test_the_highest_bit_tells_whose_a_node_is(node: int):
    assert is_indexed(pa.array([node], pa.uint64()).to_numpy())[0] == (node >= 1 << 63)
