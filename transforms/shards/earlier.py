"""Witnesses that earlier runs published: that they are where a dropped row says they are."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms import storage
from transforms.dedup.index.segments import read_segment
from transforms.errors import HoldfastError

__all__ = ["Elsewhere", "check_earlier"]


@dataclasses.dataclass(frozen=True)
class Elsewhere:
    """What was found of the witnesses of other runs.

    Attributes:
        told: What was looked at, as lines for people.
        findings: Violations.
    """

    told: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()


def check_earlier(dropped: pa.Table, index: Mapping[str, Any] | None) -> Elsewhere:
    """Looks for the witnesses that other runs published.

    A run whose segment or shard is not there any more, or cannot be reached, is no
    violation: it was there when this run was made. It is told.

    Args:
        dropped: Rows of `records.DROPPED`.
        index: `index` of the manifest; None for a run without one.
    """
    named = dropped.filter(dropped.column("witness_run").is_valid())
    if index is None:
        if not len(named):
            return Elsewhere()
        told = f"{len(named)} witnesses are of other runs, but no index was compared with"
        return Elsewhere(findings=(told,))
    pinned = {str(pin["run"]) for pin in index["pinned"]}
    findings, unseen = [], 0
    shards = named.group_by(["witness_run", "witness_shard"]).aggregate([("witness", "list")])
    for group in shards.sort_by([(n, "ascending") for n in shards.column_names[:2]]).to_pylist():
        run, shard, witnesses = (group[name] for name in shards.column_names)
        if run not in pinned:
            findings.append(f"{len(witnesses)} witnesses are of run {run}, which was not pinned")
            continue
        there = _published_ids(str(index["path"]), run, shard)
        if there is None:
            unseen += len(witnesses)
            continue
        found = pc.is_in(pa.array(witnesses, pa.binary()), there)
        if lost := len(witnesses) - (pc.sum(found).as_py() or 0):
            findings.append(f"{lost} witnesses are not in {shard} of run {run}")
    told = f"{len(named)} witnesses in earlier runs"
    told += f", {unseen} of them in shards that are gone" if unseen else ""
    return Elsewhere((told,), tuple(findings))


def _published_ids(index: str, run: str, shard: str) -> pa.Array | None:
    """The `doc_id` of every row of another run's shard; None where it cannot be read."""
    try:
        segment = read_segment(index, run)
        if segment is None:
            return None
        path = storage.join(segment.folder, shard)
        if not storage.exists(path):
            return None
        with storage.open_input(path) as source:
            return pq.ParquetFile(source).read(["doc_id"]).column(0).combine_chunks()
    except (HoldfastError, pa.ArrowException, OSError):
        return None
