"""Where columns of one room become those of another; no Beam, so that commands start fast."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from transforms.dedup.rows import ORIGINS
from transforms.ingest.dates import parse_dates
from transforms.provenance.assess import assess
from transforms.provenance.config import ProvenanceConfig
from transforms.provenance.group import settle_groups
from transforms.rebalance.ranks import LIGHT
from transforms.shards.promise import Assess

__all__ = ["assess_for", "assess_published", "days", "settle", "to_rebalance"]


def settle(*columns: Any) -> tuple[Any, Any]:
    """`provenance.settle_groups`, as deduplication wants it: origin and tier."""
    settled = settle_groups(*columns)
    return settled.origin, settled.tier


def to_rebalance(kept: pa.RecordBatch) -> pa.RecordBatch:
    """Rows of `dedup.rows.KEPT` as rows of `ranks.LIGHT`."""
    flags = {
        "original": pc.equal(kept.column("origin"), ORIGINS.index("anchor")),
        "synthetic": pc.equal(kept.column("origin"), ORIGINS.index("synthetic")),
    }
    columns = [flags[name] if name in flags else kept.column(name) for name in LIGHT.names]
    return pa.RecordBatch.from_arrays(columns, schema=LIGHT)


def days(dates: pa.Array) -> pa.Array:
    """The last day that each published date can mean, as an ordinal; null where undated."""
    return parse_dates(dates)[1]


def assess_published(config: ProvenanceConfig) -> Assess:
    """Provenance from the columns of a published row, for whoever checks it."""
    return functools.partial(_assess, config)


def _assess(config: ProvenanceConfig, batch: pa.RecordBatch) -> pa.RecordBatch:
    _, day, _ = parse_dates(batch.column("date"))
    return assess(batch.append_column(pa.field("date_day", pa.int32()), day), config)


def assess_for(config: Mapping[str, Any]) -> Assess:
    """The same, from the `config` of a manifest."""
    return assess_published(ProvenanceConfig(**config["provenance"]))
