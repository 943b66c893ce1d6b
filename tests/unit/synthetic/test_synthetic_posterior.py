"""The curve from scores to probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.synthetic.posterior import UNIT, Curve, fit

samples = st.lists(
    st.lists(st.integers(-50, 50), min_size=1, max_size=60).map(
        lambda values: np.array(values, dtype=np.int16)
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=150, deadline=None)
@given(samples, samples, st.integers(1, UNIT - 1))
def test_a_higher_score_is_never_less_probable(human, machine, prior: int):
    curve = fit(human, machine, prior)
    p = curve(np.arange(-60, 61, dtype=np.int16))
    assert (np.diff(p.astype(int)) >= 0).all()
    assert p.min() >= 0
    assert p.max() <= UNIT
    assert Curve.of(curve.at, curve.p) == curve


@settings(deadline=None)
@given(samples, samples, st.randoms())
def test_the_order_of_texts_and_groups_is_nothing(human, machine, rng):
    curve = fit(human, machine, 2000)
    rng.shuffle(human)
    assert fit([np.sort(group) for group in human], machine[::-1], 2000) == curve


def test_no_sample_gives_certainty():
    apart = fit([np.full(999, -5, np.int16)], [np.full(999, 5, np.int16)], 5000)
    # One text more on either side: a thousandth is left.
    assert apart(np.array([5], np.int16))[0] == 9990
    assert apart(np.array([-5], np.int16))[0] == 10


def test_without_difference_the_prior_is_left():
    same = np.arange(-1000, 1000, dtype=np.int16)
    p = fit([same], [same], 2000)(np.array([-900, 0, 900], np.int16))
    assert abs(p.astype(int) - 2000).max() <= 10


def test_probabilities_mean_what_they_say():
    """Of texts with a probability of about a half, about half are machine-made."""
    rng = np.random.default_rng(3)
    human = np.round(rng.normal(-800, 1000, 20_000)).astype(np.int16)
    machine = np.round(rng.normal(800, 1000, 20_000)).astype(np.int16)
    curve = fit([human], [machine], 2000)
    fresh = [
        np.round(rng.normal(m, 1000, n)).astype(np.int16)
        for m, n in ((-800, 80_000), (800, 20_000))
    ]
    p = curve(np.concatenate(fresh))
    made = np.repeat([False, True], [80_000, 20_000])
    for low, high in ((500, 1500), (1500, 3500), (3500, 6500), (6500, 9500)):
        inside = (p >= low) & (p < high)
        assert abs(made[inside].mean() - p[inside].mean() / UNIT) < 0.03


def test_groups_count_alike_whatever_their_size():
    rare = np.full(10, 100, np.int16)
    many = np.full(10_000, -100, np.int16)
    curve = fit([many, rare], [np.full(100, 100, np.int16)], 5000)
    # Half of all human sources score 100, as every machine does.
    assert abs(int(curve(np.array([100], np.int16))[0]) - 6667) < 300


@pytest.mark.parametrize(
    ("at", "p"),
    [
        ([1], [5]),  # a step without a level
        ([2, 1], [1, 2, 3]),  # steps that fall
        ([1], [6, 5]),  # levels that fall
        ([1], [0, 10_001]),  # more than certain
        ([1], [-1, 5]),
    ],
)
def test_what_is_no_curve_is_refused(at: list[int], p: list[int]):
    with pytest.raises(ValueError, match=r"ascend|between"):
        Curve.of(at, p)
