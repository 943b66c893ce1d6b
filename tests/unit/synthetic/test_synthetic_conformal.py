"""Thresholds: their guarantee, by exact sums and by simulation, and when they abstain."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.synthetic.conformal import MIN_CONTROLS, exceedances, threshold


def at_most(n: int, rate: Fraction, m: int) -> Fraction:
    """P(Binomial(n, rate) <= m), exactly."""
    terms = (math.comb(n, k) * rate**k * (1 - rate) ** (n - k) for k in range(m + 1))
    return sum(terms, Fraction(0))


@pytest.mark.parametrize("n", [148, 149, 300, 500, 1000])
@pytest.mark.parametrize("rate", ["0.01", "0.02", "0.05"])
def test_exceedances_are_the_most_that_keep_the_promise(n: int, rate: str):
    found, miss = exceedances(n, rate, "0.05"), Fraction("0.05")
    most = -1 if found is None else found
    assert most < 0 or at_most(n, Fraction(rate), most) <= miss
    assert at_most(n, Fraction(rate), most + 1) > miss


def test_known_sample_sizes():
    # Wilks: 59 samples for 95 % confidence in 95 % coverage, 149 for 98 %.
    assert exceedances(58, "0.05", "0.05") is None
    assert exceedances(59, "0.05", "0.05") == 0
    assert exceedances(149, "0.02", "0.05") == 0


def test_fewer_controls_than_the_minimum_say_nothing():
    scores = np.arange(MIN_CONTROLS, dtype=np.int16)
    assert threshold(scores, 0.02, "0.05") == MIN_CONTROLS - 2
    assert threshold(scores[:-1], 0.02, "0.05") is None
    # Enough to count, too few for so strict a promise.
    assert threshold(scores, 0.001, "0.05") is None


def test_the_rate_is_kept_as_often_as_promised():
    """Of 400 draws of controls few have a threshold that more than 2 % of people exceed."""
    rng = np.random.default_rng(7)
    population = np.sort(np.round(1000 * rng.standard_t(4, 200_000)).clip(-32_000, 32_000))
    broken = 0
    for _ in range(400):
        controls = rng.choice(population, 600).astype(np.int16)
        at = threshold(controls, 0.02, "0.05")
        broken += (population > at).mean() > 0.02
    # 5 % are promised; 8 % would be four standard deviations of 400 draws away from it.
    assert broken / 400 < 0.08
    # The threshold is no empty promise either: some draws do break it.
    assert broken > 0


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-3, 3), min_size=MIN_CONTROLS, max_size=400), st.randoms())
def test_order_is_nothing_and_no_more_than_promised_exceed(values: list[int], rng):
    scores = np.array(values, dtype=np.int16)
    at = threshold(scores, 0.02, "0.05")
    rng.shuffle(values)
    assert threshold(np.array(values, dtype=np.int16), 0.02, "0.05") == at
    assert at in values
    assert (scores > at).mean() <= 0.02
