"""Runs rebalancing in one process, in the steps and partitions of the job graph."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import pyarrow as pa

from transforms.rebalance.cells import Rules
from transforms.rebalance.concentration import concentrated, holdings
from transforms.rebalance.config import RebalanceConfig
from transforms.rebalance.deal import deal_protected, deal_rest
from transforms.rebalance.finalise import check_total, finalise_shard, numbered
from transforms.rebalance.lines import lay_line, order_line, stratum_offsets
from transforms.rebalance.place import PLACED, place, tally
from transforms.rebalance.plan import Plan
from transforms.rebalance.planning import make_plan
from transforms.rebalance.ranks import LIGHT, mark, rank_strata


@dataclasses.dataclass
class Outcome:
    plan: Plan
    assigned: pa.Table
    trimmed: pa.Table
    summaries: pa.Table
    size: int


def rows(
    sizes,
    original=None,
    tail=None,
    synthetic=None,
    *,
    lang=None,
    seed=0,
    weight=None,
    source=None,
    host=None,
    likely=None,
    copies=None,
    rare=None,
) -> pa.Table:
    """Light rows; a document's id depends on its number and the seed only."""
    n = len(sizes)
    none = np.zeros(n, dtype=bool)
    ids = [hashlib.blake2b(f"{seed}:{i}".encode(), digest_size=16).digest() for i in range(n)]
    return (
        pa.table(
            {
                "node": np.arange(n, dtype=np.uint64),
                "doc_id": pa.array(ids, pa.binary()),
                "mixed": none,
                "lang": pa.array(lang if lang is not None else ["eng_Latn"] * n, pa.string()),
                "original": none if original is None else original,
                "tail": none if tail is None else tail,
                "synthetic": none if synthetic is None else synthetic,
                "source": pa.array([""] * n if source is None else source, pa.string()),
                "host": pa.array([""] * n if host is None else host, pa.string()),
                "likely": pa.array(np.zeros(n) if likely is None else likely, pa.int16()),
                "copies": pa.array(np.ones(n) if copies is None else copies, pa.int64()),
                "rare": pa.array(np.zeros(n) if rare is None else rare, pa.int32()),
                "weight": pa.array(np.full(n, 1_000_000) if weight is None else weight, pa.int32()),
                "size": np.asarray(sizes, dtype=np.int64),
            },
        )
        .select(LIGHT.names)
        .cast(LIGHT)
    )


def by_range(keys: np.ndarray, partitions: int) -> np.ndarray:
    return ((keys >> np.uint64(32)) * np.uint64(partitions) >> np.uint64(32)).astype(np.int64)


def _parts(table: pa.Table, index: np.ndarray) -> list[tuple[int, pa.Table]]:
    return [(int(p), table.filter(pa.array(index == p))) for p in np.unique(index)]


def lay(table: pa.Table, config: RebalanceConfig, partitions: int = 1):
    """Ranks, plan and the line, before it is dealt."""
    groups = concentrated(holdings(table, config), config)
    rules = Rules.of(config, groups)
    marked = mark(table, rules, config)
    parts = _parts(marked, by_range(marked["rank"].to_numpy(), partitions))
    ranked = [rank_strata(p, part) for p, part in parts]
    strata = pa.concat_tables([summary for _, summary in reversed(ranked)])
    made = make_plan(strata, config, groups)
    plan = Plan.from_json(made.to_json())
    offsets = stratum_offsets(strata, made)
    return plan, [lay_line(part, offsets, plan) for part, _ in ranked]


def simulate(table: pa.Table, config: RebalanceConfig, partitions: int = 1) -> Outcome:
    plan, laid = lay(table, config, partitions)
    line = pa.concat_tables(laid)
    pieces = _parts(line, by_range(line["key"].to_numpy(), partitions))
    ordered = [order_line(p, part, plan) for p, part in pieces]
    bins, boulders = (pa.concat_tables([o[i] for o in reversed(ordered)]) for i in (1, 2))
    batches = [
        pa.Table.from_batches([batch])
        for piece, _, _ in ordered
        for batch in piece.to_batches(max_chunksize=100_000)
    ]
    first = deal_protected(bins, boulders, plan)
    placed = [place(batch, first) for batch in batches]
    counted = pa.concat_tables([tally(part) for part in placed])
    second = deal_rest(bins, boulders, plan, counted)
    placed += [place(batch, second) for batch in batches]
    every = pa.concat_tables(placed)
    assert every.schema == PLACED
    done = [finalise_shard(s, t, plan) for s, t in _parts(every, every["shard"].to_numpy())]
    assigned, trimmed, summaries = (pa.concat_tables([d[i] for d in done]) for i in range(3))
    size = check_total(summaries, plan)
    assigned = assigned.append_column("repeat", pa.array(numbered(assigned)))
    return Outcome(plan, assigned, trimmed, summaries, size)
