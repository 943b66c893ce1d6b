"""What the settings of rebalancing refuse, and with which words."""

import numpy as np
import pytest
from pydantic import ValidationError
from rebalance_simulation import rows

from transforms.rebalance.cells import Rules, cells_of
from transforms.rebalance.config import RebalanceConfig, millionths

REFUSED = [
    # A percentage is the commonest slip: the message offers the share.
    ({"floors": {"original": 30}}, ["floor original=30", "between 0 and 1", "0.3"]),
    ({"floors": {"original": -0.1}}, ["floor original=-0.1", "between 0 and 1"]),
    ({"caps": {"synthetic": -0.1}}, ["cap synthetic=-0.1", "between 0 and 1"]),
    # A misspelt floor must not vanish.
    ({"floors": {"orignal": 0.3}}, ["no attribute 'orignal'", "did you mean 'original'"]),
    ({"caps": {"sythetic": 0.3}}, ["did you mean 'synthetic'"]),
    # No shard can meet both.
    ({"floors": {"tail": 0.5}, "caps": {"tail": 0.4}}, ["floor tail=0.5", "cap tail=0.4", "lower"]),
    # Finer than the integers that decide.
    ({"floors": {"tail": 0.1234567}}, ["six decimals", "0.123457"]),
    ({"repeat_cap": 0}, ["greater than or equal to 1"]),
    ({"shard_size": 7}, ["greater than or equal to 8"]),
    ({"unit": "words"}, ["chars"]),
]


@pytest.mark.parametrize(("settings", "words"), REFUSED)
def test_refuses_with_the_way_out(settings, words):
    with pytest.raises(ValidationError) as refused:
        RebalanceConfig(**settings)
    for word in words:
        assert word in str(refused.value)


def test_shares_are_exact():
    assert millionths(0.3) == 300_000  # 0.3 * 10**6 is 299999.99999999994 in some orders
    assert millionths(1e-06) == 1
    assert millionths(1) == 1_000_000


def test_cells_follow_the_order_of_floors_then_caps():
    config = RebalanceConfig(floors={"tail": 0.1, "original": 0.2}, caps={"tail": 0.5})
    rules = Rules.of(config)
    assert [str(rule) for rule in rules.constraints] == [
        "floor original=0.2",
        "floor tail=0.1",
        "cap tail=0.5",
    ]
    table = rows([1, 1, 1], original=[True, False, False], tail=[True, True, False])
    assert cells_of(table, rules).tolist() == [0b111, 0b110, 0]
    assert rules.describe(0b111) == "original+tail"
    assert rules.describe(0) == "other"


def test_rules_that_ask_for_nothing_are_left_out():
    config = RebalanceConfig(floors={"tail": 0}, caps={"synthetic": 1})
    assert Rules.of(config).constraints == ()
    assert np.all(cells_of(rows([1, 2]), Rules.of(config)) == 0)
