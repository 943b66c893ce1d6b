"""Windows and the order inside a shard."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.rebalance.cells import Rules
from transforms.rebalance.config import RebalanceConfig
from transforms.rebalance.interleave import interleave
from transforms.rebalance.windows import worst_window


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 1000), st.booleans()), max_size=12),
    st.integers(0, 1_000_000),
)
def test_worst_window_is_the_worst_of_all(documents, share):
    sizes = np.array([size for size, _ in documents], dtype=np.int64)
    member = np.array([flag for _, flag in documents], dtype=bool)
    found, start, stop = worst_window(sizes, member, share)

    def shortfall(i, j):
        return share * int(sizes[i:j].sum()) - 1_000_000 * int(sizes[i:j][member[i:j]].sum())

    n = len(sizes)
    every = [shortfall(i, j) for i in range(n + 1) for j in range(i, n + 1)]
    assert found == -(-max(every) // 1_000_000)
    assert shortfall(start, stop) == max(every)


def check(sizes, attributes, slack=0.0):
    """Floors at what the shard has (or a little less): the hardest that it can meet."""
    names = ("original", "synthetic", "tail")[: len(attributes)]
    total = int(sizes.sum())
    shares = [int(sizes[a].sum()) * 1_000_000 // total for a in attributes]
    floors = {
        name: max(1, round(share * (1 - slack))) / 1_000_000
        for name, share in zip(names, shares, strict=True)
    }
    rules = Rules.of(RebalanceConfig(floors=floors))
    cells = sum(a.astype(np.uint16) << np.uint16(i) for i, a in enumerate(attributes))
    order = interleave(sizes, cells, rules)
    assert sorted(order.tolist()) == list(range(len(sizes)))
    for cell in np.unique(cells):  # within a cell the line's order stays
        assert np.all(np.diff(order[cells[order] == cell]) > 0)
    return max(
        worst_window(sizes[order], a[order], rule.share)[0]
        for a, rule in zip(attributes, rules.floors, strict=True)
    ) / int(sizes.max())


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 3), st.integers(0, 2**32 - 1), st.integers(2, 400), st.sampled_from("uzgl1"))
def test_no_window_is_shorter_than_promised(floors, seed, n, kind):
    rng = np.random.default_rng(seed)
    sizes = {
        "u": lambda: rng.integers(1, 1000, n),
        "z": lambda: np.minimum(rng.zipf(1.3, n), 10**6),
        "g": lambda: np.where(np.arange(n) == n // 2, 10**6, rng.integers(1, 1000, n)),
        "l": lambda: np.maximum(1, rng.lognormal(7, 1.5, n)),
        "1": lambda: np.ones(n),
    }[kind]().astype(np.int64)
    shares = rng.random(floors)
    if floors > 1 and rng.random() < 0.5:  # attributes that go together, or against each other
        base = rng.random(n)
        attributes = [base < shares[0], *[(base > 1 - s) for s in shares[1:]]]
    else:
        attributes = [rng.random(n) < share for share in shares]
    if not all(a.any() for a in attributes):
        return
    assert check(sizes, attributes) <= 1 + floors


def test_one_giant_on_each_side():
    sizes = np.array([1] * 1000 + [1000, 1000, 1000], dtype=np.int64)
    original = np.arange(1003) % 3 == 0
    tail = np.arange(1003) % 5 == 0
    original[-1], tail[-1], original[-2], tail[-2] = True, False, False, True
    assert check(sizes, [original, tail]) <= 3


@pytest.mark.parametrize("size", [1, 10**9])
def test_large_shards_do_not_overflow(size):
    sizes = np.full(2000, size, dtype=np.int64)
    original = np.arange(2000) < 600
    assert check(sizes, [original]) <= 1.01
