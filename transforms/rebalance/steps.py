"""The steps of rebalancing as partition functions: tables in, named tables out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import orjson
import pyarrow as pa

from transforms.rebalance import codec
from transforms.rebalance.cells import Rules
from transforms.rebalance.config import RebalanceConfig
from transforms.rebalance.deal import deal_protected, deal_rest
from transforms.rebalance.finalise import check_total, finalise_shard
from transforms.rebalance.lines import lay_line, order_line, stratum_offsets
from transforms.rebalance.place import place, tally
from transforms.rebalance.plan import make_plan
from transforms.rebalance.ranks import LIGHT, places, rank_strata, split_large

__all__ = [
    "RANKING",
    "deal_first",
    "deal_second",
    "finish_shard",
    "lay",
    "order",
    "place_rows",
    "plan_output",
    "prepare",
    "rank",
    "total_up",
]

Tables = Mapping[str, pa.Table]
Named = Iterator[tuple[str, pa.Table]]
Side = Sequence[pa.RecordBatch]

RANKING = LIGHT.append(pa.field("rank", pa.uint64()))
"""A document with its draw, by which rows are brought together."""


def prepare(batch: pa.RecordBatch, config: RebalanceConfig) -> tuple[pa.Table, pa.Table]:
    """Rows of RANKING for what fits a shard, and rows of LIGHT that do not."""
    fits, large = split_large(pa.Table.from_batches([batch]), config)
    ranks = places(fits, Rules.of(config), config.rotation)
    return fits.append_column("rank", pa.array(ranks, pa.uint64())), large


def rank(partition: int, tables: Tables, *, config: RebalanceConfig) -> Named:
    """`ranks.rank_strata` on `documents`; yields `ranked` and `strata`."""
    rows = tables["documents"].select(LIGHT.names)
    ranked, strata = rank_strata(partition, rows, Rules.of(config), config.rotation)
    yield "ranked", ranked
    yield "strata", strata


def plan_output(partition: int, tables: Tables, *, config: RebalanceConfig) -> Named:
    """`plan.make_plan` on all `strata`; yields `plan` and `offsets`."""
    del partition
    plan = make_plan(tables["strata"], config)
    yield "plan", codec.plan_row(plan)
    yield "offsets", stratum_offsets(tables["strata"])


def lay(partition: int, tables: Tables, *, plan: Side) -> Named:
    """`lines.lay_line` on `ranked` and its `offsets`; yields `line`."""
    del partition
    line, _ = lay_line(tables["ranked"], tables["offsets"], codec.read_plan(plan))
    yield "line", line


def order(partition: int, tables: Tables, *, plan: Side) -> Named:
    """`lines.order_line` on `line`; yields `ordered`, `bins` and `boulders`."""
    ordered, bins, boulders = order_line(partition, tables["line"], codec.read_plan(plan))
    yield "ordered", ordered
    yield "bins", bins
    yield "boulders", boulders


def deal_first(partition: int, tables: Tables, *, plan: Side) -> Named:
    """`deal.deal_protected`; yields `deal`."""
    del partition
    deal = deal_protected(tables["bins"], tables["boulders"], codec.read_plan(plan))
    yield "deal", codec.deal_row(deal)


def deal_second(partition: int, tables: Tables, *, plan: Side) -> Named:
    """`deal.deal_rest`; yields `deal` and `notes`."""
    del partition
    found = codec.read_plan(plan)
    deal = deal_rest(tables["bins"], tables["boulders"], found, tables["tally"])
    yield "deal", codec.deal_row(deal)
    yield "notes", pa.table([pa.array(deal.notes, pa.string())], schema=codec.TEXT)


def place_rows(partition: int, tables: Tables, *, deal: Side) -> Named:
    """`place.place` on `ordered`; yields `placed` and `tally`."""
    del partition
    placed, _ = place(tables["ordered"], codec.read_deal(deal))
    yield "placed", placed
    yield "tally", tally(placed)


def finish_shard(shard: int, tables: Tables, *, plan: Side) -> Named:
    """`finalise.finalise_shard` on `placed`; yields `assigned`, `trimmed`, `summary`."""
    assigned, trimmed, summary = finalise_shard(shard, tables["placed"], codec.read_plan(plan))
    yield "assigned", assigned
    yield "trimmed", trimmed
    yield "summary", summary


def total_up(partition: int, tables: Tables, *, plan: Side) -> Named:
    """Checks the size against the target; yields `plan`: what the manifest says of it."""
    del partition
    found = codec.read_plan(plan)
    summary = tables["summary"]
    published = check_total(summary, found)
    told = orjson.loads(found.to_json())
    told |= {"published": published, "repeat_cap": found.config.repeat_cap}
    told["notes"] += tables["notes"].column("text").to_pylist()
    for name in ("trimmed_documents", "trimmed_size"):
        told[name] = sum(summary.column(name).to_pylist())
    text = orjson.dumps(told, option=orjson.OPT_SORT_KEYS).decode()
    yield "plan", pa.table([pa.array([text])], schema=codec.TEXT)
