"""Ranks, the line, and the sharing out of sizes."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rebalance_simulation import by_range, lay, rows, simulate

from transforms.rebalance.bands import bands_of, order_of, weight_of
from transforms.rebalance.cells import Rules, cells_of
from transforms.rebalance.config import RebalanceConfig
from transforms.rebalance.draws import halves, rank_keys
from transforms.rebalance.level import deal_boulders, proportional, water_fill
from transforms.rebalance.lines import _ratio, order_line
from transforms.rebalance.ranks import mark, rank_strata, split_large

LONGS = st.integers(0, 10**12)


def longs(values):
    return np.array(values, dtype=np.int64)


def test_halves_sort_as_bytes_do():
    ids = [bytes([255] * 16), bytes(16), b"\0" * 8 + b"\1" * 8, b"\1" + bytes(15)]
    upper, lower = halves(pa.array([b"skipped skipped!", *ids], pa.binary()).slice(1))
    order = np.lexsort((lower, upper))
    assert [ids[i] for i in order] == sorted(ids)


def test_ranks_depend_on_the_id_and_the_rotation_only():
    table = rows([1] * 1000)
    keys = rank_keys(table["doc_id"], 0)
    backwards = table.take(np.arange(999, -1, -1))
    assert np.array_equal(rank_keys(backwards["doc_id"], 0)[::-1], keys)
    other = rank_keys(table["doc_id"], 1)
    assert len(np.unique(keys)) == len(np.unique(other)) == 1000
    assert abs(np.corrcoef(keys.astype(float), other.astype(float))[0, 1]) < 0.1
    # Uniform: no sixteenth of the range is far from its 62 or 63.
    assert np.bincount(by_range(keys, 16)).min() > 35


def bands(table, config):
    rules = Rules.of(config)
    draws = rank_keys(table["doc_id"], config.rotation)
    return bands_of(table, cells_of(table, rules), draws, rules, rehydrate=config.rehydrate)


def test_a_weight_is_the_chance_to_keep_a_place_and_protected_text_keeps_it():
    n = 8000
    original = np.arange(n) < n // 2
    table = rows([1] * n, original=original, weight=np.full(n, 250_000))
    found = bands(table, RebalanceConfig(floors={"original": 0.1}))
    behind = np.array([order_of(int(band)) > 15 for band in found])
    assert not behind[original].any()
    assert abs(behind[~original].mean() - 0.75) < 0.03
    # Whoever loses a place is drawn apart from the place itself.
    keys = rank_keys(table["doc_id"], 0)
    assert abs(np.corrcoef(behind[~original], keys[~original].astype(float))[0, 1]) < 0.05
    never = bands(rows([1] * 50, weight=[0] * 25 + [1_000_000] * 25), RebalanceConfig())
    assert len(set(never[:25])) == len(set(never[25:])) == 1
    assert order_of(int(never[0])) > order_of(int(never[-1]))


def test_rare_types_come_first_and_copies_count_by_their_doublings():
    table = rows([1] * 6, rare=[0, 1, 3, 9, 0, 0], copies=[1, 1, 1, 1, 9, 10**9])
    found = bands(table, RebalanceConfig()).tolist()
    assert [order_of(band) for band in found] == [15, 14, 12, 6, 15, 15]
    assert [weight_of(band) for band in found] == [1] * 6
    found = bands(table, RebalanceConfig(rehydrate=True)).tolist()
    assert [order_of(band) for band in found] == [15, 14, 12, 6, 15, 15]
    assert [weight_of(band) for band in found] == [1, 1, 1, 1, 4, 8]


@pytest.mark.parametrize("partitions", [1, 7])
def test_what_is_lightly_weighed_is_left_out_first(partitions: int):
    n = 3000
    doubtful = np.arange(n) % 3 == 0
    original = np.arange(n) % 3 == 1
    weight = np.where(doubtful, 100_000, 1_000_000)
    config = RebalanceConfig(floors={"original": 0.4}, target=120_000, shard_size=40_000)
    outcome = simulate(rows([60] * n, original=original, weight=weight), config, partitions)
    taken = np.isin(np.arange(n), outcome.assigned["node"].to_numpy())
    assert taken[~original & ~doubtful].mean() > 4 * taken[doubtful].mean()
    one = simulate(rows([60] * n, original=original, weight=weight), config)
    assert np.array_equal(np.isin(np.arange(n), one.assigned["node"].to_numpy()), taken)


def test_before_is_counted_per_stratum():
    table = rows([5, 7, 11, 13], original=[True, False, True, True], lang=["a", "a", "b", "a"])
    config = RebalanceConfig(floors={"original": 0.1})
    rules = Rules.of(config)
    ranked, strata = rank_strata(3, mark(table, rules, config))
    found = {(r["cell"], r["lang"]): r for r in strata.to_pylist()}
    assert found[1, "a"] == {
        "partition": 3,
        "cell": 1,
        "lang": "a",
        "band": 15,
        "documents": 2,
        "size": 18,
        "largest": 13,
    }
    for row in ranked.to_pylist():
        assert row["before"] in ({0, 5, 13} if row["size"] in (5, 13) else {0})


def test_documents_that_fit_no_shard_are_parted():
    config = RebalanceConfig(shard_size=800, caps={"synthetic": 0.05})
    table = rows([100, 101, 40, 41], synthetic=[False, False, True, True])
    fit, too_large = split_large(table, config)
    # An eighth of a shard; under a cap of 5 % no more than 40 of 800.
    assert fit["size"].to_pylist() == [100, 40]
    assert too_large["size"].to_pylist() == [101, 41]


@settings(max_examples=200, deadline=None)
@given(st.integers(1, 2**50), st.data())
def test_positions_are_exact(total, data):
    start = data.draw(st.integers(0, 64 * total))
    got = _ratio(np.array([start], dtype=np.uint64), np.array([total], dtype=np.int64))
    assert int(got[0]) == (start << 40) // total


def test_the_line_reaches_every_quota_and_sweeps_languages_together():
    n = 6000
    rng = np.random.default_rng(1)
    table = rows(
        rng.integers(1, 2000, n),
        original=np.arange(n) % 10 == 0,
        lang=["big"] * 5000 + ["mid"] * 900 + ["low"] * 100,
    )
    config = RebalanceConfig(floors={"original": 0.25}, shard_size=200_000)
    plan, laid = lay(table, config, 3)
    line = pa.concat_tables(laid)
    ordered, bins, _ = order_line(0, line, plan)
    for cell in plan.cells:
        size = bins.filter(pa.compute.equal(bins["cell"], cell.cell))["size"][0].as_py()
        assert size >= cell.quota
    first = ordered.filter(pa.compute.equal(ordered["cell"], 0)).slice(0, 1000)
    lang = dict(zip(table["doc_id"].to_pylist(), table["lang"].to_pylist(), strict=True))
    small = sum(lang[i] == "low" for i in first["doc_id"].to_pylist())
    assert 12 <= small <= 22  # 1,000 of 5,400 hold 100 / 6,000 of them: 16.7


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(LONGS, LONGS), min_size=1, max_size=8), LONGS, st.booleans())
def test_water_finds_its_level(vessels, quantity, bounded):
    base = longs([b for b, _ in vessels])
    bound = longs([m for _, m in vessels]) if bounded else None
    poured = water_fill(base, quantity, bound)
    assert poured.min() >= 0
    room = quantity if bound is None else int(bound.sum())
    assert int(poured.sum()) == min(quantity, room)
    level = (base + poured)[poured > 0]
    if len(level):  # who got none or is full may stand apart, nobody else
        free = np.ones(len(base), bool) if bound is None else poured < np.minimum(bound, quantity)
        assert np.all((base + poured)[free] >= level.max() - 1)


@given(st.lists(LONGS, min_size=1, max_size=8), LONGS)
def test_proportions_add_up(weights, quantity):
    parts = proportional(longs(weights), quantity)
    assert int(parts.sum()) == quantity
    if sum(weights):
        exact = [w * quantity / sum(weights) for w in weights]
        assert np.all(np.abs(parts - exact) <= 1 + np.array(exact) * 1e-9)


def test_boulders_go_to_the_lowest_shard_and_apart():
    level, room = longs([0, 0, 5]), longs([100] * 3)
    dealt = deal_boulders(longs([9, 9, 9, 4]), longs([0, 0, 0, 1]), level, room)
    assert sorted(dealt[:3].tolist()) == [0, 1, 2]
    assert dealt[3] == 0
    assert level.tolist() == [13, 9, 14]


@pytest.mark.parametrize(("room", "expected"), [([3, 8], 1), ([3, 4], -1)])
def test_a_boulder_goes_only_where_there_is_room(room, expected):
    assert deal_boulders(longs([8]), longs([0]), longs([0, 50]), longs(room))[0] == expected


def test_more_appearances_than_shards_share():
    dealt = deal_boulders(longs([7] * 3), longs([0] * 3), longs([0, 0]), longs([100, 100]))
    assert sorted(np.bincount(dealt).tolist()) == [1, 2]
