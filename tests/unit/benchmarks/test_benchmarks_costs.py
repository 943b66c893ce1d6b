"""Estimates follow from rates by hand arithmetic."""

from __future__ import annotations

import math

import pytest

from benchmarks.costs import Prices, Rates, estimate, rates

SMALL = {
    "documents": 100, "text": 1_000, "shuffle": {"a": 500, "b": 100}, "storage": {"parts": 400}
}  # fmt: skip
LARGE = {
    "documents": 300, "text": 3_000, "shuffle": {"a": 1_500, "b": 500},
    "storage": {"parts": 1_200, "data": 200},
}  # fmt: skip


def test_rates_are_of_a_further_byte():
    told = rates(SMALL, LARGE, [10.0, 14.0])
    assert told.cpu == pytest.approx(4 / 2_000)
    assert told.shuffle == pytest.approx((2_000 - 600) / 2_000)
    assert told.storage == pytest.approx({"parts": 0.4, "data": 0.1})
    assert told.document == 10


def test_an_estimate_is_what_the_prices_make_of_the_rates():
    given = Rates(cpu=3.6e-7, shuffle=2.0, storage={"parts": 0.5, "data": 0.5}, document=1_000)
    prices = Prices(core=0.05, memory=0.0, disk=0.0, shuffle=0.01, storage_month=0.02)
    told = estimate(1e12, given, prices)
    assert told.core_hours == pytest.approx(100 / 0.7)
    assert told.compute_dollars == pytest.approx(0.05 * 100 / 0.7)
    assert told.shuffle_dollars == pytest.approx(20.0)
    assert told.storage_dollars == pytest.approx(20.0)
    assert told.hours[1_000] == pytest.approx(told.hours[100] / 10)
    # Beyond a thousand partitions, their number grows with the root of the text.
    assert told.text == math.isqrt(1_000 * -(-(10**12) // (48 << 20)))
    assert told.light == 3_860


def test_ten_times_the_text_costs_ten_times():
    given = Rates(cpu=3.6e-7, shuffle=2.0, storage={"parts": 1.0}, document=1_000)
    one, ten = (estimate(size * 1e12, given, Prices()) for size in (1, 10))
    assert ten.compute_dollars == pytest.approx(10 * one.compute_dollars)
    assert ten.shuffle_dollars == pytest.approx(10 * one.shuffle_dollars)
