"""The steps of rebalancing as partition functions: tables in, named tables out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from transforms.rebalance import codec
from transforms.rebalance.cells import Group, Rules
from transforms.rebalance.concentration import concentrated, holdings
from transforms.rebalance.config import RebalanceConfig
from transforms.rebalance.deal import deal_protected, deal_rest
from transforms.rebalance.finalise import check_total, finalise_shard
from transforms.rebalance.lines import lay_line, order_line, stratum_offsets
from transforms.rebalance.place import place, tally
from transforms.rebalance.planning import make_plan
from transforms.rebalance.ranks import mark, rank_strata, split_large

__all__ = [
    "count_holdings",
    "deal_first",
    "deal_second",
    "finish_shard",
    "group",
    "lay",
    "mark_grouped",
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


def prepare(batch: pa.RecordBatch, config: RebalanceConfig) -> tuple[pa.Table, pa.Table]:
    """What fits a shard, and rows of LIGHT that do not.

    The former are rows of MARKED, or of LIGHT where it is still to be found which sources
    and hosts are capped.
    """
    fits, large = split_large(pa.Table.from_batches([batch]), config)
    if any(config.concentrations):
        return fits, large
    return mark(fits, Rules.of(config), config), large


def mark_grouped(partition: int, tables: Tables, *, config: RebalanceConfig, groups: Side) -> Named:
    """`ranks.mark` on `documents` (LIGHT); yields `marked`."""
    del partition
    rules = Rules.of(config, _groups(groups))
    yield "marked", mark(tables["documents"], rules, config)


def count_holdings(batch: pa.RecordBatch, config: RebalanceConfig) -> pa.RecordBatch:
    """`concentration.holdings` of a batch of LIGHT."""
    return _one(holdings(pa.Table.from_batches([batch]), config))


def group(partition: int, tables: Tables, *, config: RebalanceConfig) -> Named:
    """`concentration.concentrated` on all `holdings`; yields `groups`."""
    del partition
    groups = [dataclasses.asdict(found) for found in concentrated(tables["holdings"], config)]
    text = orjson.dumps(groups).decode()
    yield "groups", pa.table([pa.array([text])], schema=codec.TEXT)


def _groups(rows: Side) -> tuple[Group, ...]:
    texts = [text for batch in rows for text in batch.column("text").to_pylist()]
    return tuple(Group(**found) for text in texts for found in orjson.loads(text))


def rank(partition: int, tables: Tables) -> Named:
    """`ranks.rank_strata` on `marked`; yields `ranked` and `strata`."""
    ranked, strata = rank_strata(partition, tables["marked"])
    yield "ranked", ranked
    yield "strata", strata


def plan_output(
    partition: int, tables: Tables, *, config: RebalanceConfig, groups: Side = ()
) -> Named:
    """`plan.make_plan` on all `strata`; yields `plan` and `offsets`."""
    del partition
    plan = make_plan(tables["strata"], config, _groups(groups))
    yield "plan", codec.plan_row(plan)
    yield "offsets", stratum_offsets(tables["strata"], plan)


def lay(partition: int, tables: Tables, *, plan: Side) -> Named:
    """`lines.lay_line` on `ranked` and its `offsets`; yields `line`."""
    del partition
    yield "line", lay_line(tables["ranked"], tables["offsets"], codec.read_plan(plan))


def order(partition: int, tables: Tables, *, plan: Side) -> Named:
    """`lines.order_line` on `line`; yields `bins`, `boulders` and the rows of both rounds.

    Those are `protected` and `rest` (ORDERED): each goes to its round only.
    """
    found = codec.read_plan(plan)
    ordered, bins, boulders = order_line(partition, tables["line"], found)
    cells = ordered.column("cell").to_numpy()
    first = pa.array(cells & np.uint32(found.rules.floor_bits) != 0)
    yield "protected", ordered.filter(first)
    yield "rest", ordered.filter(pc.invert(first))
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
    placed = place(tables["ordered"], codec.read_deal(deal))
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
    told = found.told()
    told |= {"published": published, "repeat_cap": found.config.repeat_cap}
    told["notes"] = [*found.notes, *tables["notes"].column("text").to_pylist()]
    for name in ("trimmed_documents", "trimmed_size"):
        told[name] = sum(summary.column(name).to_pylist())
    text = orjson.dumps(told, option=orjson.OPT_SORT_KEYS).decode()
    yield "plan", pa.table([pa.array([text])], schema=codec.TEXT)


def _one(table: pa.Table) -> pa.RecordBatch:
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)
