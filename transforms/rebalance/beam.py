"""Rebalancing wired into Beam."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import apache_beam as beam
import pyarrow as pa

import transforms.coders  # noqa: F401  # registers the coder of pa.RecordBatch
from transforms.exchange import Exchange, Input, Spool
from transforms.partition import by_hash, by_range, by_value, to_one
from transforms.rebalance import codec, finalise, lines, place, ranks
from transforms.rebalance.concentration import HOLDINGS
from transforms.rebalance.config import RebalanceConfig
from transforms.rebalance.steps import (
    count_holdings,
    deal_first,
    deal_second,
    finish_shard,
    group,
    lay,
    mark_grouped,
    order,
    place_rows,
    plan_output,
    prepare,
    rank,
    total_up,
)

__all__ = ["Rebalance"]

Collections = Mapping[str, beam.PCollection]


class Rebalance(beam.PTransform):
    """Plans the output and gives every appearance of a document its shard and place.

    Input: a dict of `documents` (batches of `ranks.LIGHT`) and `ready`, any batches
    that have to be there before the plan may refuse.
    Output: a dict of `assigned` (`finalise.ASSIGNED`), `trimmed`
    (`finalise.TRIMMED`), `too_large` (`ranks.LIGHT`) and `plan` (one row of
    `codec.TEXT`, with what came of it).

    Args:
        config: Floors, caps and sizes.
        partitions: For rows; summaries go to one.
        spool: How rows travel.
    """

    def __init__(self, config: RebalanceConfig, partitions: int, spool: Spool) -> None:
        super().__init__()
        self._config, self._partitions, self._spool = config, partitions, spool

    def _rows(
        self,
        label: str,
        inputs: Mapping[str, Input],
        apply: Callable[..., Any],
        outputs: tuple[str, ...],
        sides: Mapping[str, beam.PCollection] | None = None,
    ) -> Exchange:
        given = {name: beam.pvalue.AsList(side) for name, side in (sides or {}).items()}
        return Exchange(label, inputs, self._partitions, apply, outputs, self._spool, given)

    def _summaries(
        self,
        label: str,
        inputs: Mapping[str, pa.Schema],
        apply: Callable[..., Any],
        outputs: tuple[str, ...],
        sides: Mapping[str, beam.PCollection] | None = None,
    ) -> Exchange:
        given = {name: beam.pvalue.AsList(side) for name, side in (sides or {}).items()}
        one = {name: Input(schema, to_one) for name, schema in inputs.items()}
        return Exchange(label, one, 1, apply, outputs, self._spool, given)

    def expand(self, given: Collections) -> dict[str, beam.PCollection]:
        """Ranks, plans, orders, deals, finishes."""
        prepared = given["documents"] | "Prepare" >> _prepare(self._config)
        groups = self._groups(prepared.documents)
        marked = self._mark(prepared.documents, groups)
        ranked = {"marked": marked} | self._rows(
            "Rank strata",
            {"marked": Input(ranks.MARKED, by_range("rank"))},
            rank,
            ("ranked", "strata"),
        )
        planned = {"strata": ranked["strata"], "ready": given["ready"]} | self._summaries(
            "Plan",
            {"strata": ranks.STRATA, "ready": codec.TEXT},
            functools.partial(plan_output, config=self._config),
            ("plan", "offsets"),
            groups,
        )
        ordered = self._order(ranked["ranked"], planned)
        placed, notes = self._place(ordered, planned["plan"])
        finished = {"placed": placed} | self._rows(
            "Finish shards",
            {"placed": Input(place.PLACED, by_value("shard"))},
            finish_shard,
            ("assigned", "trimmed", "summary"),
            {"plan": planned["plan"]},
        )
        total = {"summary": finished["summary"], "notes": notes} | self._summaries(
            "Total",
            {"summary": finalise.SUMMARY, "notes": codec.TEXT},
            total_up,
            ("plan",),
            {"plan": planned["plan"]},
        )
        return {
            "assigned": finished["assigned"],
            "trimmed": finished["trimmed"],
            "too_large": prepared.too_large,
            "plan": total["plan"],
        }

    def _groups(self, documents: beam.PCollection) -> dict[str, beam.PCollection]:
        """The capped sources and hosts, as a side input; nothing where none can be."""
        if not any(self._config.concentrations):
            return {}
        counted = documents | "Hold" >> beam.Map(count_holdings, self._config).with_output_types(
            pa.RecordBatch
        )
        found = {"holdings": counted} | self._summaries(
            "Group",
            {"holdings": HOLDINGS},
            functools.partial(group, config=self._config),
            ("groups",),
        )
        return {"groups": found["groups"]}

    def _mark(
        self, documents: beam.PCollection, groups: Mapping[str, beam.PCollection]
    ) -> beam.PCollection:
        """Documents with their cells, which may depend on what all of them hold."""
        if not groups:
            return documents
        # An exchange, since its side input descends from another reader of the documents.
        found = {"documents": documents} | self._rows(
            "Mark",
            {"documents": Input(ranks.LIGHT, by_hash("node"))},
            functools.partial(mark_grouped, config=self._config),
            ("marked",),
            groups,
        )
        return found["marked"]

    def _order(self, ranked: beam.PCollection, planned: Collections) -> Collections:
        # Offsets travel, since there are as many as partitions have strata in all.
        own = by_value("partition")
        laid = {"ranked": ranked, "offsets": planned["offsets"]} | self._rows(
            "Lay lines",
            {"ranked": Input(ranks.RANKED, own), "offsets": Input(lines.OFFSETS, own)},
            lay,
            ("line",),
            {"plan": planned["plan"]},
        )
        return {"line": laid["line"]} | self._rows(
            "Order lines",
            {"line": Input(lines.LINE, by_range("key"))},
            order,
            ("protected", "rest", "bins", "boulders"),
            {"plan": planned["plan"]},
        )

    def _place(
        self, ordered: Collections, plan: beam.PCollection
    ) -> tuple[tuple[beam.PCollection, ...], beam.PCollection]:
        """Rows with their shard, and notes on how dealing went."""
        summaries = {"bins": ordered["bins"], "boulders": ordered["boulders"]}
        schemas = {"bins": lines.BINS, "boulders": lines.BOULDERS}
        first = summaries | self._summaries(
            "Deal protected", schemas, deal_first, ("deal",), {"plan": plan}
        )
        early = self._placed("protected", ordered["protected"], first["deal"])
        second = (summaries | {"tally": early["tally"]}) | self._summaries(
            "Deal rest",
            schemas | {"tally": place.TALLY},
            deal_second,
            ("deal", "notes"),
            {"plan": plan},
        )
        late = self._placed("rest", ordered["rest"], second["deal"])
        return (early["placed"], late["placed"]), second["notes"]

    def _placed(
        self, which: str, ordered: beam.PCollection, deal: beam.PCollection
    ) -> dict[str, beam.PCollection]:
        # An exchange, since the in-process runner cannot run a step whose side input
        # descends from another reader of the same collection.
        return {"ordered": ordered} | self._rows(
            f"Place {which}",
            {"ordered": Input(lines.ORDERED, by_value("partition"))},
            place_rows,
            ("placed", "tally"),
            {"deal": deal},
        )


def _prepare(config: RebalanceConfig) -> beam.ParDo:
    typed = beam.ParDo(_Prepare(config)).with_output_types(pa.RecordBatch, too_large=pa.RecordBatch)
    return typed.with_outputs("too_large", main="documents")


class _Prepare(beam.DoFn):
    """Takes out what fits no shard and draws the rank of the rest."""

    def __init__(self, config: RebalanceConfig) -> None:
        self._config = config

    def process(self, batch: pa.RecordBatch) -> Iterator[Any]:
        fits, large = prepare(batch, self._config)
        yield from fits.combine_chunks().to_batches()
        for piece in large.combine_chunks().to_batches():
            yield beam.pvalue.TaggedOutput("too_large", piece)
