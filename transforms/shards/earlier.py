"""Witnesses that earlier runs published: that they are where a dropped row says they are."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from transforms import storage
from transforms.dedup.index.segments import read_segment
from transforms.errors import HoldfastError
from transforms.formats.choose import read_columns

__all__ = ["Elsewhere", "check_earlier"]

_READERS = 16


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
    groups = named.group_by(["witness_run", "witness_shard"]).aggregate([("witness", "list")])
    groups = groups.sort_by([(name, "ascending") for name in groups.column_names[:2]])
    look = functools.partial(_look, str(index["path"]), {str(p["run"]) for p in index["pinned"]})
    with ThreadPoolExecutor(_READERS) as pool:
        seen = list(pool.map(look, zip(*(c.to_pylist() for c in groups.columns), strict=True)))
    unseen = sum(count for count, _ in seen)
    told = f"{len(named)} witnesses in earlier runs"
    told += f", {unseen} of them in shards that are gone" if unseen else ""
    return Elsewhere((told,), tuple(finding for _, finding in seen if finding))


def _look(index: str, pinned: set[str], group: tuple[str, str, list[bytes]]) -> tuple[int, str]:
    """Looks for the witnesses of one shard: how many are out of reach, and a finding or ''."""
    run, shard, witnesses = group
    if run not in pinned:
        return 0, f"{len(witnesses)} witnesses are of run {run}, which was not pinned"
    there = _published_ids(index, run, shard)
    if there is None:
        return len(witnesses), ""
    lost = len(witnesses) - (pc.sum(pc.is_in(pa.array(witnesses, pa.binary()), there)).as_py() or 0)
    return 0, f"{lost} witnesses are not in {shard} of run {run}" if lost else ""


def _published_ids(index: str, run: str, shard: str) -> pa.Array | None:
    """The `doc_id` of every row of another run's shard; None where it cannot be read."""
    try:
        segment = read_segment(index, run)
        if segment is None:
            return None
        path = storage.join(segment.folder, shard)
        if not storage.exists(path):
            return None
        return read_columns(path, ["doc_id"]).column(0).combine_chunks()
    except (HoldfastError, pa.ArrowException, OSError, ValueError):
        return None
