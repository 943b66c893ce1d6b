"""The size of the graph does not follow the number of input files."""

from __future__ import annotations

import pathlib

import pytest
from deploy_template import ASKED, MOST, build, write_inputs


def test_ten_thousand_files_make_no_larger_graph_than_ten(tmp_path: pathlib.Path):
    sizes = {}
    for files in (10, 10_000):
        folder = tmp_path / f"of-{files:05}"
        folder.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            built = build(patch, folder, f"--input={write_inputs(folder, files)}", *ASKED)
        assert len((folder / "staging" / "inputs.jsonl").read_text().splitlines()) == files
        sizes[files] = built.sizes
        assert max(built.sizes.values()) <= MOST
    # The number of partitions may take a digit more.
    assert abs(sizes[10_000]["pipeline.pb"] - sizes[10]["pipeline.pb"]) < 1_000
