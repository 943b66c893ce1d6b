"""Buckets that are too large to be compared pair by pair."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.dedup.near.hot import cover, hot_pairs, thin
from transforms.dedup.rows import (
    COVERED,
    CROWD,
    EDGE,
    ESTIMATED,
    HOT,
    NODE,
    OPEN,
    PART,
    REQUEST,
    WHY_OPEN,
)
from transforms.records import INDEX_PART, PART_BITS

OLD = INDEX_PART << PART_BITS
SIZE = 96  # values in a signature: three blocks of the early stop


def edges(pairs):
    return pa.Table.from_pylist([{"u": u, "v": v} for u, v in pairs], schema=EDGE)


def nodes(*values):
    return pa.table([pa.array(values, pa.uint64())], schema=NODE)


def covered(pairs, late=()):
    """Whether the cover of each covered document is sure."""
    beaten = nodes(*{v for _, v in pairs})
    tables = {"edges": edges(pairs), "beaten": beaten, "late": nodes(*late)}
    ((name, found),) = cover(0, tables)
    assert (name, found.schema) == ("covered", COVERED)
    return {row["node"]: row["sure"] for row in found.to_pylist()}


def test_covered_is_who_has_a_neighbour_that_nothing_comes_before():
    pairs = [(1, 2), (2, 3), (1, 4), (5, 4), (6, 7), (7, 8), (OLD + 1, 6)]
    # 3 and 8 hang on documents that may go themselves, 7 on one that an old one removes.
    assert covered(pairs) == {2: True, 4: True, 6: True}
    assert covered([]) == {}


def test_a_cover_is_sure_where_nothing_can_come_before_it():
    pairs = [(1, 2), (3, 4), (1, 5), (3, 5), (OLD + 1, 6)]
    late = [2, 3, 4, 5, 6, OLD + 1]
    assert covered(pairs, late) == {2: True, 4: False, 5: True, 6: True}


@pytest.fixture
def parts(tmp_path):
    rows = []
    for number in (2, 9):
        path = str(tmp_path / f"{number}.parquet")
        ids = [b"%d.%d" % (number, row) for row in range(10)]
        made = [b"s" + one for one in ids]
        pq.write_table(pa.table({"doc_id": ids, "signature": made}), path, row_group_size=4)
        rows.append({"part": number, "path": path, "rows": 10, "first": 0})
    return pa.Table.from_pylist(rows, schema=PART)


def node_of(part, row):
    return (part << PART_BITS) + row


def thinned(parts, hot, covered):
    """What is left of hot buckets, and who is open."""
    tables = {
        "crowd": pa.Table.from_pylist(hot, schema=CROWD),
        "covered": pa.Table.from_pylist(
            [{"node": node, "sure": sure} for node, sure in covered.items()], schema=COVERED
        ),
        "parts": parts,
    }
    out = {"hot": [], "open": []}
    for name, table in thin(0, tables, whole=20):
        assert table.schema == {"hot": HOT, "open": OPEN}[name]
        out[name].extend(table.to_pylist())
    assert {row["why"] for row in out["open"]} <= {WHY_OPEN.index("witness_lost")}
    return out["hot"], [row["node"] for row in out["open"]]


def crowd(places, bands):
    """Rows of documents in buckets of some sizes."""
    return [
        {"band": band, "node": node_of(*place), "hi": place[0], "lo": place[1], "size": size}
        for place in places
        for band, size in bands.items()
    ]


def test_thinning_leaves_the_covered_out_and_reads_the_others(parts):
    places = [(9, 9), (2, 0), (2, 3), (2, 4), (9, 2), (2, 8)]
    # 9.5 is covered but in no hot bucket: it is none of ours.
    sure = {node_of(*place): True for place in ((2, 3), (9, 2), (9, 5))}
    left, opened = thinned(parts, crowd(places, {7: 20, 8: 21}), sure)
    assert opened == []
    stay = [place for place in places if place not in ((2, 3), (9, 2))]
    assert len(left) == 2 * len(stay)
    assert {(r["node"], r["band"]) for r in left} == {
        (node_of(*place), band) for place in stay for band in (7, 8)
    }
    for row in left:
        place = (row["hi"], row["lo"])
        assert row["doc_id"] == b"%d.%d" % place
        assert row["signature"] == b"s%d.%d" % place


def test_whose_cover_may_go_leaves_only_what_is_too_large_to_be_compared(parts):
    one, other = node_of(2, 3), node_of(9, 2)
    hot = crowd([(2, 3)], {7: 20, 8: 21}) + crowd([(9, 2)], {9: 20})
    left, opened = thinned(parts, hot, {one: False, other: False})
    assert {(r["node"], r["band"]) for r in left} == {(one, 7), (other, 9)}
    assert opened == [one]


def hot_rows(members):
    """`members`: (band, node, hi, signature values)."""
    rows = [
        {
            "band": band,
            "node": node,
            "hi": hi,
            "lo": node % 1000,
            "doc_id": b"%d" % node,
            "signature": np.asarray(values, "<u4").tobytes(),
        }
        for band, node, hi, values in members
    ]
    return pa.Table.from_pylist(rows, schema=HOT)


def compared(table, least=0.65, **options):
    out = dict(hot_pairs(3, {"hot": table}, least=least, **options))
    schemas = {"pairs": ESTIMATED, "requests": REQUEST, "open": OPEN}
    assert {name: rows.schema for name, rows in out.items()} in ({}, schemas)
    if not out:
        return {}, set()
    pairs = {(r["u"], r["v"]): r for r in out["pairs"].to_pylist()}
    assert len(pairs) == len(out["pairs"])
    assert {r["dest"] for r in pairs.values()} <= {3}
    asked = set(out["requests"].column("node").to_pylist())
    assert asked == {node for pair in pairs for node in pair}
    why = {r["why"] for r in out["open"].to_pylist()}
    assert why <= {WHY_OPEN.index("uncompared")}
    return pairs, set(out["open"].column("node").to_pylist())


def family(draw, size, changed):
    """Signatures that differ from one another in up to 2 * `changed` values."""
    base = draw.integers(0, 2**32, SIZE, dtype=np.uint32)
    for _ in range(size):
        made = base.copy()
        at = draw.choice(SIZE, changed, replace=False)
        made[at] = draw.integers(0, 2**32, changed, dtype=np.uint32)
        yield made


@settings(max_examples=60, deadline=None, database=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 40), st.sampled_from([0.3, 0.65, 0.9, 1.0]))
def test_all_pairs_of_a_bucket_that_are_alike_are_found(seed, changed, least):
    draw = np.random.default_rng(seed)
    values = [*family(draw, 9, changed), *family(draw, 7, 5)]
    draw.shuffle(values)
    members = [(draw.integers(2), k, int(draw.integers(9)), v) for k, v in enumerate(values)]
    found, opened = compared(hot_rows([(int(b), *rest) for b, *rest in members]), least)
    expected = {}
    for one in members:
        for other in members:
            share = float((one[3] == other[3]).mean())
            first = (one[2], one[1]) < (other[2], other[1])
            if one[0] == other[0] and first and share >= least:
                expected[one[1], other[1]] = share
    assert {pair: row["estimate"] for pair, row in found.items()} == expected
    assert {pair: row["witness"] for pair, row in found.items()} == {
        (u, v): b"%d" % u for u, v in expected
    }
    assert opened == set()


def test_who_is_published_is_compared_but_never_at_risk():
    same = [1] * SIZE
    anchor, none = 0, 2 << 62
    members = [(1, OLD + 1, none, same), (1, OLD + 2, anchor, same), (1, 3, anchor, same)]
    members += [(1, 4, none, same), (2, OLD + 5, none, same), (2, 6, anchor, same)]
    found, opened = compared(hot_rows(members))
    assert found.keys() == {
        (OLD + 2, 3),
        (OLD + 1, 4),
        (OLD + 2, 4),
        (3, 4),
    }
    assert opened == set()


def test_a_bucket_that_is_too_large_is_searched_at_both_ends():
    draw = np.random.default_rng(1)
    far = [draw.integers(0, 2**32, SIZE, dtype=np.uint32) for _ in range(30)]
    far[20] = far[1].copy()  # near the head
    far[25] = far[23].copy()  # near itself
    far[29] = far[12].copy()  # in the middle: passed over
    table = hot_rows([(1, k, k, values) for k, values in enumerate(far)])
    found, opened = compared(table, limits=(29, 3, 64))
    assert found.keys() == {(1, 20), (23, 25)}
    assert opened == set(range(7, 30))
    found, opened = compared(table, limits=(30, 3, 64))
    assert found.keys() == {(1, 20), (23, 25), (12, 29)}
    assert opened == set()


def test_of_too_many_pairs_the_most_alike_are_taken():
    base = np.arange(SIZE, dtype=np.uint32)
    rows = []
    for k in range(12):
        values = base.copy()
        values[: (k * 5) % 12] += np.uint32(1000 + k)
        rows.append((1, k, k, values))
    rows.append((1, 99, 99, base))
    found, opened = compared(hot_rows(rows), limits=(100, 1, 4))
    assert 99 in opened
    share = {k: 1 - ((k * 5) % 12) / SIZE for k in range(12)}
    best = sorted(range(12), key=lambda k: -share[k])[:4]
    assert {u for u, v in found if v == 99} == set(best)
    assert 4 not in opened
    assert 5 in opened


def test_many_pairs_outgrow_the_first_room():
    rows = [(1, k, k, [7] * SIZE) for k in range(80)]
    found, opened = compared(hot_rows(rows), limits=(100, 1, 100))
    assert len(found) == 80 * 79 // 2
    assert opened == set()


def test_no_rows_make_no_pairs():
    assert compared(HOT.empty_table()) == ({}, set())
    assert compared(hot_rows([(1, 1, 1, [1] * SIZE), (2, 2, 2, [1] * SIZE)])) == ({}, set())
