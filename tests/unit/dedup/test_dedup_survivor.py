"""Survivor order, against a Python sort key."""

import datetime

import numpy as np
import pyarrow as pa
import pytest
from dedup_reference import light, light_row, survivor_sort_key
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.dedup.survivor import MAX_CHARS, UNDATED, first_word, survivor_keys

DAY = (
    st.none()
    | st.sampled_from([1, 737_577, 738_489])
    | st.integers(1, datetime.date.max.toordinal())
)
ROW = st.fixed_dictionaries(
    {
        "tier": st.integers(0, 2),
        "date_day": DAY,
        "p": st.sampled_from([-1, 0, 1, 9_999, 10_000]),
        "n_chars": st.sampled_from([0, 1, 2, 1500, MAX_CHARS - 1, MAX_CHARS]),
    }
)


def keys(rows: list[dict[str, object]]) -> list[tuple[int, int]]:
    table = light(rows)
    hi, lo = survivor_keys(
        table.column("tier").to_numpy(),
        table.column("date_day").fill_null(UNDATED).to_numpy(),
        table.column("p").to_numpy(),
        table.column("n_chars").to_numpy(),
        table.column("doc_id"),
    )
    return list(zip(hi.tolist(), lo.tolist(), strict=True))


OLD, NEW = {"date_day": 700_000}, {"date_day": 730_000}


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        # Evidence of human origin goes before everything else.
        ({"tier": 0, "date_day": None, "n_chars": 1}, {"tier": 1, **OLD, "n_chars": 9999}),
        ({"tier": 1, "date_day": None, "p": 10_000}, {"tier": 2, **OLD, "p": 0}),
        # Then the date; unknown is later than the last day there is.
        ({**OLD, "p": 10_000}, {**NEW, "p": 0}),
        ({"date_day": datetime.date.max.toordinal(), "p": 10_000}, {"date_day": None, "p": 0}),
        # Then the probability; unknown is worse than certainty.
        ({"p": 0, "n_chars": 1}, {"p": 1, "n_chars": 99}),
        ({"p": 10_000, "n_chars": 1}, {"p": -1, "n_chars": 99}),
        # In tier A the probability counts as 0 whatever it says: length decides.
        ({"tier": 0, "p": 10_000, "n_chars": 2}, {"tier": 0, "p": 0, "n_chars": 1}),
        ({"tier": 0, "p": -1, "n_chars": 2}, {"tier": 0, "p": 0, "n_chars": 1}),
        # In tier B it counts.
        ({"tier": 1, "p": 0, "n_chars": 1}, {"tier": 1, "p": 5, "n_chars": 2}),
        # Then the longer, and at last the smaller doc_id, byte by byte.
        ({"n_chars": 2, "doc_id": b"\xff" * 16}, {"n_chars": 1, "doc_id": bytes(16)}),
        ({"doc_id": b"\x00\xff" + bytes(14)}, {"doc_id": b"\x01\x00" + bytes(14)}),
        ({"doc_id": b"\x7f" + bytes(15)}, {"doc_id": b"\x80" + bytes(15)}),
    ],
)
def test_the_better_has_the_smaller_key(better, worse):
    rows = [light_row(1, **better), light_row(2, **worse)]
    first, second = keys(rows)
    assert first < second
    assert survivor_sort_key(rows[0]) < survivor_sort_key(rows[1])


@settings(max_examples=200, deadline=None, database=None)
@given(st.lists(ROW, min_size=2, max_size=12))
def test_orders_as_the_definition_and_never_ties(fields):
    rows = [light_row(node, **field) for node, field in enumerate(fields)]
    found = keys(rows)
    assert len(set(found)) == len(rows)
    nodes = range(len(rows))
    by_definition = sorted(nodes, key=lambda node: survivor_sort_key(rows[node]))
    assert sorted(nodes, key=found.__getitem__) == by_definition


@settings(max_examples=50, deadline=None, database=None)
@given(st.lists(ROW, min_size=1, max_size=8), st.integers(0, 7), st.integers(0, 8))
def test_keys_do_not_depend_on_the_rows_around(fields, offset, length):
    rows = [light_row(node, **field) for node, field in enumerate(fields)]
    assert keys(rows[offset : offset + length]) == keys(rows)[offset : offset + length]


def test_longer_than_the_key_can_tell_counts_as_longest():
    long, longest = keys([light_row(1, n_chars=MAX_CHARS), light_row(1, n_chars=2**31 - 1)])
    assert long == longest


def test_first_word_of_slices_and_chunks():
    ids = pa.array([bytes([k]) * 16 for k in range(6)])
    expected = [int.from_bytes(bytes([k]) * 8, "big") for k in range(6)]
    assert first_word(ids).tolist() == expected
    assert first_word(ids.slice(2, 3)).tolist() == expected[2:5]
    assert first_word(pa.chunked_array([ids.slice(4), ids.slice(0, 1)])).tolist() == [
        *expected[4:],
        expected[0],
    ]
    assert first_word(ids.slice(6)).dtype == np.uint64
