"""Prism, the runner that Beam's local runs move to: a server of its own, in Go."""

from __future__ import annotations

import pytest
from engines_check import Check
from running import ROOT

PRISM = ROOT / ".engines" / "bin" / "prism"


@pytest.mark.parametrize("carrier", ["files", "shuffle"])
def test_same_bytes(same_bytes: Check, carrier: str):
    assert PRISM.exists(), "Prism is not installed; run `make engines`"
    same_bytes("--exchange", carrier, "--runner=PrismRunner", f"--prism_location={PRISM}")
