"""Candidate pairs from band keys."""

import numpy as np
import pyarrow as pa
import pytest
from dedup_reference import all_pairs, cut
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.dedup.near.candidates import band_rows, bucket_pairs, requests_of, unique_pairs
from transforms.dedup.rows import BAND, CROWD, NODE, PAIR, SURVIVOR
from transforms.records import INDEX_PART, PART_BITS

OLD = INDEX_PART << PART_BITS
Buckets = dict[int, list[int]]


def bands(buckets: Buckets) -> pa.Table:
    """Rows of `buckets` (band key to nodes); survivor order is that of the nodes."""
    rows = [
        {"band": band, "node": node, "hi": node >> 3, "lo": node & 7}
        for band, nodes in buckets.items()
        for node in nodes
    ]
    return pa.Table.from_pylist(rows, schema=BAND)


def pairs_of(table: pa.Table, most: int = 48) -> list[tuple[int, int]]:
    return [(row["u"], row["v"]) for row in found_in(table, most)[0]]


def found_in(
    table: pa.Table, most: int
) -> tuple[list[dict[str, int]], list[dict[str, int]], set[int]]:
    """Pairs, rows of hot buckets, and who was not compared with all before it."""
    out = dict(bucket_pairs(0, {"bands": table}, most=most))
    schemas = {"pairs": PAIR, "crowd": CROWD, "late": NODE}
    assert {name: rows.schema for name, rows in out.items()} in ({}, schemas)
    keys = {row["node"]: (row["hi"], row["lo"]) for row in table.to_pylist()}
    pairs = out["pairs"].to_pylist() if out else []
    for row in pairs:
        assert (row["u_hi"], row["u_lo"]) == keys[row["u"]]
        assert (row["v_hi"], row["v_lo"]) == keys[row["v"]]
        assert row["u"] >= OLD or keys[row["u"]] < keys[row["v"]]
    if not out:
        return pairs, [], set()
    return pairs, out["crowd"].to_pylist(), set(out["late"].column("node").to_pylist())


@pytest.mark.parametrize("size", [2, 3, 5, 6, 7, 20])
def test_small_buckets_pair_all_and_hot_ones_few(size):
    most = 6
    nodes = list(range(100, 100 + size))
    found = pairs_of(bands({9: nodes[::-1]}), most)
    assert len(found) == len(set(found))
    if size <= most:
        assert {frozenset(p) for p in found} == all_pairs(nodes)
    else:
        assert {(u, v) for u, v in found if v in nodes[most:]} == {
            (nodes[0], n) for n in nodes[most:]
        }
        assert {frozenset(p) for p in found if p[1] not in nodes[most:]} == all_pairs(nodes[:most])


@pytest.mark.parametrize("size", [5, 6, 7, 20])
def test_the_rows_of_hot_buckets_are_told(size):
    table = bands({9: list(range(size)), 8: [1, 2, 3], 7: [4]})
    _, hot, late = found_in(table, 6)
    assert {(row["band"], row["node"], row["size"]) for row in hot} == (
        {(9, node, size) for node in range(size)} if size > 6 else set()
    )
    assert late == set(range(6, size))


KINDS = [  # of the index, original
    (old, anchor) for old in (True, False) for anchor in (True, False)
]


def kind_rows(kinds: list[tuple[bool, bool]]) -> pa.Table:
    """One bucket; the documents of the index are not in survivor order among the others."""
    rows = [
        {
            "band": 5,
            "node": number + (OLD if old else 0),
            "hi": (0 if anchor else 2 << 62) + (number * 7) % 11,
            "lo": number,
        }
        for number, (old, anchor) in enumerate(kinds)
    ]
    return pa.Table.from_pylist(rows, schema=BAND)


def may_remove(u: dict[str, int], v: dict[str, int]) -> bool:
    """Who may remove whom, as DESIGN.md has it."""
    if v["node"] >= OLD:
        return False
    if u["node"] >= OLD:
        return u["hi"] < 2 << 62 or v["hi"] >= 2 << 62
    return (u["hi"], u["lo"]) < (v["hi"], v["lo"])


@settings(max_examples=200, deadline=None, database=None)
@given(st.lists(st.sampled_from(KINDS), min_size=2, max_size=12))
def test_what_is_published_is_never_at_risk_and_spares_originals(kinds):
    table = kind_rows(kinds)
    rows = table.to_pylist()
    expected = {(u["node"], v["node"]) for u in rows for v in rows if may_remove(u, v)}
    assert set(pairs_of(table, 12)) == expected


@settings(max_examples=200, deadline=None, database=None)
@given(st.lists(st.sampled_from(KINDS), min_size=2, max_size=12))
def test_in_a_hot_bucket_each_is_paired_with_the_first_that_could_remove_it(kinds):
    table = kind_rows(kinds)
    rows = table.to_pylist()
    found = pairs_of(table, 1)
    assert len(found) == len(set(found)) <= 3 * len(rows)
    assert set(found) <= {(u["node"], v["node"]) for u in rows for v in rows if may_remove(u, v)}
    for v in rows:
        able = [u for u in rows if may_remove(u, v)]
        if not able:
            continue
        first = min(able, key=lambda u: (u["node"] < OLD, u["hi"], u["lo"]))
        assert (first["node"], v["node"]) in found


@settings(max_examples=150, deadline=None, database=None)
@given(
    st.dictionaries(
        st.sampled_from([0, 1, 2, 2**63, 2**64 - 1]) | st.integers(0, 2**64 - 1),
        st.lists(st.integers(0, 30), unique=True, max_size=8),
        max_size=12,
    )
)
def test_no_pair_of_small_buckets_is_lost_or_told_twice(buckets):
    found = pairs_of(bands(buckets), 8)
    assert len(found) == len(set(found))
    expected = set().union(*(all_pairs(nodes) for nodes in buckets.values()))
    assert {frozenset(p) for p in found} == expected


@settings(max_examples=100, deadline=None, database=None)
@given(
    st.dictionaries(
        st.integers(0, 50), st.lists(st.integers(0, 40), unique=True, max_size=9), max_size=12
    ),
    st.integers(1, 4),
)
def test_partitions_give_the_same_pairs(buckets, partitions):
    def through(count: int) -> tuple[list[tuple[int, int]], set[int]]:
        made = [
            out
            for part in cut(bands(buckets), "band", count)
            for name, out in bucket_pairs(0, {"bands": part}, most=4)
            if name == "pairs"
        ]
        pairs = pa.concat_tables([PAIR.empty_table(), *made])
        final, asked = [], set()
        for number, part in enumerate(cut(pairs, "v", count)):
            out = dict(unique_pairs(number, {"pairs": part}))
            assert set(out["pairs"].column("dest").to_pylist()) <= {number}
            final += [(r["u"], r["v"]) for r in out["pairs"].to_pylist()]
            wanted = {(r["node"], r["dest"]) for r in out["requests"].to_pylist()}
            assert len(wanted) == len(out["requests"])
            assert {n for n, _ in wanted} == {
                n for p in out["pairs"].to_pylist() for n in (p["u"], p["v"])
            }
            asked |= {n for n, _ in wanted}
        assert len(final) == len(set(final))
        return sorted(final), asked

    assert through(partitions) == through(1)


def test_a_lone_document_makes_no_pair():
    assert pairs_of(bands({1: [1], 2: [2], 3: []})) == []
    assert pairs_of(bands({})) == []


def test_unique_pairs_drop_those_found_in_several_bands():
    rows = [{"u": u, "v": v, "dest": 0} for u, v in ((1, 2), (1, 3), (1, 2), (2, 3), (1, 2))]
    out = dict(unique_pairs(5, {"pairs": pa.Table.from_pylist(rows, schema=PAIR)}))
    found = [(r["u"], r["v"], r["dest"]) for r in out["pairs"].to_pylist()]
    assert sorted(found) == [(1, 2, 5), (1, 3, 5), (2, 3, 5)]
    assert out["requests"].to_pydict() == {"node": [1, 2, 3], "dest": [5, 5, 5]}
    assert out["requests"].equals(requests_of(out["pairs"], 5))


class TestBandRows:
    def survivors(self, *blobs: bytes | None) -> pa.RecordBatch:
        rows = [
            {"node": k, "hi": 10 + k, "lo": 20 + k, "bands": blob} for k, blob in enumerate(blobs)
        ]
        return pa.RecordBatch.from_pylist(rows, schema=SURVIVOR)

    def keys(self, *values: int) -> bytes:
        return np.array(values, dtype="<u8").tobytes()

    def test_one_row_per_band_of_each_that_has_any(self):
        given = self.survivors(self.keys(7, 8), None, self.keys(9, 2**64 - 1))
        assert band_rows(given).schema == BAND
        expected = [(7, 0, 10, 20), (8, 0, 10, 20), (9, 2, 12, 22), (2**64 - 1, 2, 12, 22)]
        assert [tuple(r.values()) for r in band_rows(given).to_pylist()] == expected
        assert band_rows(given.slice(2)).equals(band_rows(given).slice(2))

    def test_none_without_any(self):
        assert band_rows(self.survivors(None, None)).num_rows == 0
        assert band_rows(self.survivors()).num_rows == 0
