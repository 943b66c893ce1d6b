"""Plans and refusals, against a linear program and arithmetic written here."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from transforms.errors import InfeasibleError
from transforms.rebalance.allocation import strata_of
from transforms.rebalance.cells import Rules
from transforms.rebalance.config import RebalanceConfig
from transforms.rebalance.plan import Plan
from transforms.rebalance.planning import make_plan, stock_of
from transforms.rebalance.ranks import STRATA
from transforms.rebalance.solve import largest_size

SHARES = st.integers(1, 20).map(lambda n: n / 20)


def strata(sizes: dict[int, int], documents: int = 1000) -> pa.Table:
    """One stratum per cell, in documents of one size or so."""
    return pa.Table.from_pylist(
        [
            {
                "partition": 0,
                "cell": cell,
                "lang": "eng_Latn",
                "band": 15,
                "documents": documents,
                "size": size,
                "largest": -(-size // documents),
            }
            for cell, size in sizes.items()
        ],
        schema=STRATA,
    )


def optimum(sizes: dict[int, int], config: RebalanceConfig, at_least=None, at_most=None):
    """Largest size, or most unique text at a size in a range: an independent program."""
    cells = sorted(sizes)
    rules = Rules.of(config)
    unique = np.array([sizes[cell] for cell in cells], dtype=float)
    scale = at_most or unique.sum()  # tolerances are relative to it
    times = np.array([config.repeat_cap if rules.protected(c) else 1 for c in cells])
    rows, bounds, n = [], [], len(cells)
    for bit, rule in enumerate(rules.constraints):
        inside = np.array([cell >> bit & 1 for cell in cells], dtype=float)
        row = inside - rule.share / 1e6
        # first and repeated sizes are variables of their own here
        rows.append(np.concatenate([row, row]) * (-1 if rule.kind == "floor" else 1))
        bounds.append(0.0)
    goal = np.ones(2 * n)
    if at_least is not None:
        rows += [-np.ones(2 * n), np.ones(2 * n)]
        bounds += [-at_least / scale, at_most / scale]
        goal[n:] = 0
    scaled = unique / scale
    box = [(0, u) for u in scaled] + [(0, u * (k - 1)) for u, k in zip(scaled, times, strict=True)]
    if not rows:
        return unique.sum()
    solved = linprog(-goal, A_ub=np.array(rows), b_ub=bounds, bounds=box)
    return None if solved.x is None else -solved.fun * scale


@st.composite
def problems(draw):
    names = draw(st.lists(st.sampled_from(["original", "tail"]), unique=True, max_size=2))
    floors = {name: draw(SHARES) for name in names}
    caps = draw(st.dictionaries(st.just("synthetic"), SHARES, max_size=1))
    bits = len(floors) + len([c for c in caps.values() if c < 1])
    sizes = {
        cell: draw(st.integers(10**5, 10**9))
        for cell in range(1 << bits)
        if draw(st.booleans()) or cell == 0
    }
    config = RebalanceConfig(
        floors=floors,
        caps=caps,
        repeat_cap=draw(st.integers(1, 6)),
        shard_size=draw(st.integers(10**5, 10**9)),
        target=draw(st.none() | st.integers(10**5, 4 * 10**9)),
    )
    return sizes, config


@settings(max_examples=120, deadline=None)
@given(problems())
def test_plans_are_optimal_and_refusals_are_right(problem):
    sizes, config = problem
    need = config.target or min(config.shard_size, sum(sizes.values()))
    feasible = optimum(sizes, config)
    assert largest_size(
        stock_of(strata_of(strata(sizes)), config), Rules.of(config)
    ) == pytest.approx(feasible, rel=1e-6, abs=2)
    try:
        plan = make_plan(strata(sizes), config)
    except InfeasibleError:
        assert feasible < need * (0.995 + 1e-6 if config.target else 1 + 1e-6) + 2
        return
    assert feasible > need * (0.995 if config.target else 1) * (1 - 1e-6) - 2
    quotas = {cell.cell: cell.quota for cell in plan.cells}
    assert not Rules.of(config).broken(quotas)
    assert all(cell.quota <= cell.unique * cell.appearances for cell in plan.cells)
    assert plan.total == sum(quotas.values()) == plan.unique + plan.repeats
    if config.target:
        assert plan.total <= config.target
        assert plan.total >= min(config.target, feasible) * 0.998 - 10
    top = config.target or feasible
    best = optimum(sizes, config, min(need, feasible) * 0.999, top * 1.001)
    assert plan.unique >= best * 0.99 - 2 * plan.shards


CASES = [
    # One floor: E/floor = 4 * 10 / 0.4.
    ({0: 100, 1: 10}, {"original": 0.4}, 100),
    # Everything repeated as often as allowed is less than the floor would carry.
    ({0: 100, 1: 10}, {"original": 0.1}, 140),
    # Disjoint floors: the scarcer decides.
    ({0: 200, 1: 10, 2: 5}, {"original": 0.25, "tail": 0.2}, 100),
    # Floors above 1 together live off what serves both: 4 * 10 / 0.2.
    ({1: 500, 2: 500, 3: 10}, {"original": 0.6, "tail": 0.6}, 200),
]


@pytest.mark.parametrize(("sizes", "floors", "expected"), CASES)
def test_the_largest_size_by_hand(sizes, floors, expected):
    sizes = {cell: size * 1000 for cell, size in sizes.items()}
    config = RebalanceConfig(floors=floors)
    assert (
        largest_size(stock_of(strata_of(strata(sizes)), config), Rules.of(config))
        == expected * 1000
    )


def test_target_just_below_and_just_above_what_is_feasible():
    sizes = {0: 100_000_000, 1: 10_000_000}  # 4 * 10 M / 0.4 = 100 M
    feasible = {"floors": {"original": 0.4}, "shard_size": 1_000_000}
    assert make_plan(strata(sizes), RebalanceConfig(target=100_000_000, **feasible))
    # An output may be half a percent below its target, so that much more is refused.
    assert make_plan(strata(sizes), RebalanceConfig(target=100_500_000, **feasible))
    with pytest.raises(InfeasibleError, match="100,000,000"):
        make_plan(strata(sizes), RebalanceConfig(target=100_600_000, **feasible))


def test_a_refusal_carries_its_arithmetic():
    sizes = {0: 99_990_000, 1: 10_000}
    config = RebalanceConfig(floors={"original": 0.3}, shard_size=1_000_000)
    with pytest.raises(InfeasibleError) as refused:
        make_plan(strata(sizes), config)
    message = str(refused.value)
    assert refused.value.exit_code == 3
    assert "floor original=0.3" in message  # what binds
    assert "have 40,000 chars" in message  # 4 appearances of 10,000
    assert "need 300,000" in message
    assert "--target 133333" in message  # 40,000 / 0.3
    assert "largest feasible floor is original=0.04" in message or "original=0.0399" in message
    assert "--repeat-cap 30" in message


def test_a_floor_on_what_nobody_has():
    config = RebalanceConfig(floors={"tail": 0.1}, shard_size=1_000_000)
    with pytest.raises(InfeasibleError, match="no document is text that serves it"):
        make_plan(strata({0: 10_000_000}), config)


def test_without_documents_there_is_no_plan():
    with pytest.raises(InfeasibleError, match="no documents"):
        make_plan(STRATA.empty_table(), RebalanceConfig())


def test_a_cap_is_refused_with_the_smallest_that_would_do():
    config = RebalanceConfig(caps={"synthetic": 0.2}, shard_size=1_000_000)
    with pytest.raises(InfeasibleError, match=r"smallest feasible cap is synthetic=0\.4"):
        make_plan(strata({0: 600_000, 1: 9_000_000}), config)


def test_all_text_is_used_once_when_floors_hold_by_themselves():
    config = RebalanceConfig(floors={"original": 0.1}, shard_size=10_000)
    plan = make_plan(strata({0: 500_000, 1: 500_000}), config)
    assert (plan.unique, plan.repeats, plan.effective) == (1_000_000, 0, 1_000_000)
    assert plan.shards == 100
    assert plan.binding == ("all text is used",)


def test_repeats_are_worth_less():
    config = RebalanceConfig(floors={"original": 0.5}, shard_size=100_000)
    plan = make_plan(strata({0: 300_000, 1: 100_000}), config)
    assert plan.unique == 400_000
    assert plan.repeats == pytest.approx(200_000, abs=16)  # a few units for rounding
    # 100,000 seen 3 times: U + U * 15.4 * (1 - exp(-2 / 15.4))
    worth = 100_000 * (1 + 15.4 * (1 - np.exp(-2 / 15.4)))
    assert plan.effective == pytest.approx(300_000 + worth, abs=16)


def test_shards_are_no_more_than_a_floor_can_serve():
    config = RebalanceConfig(floors={"tail": 0.01}, shard_size=100_000)
    table = pa.concat_tables([strata({0: 10_000_000}), strata({1: 30_000}, documents=3)])
    plan = make_plan(table, config)
    assert plan.shards <= 12
    assert "floor tail=0.01" in plan.notes[0]


def test_a_plan_survives_its_file():
    config = RebalanceConfig(floors={"original": 0.5}, caps={"synthetic": 0.1}, target=300_000)
    plan = make_plan(strata({0: 300_000, 1: 100_000, 2: 4000}), config)
    read = Plan.from_json(plan.to_json())
    assert read == dataclasses.replace(plan, strata=(), quotas=())
    assert make_plan(strata({2: 4000, 1: 100_000, 0: 300_000}), config).to_json() == plan.to_json()
