"""Columns on their way between rooms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.bridges import assess_for, mark_tail, settle, to_rebalance
from pipelines.config import Config
from pipelines.policies import tail_policy
from transforms.dedup.rows import KEPT
from transforms.rare.rows import HOLDER, RARE, USUAL
from transforms.rebalance.ranks import LIGHT
from transforms.records import ORIGIN


def test_kept_rows_become_rows_of_the_plan():
    row = {"node": 7, "doc_id": b"d" * 16, "lang": "swh_Latn", "tail": True, "tier": 0, "size": 9}
    row |= {"copies": 1, "copies_original": 1, "weight": 500_000, "likely": 0, "source": "a"}
    origins = [row | {"node": n, "origin": n} for n in range(3)]  # anchor, unverified, synthetic
    light = to_rebalance(pa.RecordBatch.from_pylist(origins, schema=KEPT))
    assert light.schema == LIGHT
    assert light.column("original").to_pylist() == [True, False, False]
    assert light.column("synthetic").to_pylist() == [False, False, True]
    assert light.column("tail").to_pylist() == [True] * 3
    assert light.column("weight").to_pylist() == [500_000] * 3


def test_rows_of_the_plan_have_levels_where_rare_types_are_counted():
    row = {"doc_id": b"d" * 16, "lang": "swh_Latn", "tail": True, "tier": 0, "size": 100}
    row |= {"copies": 1, "copies_original": 1, "weight": 500_000, "likely": 0, "origin": 0}
    kept = pa.Table.from_pylist([row | {"node": n} for n in (7, 8)], schema=KEPT)
    rare = [{"type": n, "node": 8, "documents": 2} for n in range(3)]
    usual = {"lang": "swh_Latn", "alone": 9, "shared": 9, "originals": 9, "types": 99, "size": 900}
    given = {
        "kept": kept,
        "holders": pa.Table.from_pylist([{"node": 8, "types": 9}], schema=HOLDER),
        "rare": pa.Table.from_pylist(rare, schema=RARE),
    }
    asked: dict[str, Any] = {"policy": tail_policy(Config()), "unit": "chars", "decisions": []}
    sums = pa.RecordBatch.from_pylist([usual], schema=USUAL)
    ((_, counted),) = mark_tail(0, given, **asked, usual=[sums])
    ((_, plain),) = mark_tail(0, {"kept": kept}, **asked)
    levels = dict(zip(*(counted.column(n).to_pylist() for n in ("node", "rare")), strict=True))
    assert levels[7] == 0 < levels[8]
    assert plain.column("rare").to_pylist() == [0, 0]
    assert counted.drop_columns("rare").equals(plain.drop_columns("rare"))


def test_settling_gives_origin_and_tier():
    group = np.zeros(2, np.int64)
    tier = np.array([0, 2], np.int8)
    day = np.array([700_000, 730_000], np.int32)
    declared = np.array([False, True])
    origin, settled = settle(group, tier, day, declared, np.zeros(2, bool))
    assert (origin.tolist(), settled.tolist()) == ([0, 2], [0, 2])


def published(**fields: object) -> pa.RecordBatch:
    row = {"source": None, "host": None, "date": None, "origin_declared": None}
    schema = pa.schema([(name, pa.string()) for name in row])
    batch = pa.RecordBatch.from_pylist([row | fields], schema=schema)
    evidence = pa.array([[]], pa.list_(pa.string()))
    return batch.append_column("synthetic_evidence", evidence)


def test_provenance_is_assessed_again_from_what_is_published():
    assess = assess_for({"provenance": {"trusted_sources": ["library.example"]}})
    for fields, expected in (
        ({"date": "2019"}, ("anchor", "A")),
        ({"date": "2020"}, ("anchor", "B")),  # as late as the last day that it can mean
        ({"date": "2022-11-29T23:59:59Z"}, ("anchor", "B")),
        ({"date": "2022-11-30"}, ("unverified", None)),
        ({"host": "www.library.example"}, ("anchor", "A")),
        ({"host": "library.example", "origin_declared": "synthetic"}, ("synthetic", None)),
        ({"origin_declared": "human"}, ("unverified", None)),
        ({}, ("unverified", None)),
    ):
        found = assess(published(**fields))
        assert found.schema == ORIGIN
        assert (
            found.column("origin")[0].as_py(),
            found.column("origin_tier")[0].as_py(),
        ) == expected
