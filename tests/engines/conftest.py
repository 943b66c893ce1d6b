"""What every engine's run is compared with: the shards of a local run."""

from __future__ import annotations

import pathlib

import pytest
from engines_check import Check
from running import EXAMPLE, Run, digests, read_manifest, rows, succeed


@pytest.fixture
def same_bytes(published: Run, tmp_path: pathlib.Path) -> Check:
    """Runs the examples with some flags and holds what is published against the local run."""

    def check(*flags: str) -> pathlib.Path:
        run = tmp_path / "run"
        succeed("curate", EXAMPLE, "--output", run, "--staging", tmp_path / "staging", *flags)
        assert digests(run, "data") == digests(published.output, "data")
        # How many partitions there are decides how many files dropped rows are cut into.
        for folder in ("dropped", "dead_letters"):
            one, other = (sorted(rows(r, folder), key=repr) for r in (run, published.output))
            assert one == other
        made, expected = read_manifest(run), published.manifest
        for told in ("run", "ledger", "plan", "shards", "languages"):
            assert made[told] == expected[told], told
        return run

    return check
