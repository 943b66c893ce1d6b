"""Every input that fuzzing starts from, and every one that it found a fault with, by name."""

from __future__ import annotations

import pathlib

import pytest
from fuzz_targets import TARGETS
from hypothesis import given, settings
from hypothesis import strategies as st
from running import ROOT

CORPUS = sorted((ROOT / "tests" / "fuzz" / "corpus").glob("*/*"))


def test_every_target_has_a_corpus_and_it_is_small():
    assert {path.parent.name for path in CORPUS} == set(TARGETS)
    assert sum(path.stat().st_size for path in CORPUS) < 1 << 20


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_inputs_that_are_kept(path: pathlib.Path):
    TARGETS[path.parent.name](path.read_bytes())


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(CORPUS),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=4)), max_size=3),
)
def test_inputs_with_something_else_in_them(path: pathlib.Path, put: list[tuple[float, bytes]]):
    data = bytearray(path.read_bytes())
    for share, piece in put:
        at = int(share * len(data))
        data[at : at + len(piece)] = piece
    TARGETS[path.parent.name](bytes(data))
