"""The ledger by input file: it adds up, and whatever is missing shows."""

from __future__ import annotations

import copy
from typing import Any

import pyarrow as pa
import pytest

from transforms.dedup.rows import PART
from transforms.ingest.splits import part_id
from transforms.shards.by_file import BY_FILE, by_file, check_by_file, file_of
from transforms.shards.ledger import build_ledger, check_plan
from transforms.staging.outcome import LEDGER

INPUTS = [("a.jsonl", 100), ("b.parquet", 200), ("empty.jsonl", 0)]
LETTERS = {"a.jsonl": (1, 30)}


def outcome(file: int, fate: str, documents: int, size: int) -> dict[str, Any]:
    row = {"file": file, "lang": "swh_Latn", "origin": "anchor", "outcome": fate}
    return row | {"documents": documents, "size": size}


OUTCOMES = [
    outcome(0, "kept", 2, 20),
    outcome(0, "near_duplicate", 1, 9),
    outcome(1, "kept", 3, 30),
    outcome(1, "kept", 1, 5),
    outcome(1, "trimmed", 1, 7),
]


def part(file: int, number: int, rows: int) -> dict[str, Any]:
    return {"part": part_id(file, number), "path": "", "rows": rows, "first": 0}


PARTS = [part(0, 0, 3), part(1, 0, 2), part(1, 9, 3)]


def made(parts: list[dict[str, Any]], outcomes: list[dict[str, Any]]) -> tuple[pa.Table, Any]:
    rows = pa.Table.from_pylist(outcomes, schema=LEDGER)
    ledger = build_ledger(rows, 1) | {"size": build_ledger(rows, 0, "size")}
    return by_file(INPUTS, pa.Table.from_pylist(parts, schema=PART), rows, LETTERS), ledger


def test_every_file_has_its_account():
    table, ledger = made(PARTS, OUTCOMES)
    assert table.schema.equals(BY_FILE)
    a, b, empty = table.to_pylist()
    assert (a["file"], a["n_bytes"], a["read"], a["kept"], a["near_duplicate"]) == (
        "a.jsonl", 100, 4, 2, 1,
    )  # fmt: skip
    assert (a["dead_letters"], a["dead_letters_bytes"]) == (1, 30)
    assert (a["read_size"], a["kept_size"], a["near_duplicate_size"]) == (29, 20, 9)
    assert (b["read"], b["kept"], b["kept_size"], b["trimmed_size"]) == (5, 4, 35, 7)
    assert (empty["file"], empty["read"], empty["kept"]) == ("empty.jsonl", 0, 0)
    assert list(check_by_file(table, ledger)) == []


@pytest.mark.parametrize(
    ("parts", "outcomes", "words"),
    [
        (PARTS[:2], OUTCOMES, "b.parquet: 2 records were read, 5 are accounted for"),
        (PARTS, OUTCOMES[1:], "a.jsonl: 4 records were read, 2 are accounted for"),
        (PARTS, [*OUTCOMES, OUTCOMES[0]], "a.jsonl: 4 records were read, 6 are accounted for"),
        (PARTS, [*OUTCOMES, outcome(7, "kept", 1, 4)], "by file, kept sums to 6; the whole says 7"),
    ],
    ids=["a part is gone", "a row is gone", "a row came twice", "of no file"],
)
def test_what_is_lost_shows(parts: list[Any], outcomes: list[Any], words: str):
    table, ledger = made(parts, outcomes)
    assert words in list(check_by_file(table, ledger))


@pytest.mark.parametrize("column", [name for name in BY_FILE.names if name not in ("file",)])
def test_a_forged_number_shows(column: str):
    table, ledger = made(PARTS, OUTCOMES)
    rows = table.to_pylist()
    rows[1][column] += 1
    found = list(check_by_file(pa.Table.from_pylist(rows, schema=BY_FILE), ledger))
    # Sizes of files and of what cannot be read stand nowhere else.
    assert bool(found) == (column not in ("n_bytes", "dead_letters_bytes"))


def test_files_are_numbered_as_they_are_read():
    assert [file_of(part_id(file, 65_535)) for file in (0, 5, 1 << 22)] == [0, 5, 1 << 22]


PLAN = {"cells": [{"documents": 5, "unique": 47}, {"documents": 2, "unique": 15}]}


def test_the_plan_had_everything_to_choose_from():
    _, ledger = made(PARTS, OUTCOMES)
    assert list(check_plan(ledger, PLAN)) == []
    for name in ("documents", "unique"):
        short = copy.deepcopy(PLAN)
        short["cells"][0][name] -= 1
        (found,) = check_plan(ledger, short)
        assert f"the plan had {name}=" in found
