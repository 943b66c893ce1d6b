"""What of archives is no document: summed by archive and reason, and held against the manifest."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from transforms.records import SKIPPED
from transforms.shards.skipped import by_reason, check_skipped, in_order


def skipped(*found: tuple[str, str, int]) -> pa.Table:
    rows = [dict(zip(SKIPPED.names, row, strict=True)) for row in found]
    return pa.Table.from_pylist(rows, schema=SKIPPED)


FOUND = skipped(("b", "request", 2), ("a", "revisit", 1), ("a", "request", 3), ("b", "request", 1))


def test_rows_do_not_depend_on_the_order_in_which_they_came():
    expected = skipped(("a", "request", 3), ("a", "revisit", 1), ("b", "request", 3))
    assert in_order(FOUND) == expected
    assert in_order(FOUND.take([3, 1, 0, 2])) == expected
    assert in_order(SKIPPED.empty_table()) == SKIPPED.empty_table()


def test_reasons_are_summed():
    assert by_reason(FOUND) == {"request": 6, "revisit": 1}
    assert by_reason(SKIPPED.empty_table()) == {}


@pytest.mark.parametrize(
    ("manifest", "good"),
    [
        ({"skipped": {"request": 6, "revisit": 1}}, True),
        ({"skipped": {"request": 5, "revisit": 1}}, False),
        ({"skipped": {"request": 6}}, False),
        ({}, False),
    ],
)
def test_a_manifest_that_says_otherwise_shows(manifest: dict[str, Any], good: bool):
    assert (list(check_skipped(manifest, FOUND)) == []) == good


def test_runs_of_which_nothing_is_said_skipped_nothing():
    assert list(check_skipped({}, SKIPPED.empty_table())) == []
