"""What each stage of a run cost, from its counters and from what it left on disk."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, Self

from benchmarks.tables import print_table

__all__ = ["Stages", "print_stages"]

_SHOWN = 0.005
"""Share of the whole from which a stage is worth a row of its own."""
_KINDS = {"cpu": "cpu_us:", "shuffle": "exchange_bytes:", "rows": "exchange_rows:"}
_LARGEST = {"partition": "max:partition_bytes:", "side": "max:side_bytes:"}


@dataclasses.dataclass(frozen=True)
class Stages:
    """Costs of one run.

    Attributes:
        documents: That were read.
        text: Bytes of their texts.
        cpu: Microseconds, by stage.
        shuffle: Bytes that cross a shuffle, by exchange.
        rows: Rows that do.
        partition: Bytes of the largest partition, by exchange.
        side: Bytes of the side inputs of a step, by exchange.
        storage: Bytes left on disk, by folder.
    """

    documents: int
    text: int
    cpu: Mapping[str, int]
    shuffle: Mapping[str, int]
    rows: Mapping[str, int]
    partition: Mapping[str, int]
    side: Mapping[str, int]
    storage: Mapping[str, int]

    @classmethod
    def of(cls, documents: int, run: pathlib.Path) -> Self:
        """Of a published run and the staging folder beside it."""
        staging = run.with_name(f"{run.name}.staging")
        counters = json.loads((staging / "metrics.json").read_text())
        told = {kind: _named(counters, prefix) for kind, prefix in (_KINDS | _LARGEST).items()}
        folders = {f"run/{p.name}": p for p in sorted(run.iterdir()) if p.is_dir()}
        folders |= {f"staging/{p.name}": p for p in sorted(staging.iterdir()) if p.is_dir()}
        storage = {name: _bytes(folder) for name, folder in folders.items()}
        return cls(documents, counters["annotate/bytes"], storage=storage, **told)

    def record(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return dataclasses.asdict(self)


def _named(counters: Mapping[str, int], prefix: str) -> dict[str, int]:
    return {n.removeprefix(prefix): v for n, v in counters.items() if n.startswith(prefix)}


def _bytes(folder: pathlib.Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _each(runs: Sequence[Stages], kind: str) -> list[list[str]]:
    """Rows of a table: a stage, and what it cost per document at each size."""
    costs = [getattr(run, kind) for run in runs]
    last = costs[-1]
    least = _SHOWN * sum(last.values())
    shown = sorted((n for n in last if last[n] >= least), key=lambda n: -last[n])
    rows = [
        [name, *(f"{cost.get(name, 0) / run.documents:,.2f}" for run, cost in _pairs(runs, costs))]
        for name in shown
    ]
    whole = [f"{sum(cost.values()) / run.documents:,.2f}" for run, cost in _pairs(runs, costs)]
    return [*rows, ["all stages", *whole]]


def _pairs(runs: Sequence[Stages], costs: Sequence[Any]) -> Any:
    return zip(runs, costs, strict=True)


def _most(runs: Sequence[Stages], kind: str) -> list[list[str]]:
    """Rows of a table: an exchange, and the most that one worker held of it, in kB."""
    last = getattr(runs[-1], kind)
    shown = sorted(last, key=lambda name: -last[name])[:8]
    return [[n, *(f"{getattr(run, kind).get(n, 0) / 1e3:,.0f}" for run in runs)] for n in shown]


def print_stages(runs: Sequence[Stages]) -> None:
    """Prints costs by stage, one column for each size."""
    sizes = [f"{run.documents:,}" for run in runs]
    for kind, told in (
        ("cpu", "CPU, microseconds a document"),
        ("shuffle", "Shuffled, bytes a document"),
        ("storage", "Storage, bytes a document"),
    ):
        print_table(told, ("stage", *sizes), _each(runs, kind))
    text = [f"{run.text / run.documents:,.0f}" for run in runs]
    print_table("Text, bytes a document", ("", *sizes), [["text", *text]])
    for kind, told in (
        ("partition", "Largest partition, kB"),
        ("side", "Side inputs of a step, kB"),
    ):
        print_table(told, ("exchange", *sizes), _most(runs, kind))
