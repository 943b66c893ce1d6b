"""Plans and deals as rows, so that they travel as everything else does."""

from __future__ import annotations

import functools
import io
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from transforms.rebalance.deal import Deal, Level
from transforms.rebalance.plan import Plan

__all__ = ["BLOB", "TEXT", "deal_row", "plan_row", "read_deal", "read_plan"]

TEXT = pa.schema([("text", pa.string())])
"""A plan as JSON; also the rows of a signal that something is ready."""

BLOB = pa.schema([("blob", pa.binary())])
"""A deal as arrays in NumPy's npz format."""

_ARRAYS = ("pieces", "offsets", "boulders", "owners")


def plan_row(plan: Plan) -> pa.Table:
    """One row of `TEXT`."""
    return pa.table([pa.array([plan.to_json()])], schema=TEXT)


def read_plan(batches: Sequence[pa.RecordBatch]) -> Plan:
    """The plan of the one row of `TEXT` in a side input."""
    return _plan(batches[0].column("text")[0].as_py())


@functools.lru_cache(maxsize=2)
def _plan(text: str) -> Plan:
    return Plan.from_json(text)


def deal_row(deal: Deal) -> pa.Table:
    """One row of `BLOB`."""
    masks = sorted(deal.levels)
    levels = [deal.levels[mask] for mask in masks]
    scalars = [[level.quota, int(level.over)] for level in levels]
    arrays = {name: getattr(deal, name) for name in _ARRAYS}
    arrays["shards"] = np.array([deal.shards], dtype=np.int64)
    arrays["masks"] = np.array(masks, dtype=np.int64)
    arrays["scalars"] = np.array(scalars, dtype=np.int64).reshape(-1, 2)
    ends = [level.ends for level in levels]
    arrays["ends"] = np.stack(ends) if ends else np.empty((0, deal.shards), dtype=np.int64)
    sink = io.BytesIO()
    np.savez(sink, allow_pickle=False, **arrays)
    return pa.table([pa.array([sink.getvalue()], pa.binary())], schema=BLOB)


def read_deal(batches: Sequence[pa.RecordBatch]) -> Deal:
    """The deal of the one row of `BLOB` in a side input."""
    return _deal(batches[0].column("blob")[0].as_py())


@functools.lru_cache(maxsize=2)
def _deal(blob: bytes) -> Deal:
    with np.load(io.BytesIO(blob), allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    levels = {
        int(mask): Level(int(quota), bool(over), ends)
        for mask, (quota, over), ends in zip(
            arrays["masks"], arrays["scalars"], arrays["ends"], strict=True
        )
    }
    return Deal(
        shards=int(arrays["shards"][0]), levels=levels, **{name: arrays[name] for name in _ARRAYS}
    )
