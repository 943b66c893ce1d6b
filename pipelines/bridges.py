"""Where columns of one room become those of another; no Beam, so that commands start fast."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.dedup.rows import ORIGINS
from transforms.ingest.dates import parse_dates
from transforms.provenance.assess import assess
from transforms.provenance.config import ProvenanceConfig
from transforms.provenance.group import settle_groups
from transforms.rare.level import rare_levels
from transforms.rare.rows import USUAL
from transforms.rebalance.ranks import LIGHT
from transforms.records import Unit
from transforms.shards.promise import Assess
from transforms.staging.survey.decisions import Policy, apply_decisions, read_decisions

__all__ = ["assess_for", "assess_published", "days", "mark_tail", "settle", "to_rebalance"]


def settle(*columns: Any) -> tuple[Any, Any]:
    """`provenance.settle_groups`, as deduplication wants it: origin and tier."""
    settled = settle_groups(*columns)
    return settled.origin, settled.tier


def to_rebalance(kept: pa.RecordBatch) -> pa.RecordBatch:
    """Rows of `dedup.rows.KEPT`, with `rare` if levels are known, as rows of `ranks.LIGHT`."""
    flags = {
        "original": pc.equal(kept.column("origin"), ORIGINS.index("anchor")),
        "synthetic": pc.equal(kept.column("origin"), ORIGINS.index("synthetic")),
    }
    flags |= {name: kept.column(name).fill_null("") for name in ("source", "host")}
    if "rare" not in kept.schema.names:
        flags["rare"] = pa.array(np.zeros(len(kept), np.int32))
    columns = [flags[name] if name in flags else kept.column(name) for name in LIGHT.names]
    return pa.RecordBatch.from_arrays(columns, schema=LIGHT)


def days(dates: pa.Array) -> pa.Array:
    """The last day that each published date can mean, as an ordinal; null where undated."""
    return parse_dates(dates)[1]


def mark_tail(
    partition: int,
    tables: Mapping[str, pa.Table],
    *,
    policy: Policy,
    unit: Unit,
    decisions: Iterable[pa.RecordBatch],
    usual: Iterable[pa.RecordBatch] = (),
) -> Iterator[tuple[str, pa.Table]]:
    """Kept rows as the plan takes them, tail and rare types as the run has them.

    Args:
        partition: Not used.
        tables: `kept`: rows of `dedup.rows.KEPT`; where rare types are counted, `holders`
            (rare.rows.HOLDER) and `rare` (rare.rows.RARE).
        policy: Decided which languages are tail.
        unit: Of sizes.
        decisions: Rows of `survey.DECISIONS`.
        usual: Rows of `rare.rows.USUAL`, where rare types are counted.

    Yields:
        `documents` (`ranks.LIGHT`).
    """
    del partition
    kept = apply_decisions(tables["kept"], (policy,), read_decisions(decisions)).combine_chunks()
    if "rare" in tables:
        known = (tables["holders"], tables["rare"], pa.Table.from_batches(usual, USUAL))
        kept = kept.append_column("rare", rare_levels(kept, *known, unit))
    batches = [to_rebalance(batch) for batch in kept.to_batches()]
    yield "documents", pa.Table.from_batches(batches, schema=LIGHT)


def assess_published(config: ProvenanceConfig) -> Assess:
    """Provenance from the columns of a published row, for whoever checks it."""
    return functools.partial(_assess, config)


def _assess(config: ProvenanceConfig, batch: pa.RecordBatch) -> pa.RecordBatch:
    _, day, _ = parse_dates(batch.column("date"))
    return assess(batch.append_column(pa.field("date_day", pa.int32()), day), config)


def assess_for(config: Mapping[str, Any]) -> Assess:
    """The same, from the `config` of a manifest."""
    return assess_published(ProvenanceConfig(**config["provenance"]))
