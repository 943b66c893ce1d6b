"""Beam's in-process runner, in every way that it runs a graph."""

from __future__ import annotations

import pytest
from engines_check import Check

WAYS = {
    "one worker in this process": ("--direct_num_workers=1",),
    "two threads": ("--direct_num_workers=2", "--direct_running_mode=multi_threading"),
    "two processes": ("--direct_num_workers=2", "--direct_running_mode=multi_processing"),
}


@pytest.mark.parametrize("carrier", ["files", "shuffle"])
@pytest.mark.parametrize("way", WAYS)
def test_same_bytes(same_bytes: Check, way: str, carrier: str):
    same_bytes("--exchange", carrier, *WAYS[way])
