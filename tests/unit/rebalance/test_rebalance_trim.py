"""The guard: what is taken out of a shard, and that it is little."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.rebalance.cells import Rules
from transforms.rebalance.config import RebalanceConfig
from transforms.rebalance.trim import trim

FLOOR = Rules.of(RebalanceConfig(floors={"original": 0.5}))
BOTH = Rules.of(RebalanceConfig(floors={"original": 0.25}, caps={"synthetic": 0.25}))


def run(sizes, cells, rules):
    return trim(np.array(sizes, dtype=np.int64), np.array(cells, dtype=np.uint32), rules)


CASES = [
    # Nothing is wrong: nothing goes.
    ([10, 10], [1, 0], FLOOR, [1, 1]),
    # Exactly at the floor is enough: 10 of 20.
    ([10, 4, 6], [1, 0, 0], FLOOR, [1, 1, 1]),
    # 3 too much: the 3 goes, not the 5.
    ([10, 5, 3, 5], [1, 0, 0, 0], FLOOR, [1, 1, 0, 1]),
    # 4 too much and no single document near it: 1 and 3 go, not the 9.
    ([10, 9, 1, 3, 1], [1, 0, 0, 0, 0], FLOOR, [1, 1, 0, 0, 1]),
    # Over the cap: what is under it goes.
    ([10, 20, 9, 2], [1, 0, 2, 2], BOTH, [1, 1, 1, 0]),
]


@pytest.mark.parametrize(("sizes", "cells", "rules", "kept"), CASES)
def test_takes_the_least(sizes, cells, rules, kept):
    keep = run(sizes, cells, rules)
    got = sum(s for s, k in zip(sizes, keep, strict=True) if k)
    assert got == sum(s for s, k in zip(sizes, kept, strict=True) if k)


def test_protected_text_goes_last():
    rules = Rules.of(RebalanceConfig(floors={"original": 0.5, "tail": 0.5}))
    # original only: 12, tail only: 10; unprotected 1. Both floors hold without 3.
    assert run([2, 10, 10, 1], [1, 1, 2, 0], rules).tolist() == [False, True, True, False]


def test_what_is_likely_machine_made_counts_in_part():
    rules = Rules.of(RebalanceConfig(caps={"synthetic": 0.25}))
    third = 1 << rules.likely
    # 30 at a third, 12 at two thirds and 3 wholly count as 21 of 73: the 12 are too many.
    keep = run([30, 12, 3, 28], [third, 2 * third, 3 * third, 0], rules)
    assert keep.tolist() == [True, False, True, True]
    assert run([30, 28], [third, 0], rules).all()  # 10 of 58
    assert not run([30, 8], [third, 0], rules).all()  # 10 of 38


def test_a_shard_without_any_of_a_floor_ends_empty():
    assert not run([3, 4], [0, 0], FLOOR).any()


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(0, 3)), min_size=1, max_size=9),
    st.sampled_from([FLOOR, BOTH]),
)
def test_rules_hold_and_little_is_lost(documents, rules):
    if rules is FLOOR:
        documents = [(size, cell & 1) for size, cell in documents]
    sizes = [size for size, _ in documents]
    cells = [cell for _, cell in documents]

    def held(chosen):
        return {c: sum(sizes[i] for i in chosen if cells[i] == c) for c in range(4)}

    keep = np.flatnonzero(run(sizes, cells, rules)).tolist()
    assert not rules.broken(held(keep))
    subsets = itertools.chain.from_iterable(
        itertools.combinations(range(len(sizes)), n) for n in range(len(sizes) + 1)
    )
    best = max(sum(sizes[i] for i in s) for s in subsets if not rules.broken(held(s)))
    # One rule costs at most one document more than the best choice of all subsets.
    slack = max(sizes) * len(rules.constraints) * (1 if rules is FLOOR else 2)
    assert sum(sizes[i] for i in keep) >= best - slack


def test_a_full_shard_is_trimmed_to_a_hair():
    rng = np.random.default_rng(0)
    sizes = np.maximum(1, rng.lognormal(7, 1, 30_000)).astype(np.int64)
    cells = (rng.random(30_000) < 0.27).astype(np.uint32)
    rules = Rules.of(RebalanceConfig(floors={"original": 0.3}))
    keep = trim(sizes, cells, rules)
    total, original = int(sizes[keep].sum()), int(sizes[keep & (cells == 1)].sum())
    assert original * 10 >= 3 * total
    assert total >= original * 10 // 3 - int(np.sort(sizes)[100])
    assert np.all(keep[cells == 1])
