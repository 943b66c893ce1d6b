"""What a published run counts as, for whoever watches many of them: integers with names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["figures"]

_UNIT = 10_000
"""Estimated shares of machine-made text are in ten-thousandths (`synthetic.posterior.UNIT`)."""


def figures(manifest: Mapping[str, Any]) -> dict[str, int]:
    """Counters of a run from its manifest; a share is the ratio of two of them.

    Args:
        manifest: Of a published run.

    Returns:
        `publish/<what>`: documents `read`, `kept`, `dead_letters`, `dropped:<reason>` and
        `undecided`; `shards`; `size` and `size:<class>` of what was published, in the
        run's unit; `estimated:documents` of the strata whose share of machine-made text is
        estimated, `estimated:machine` of those by the estimate, and `warnings` about it.
    """
    ledger = manifest["ledger"]
    found = {name: ledger[name] for name in ("read", "kept", "dead_letters")}
    found |= {f"dropped:{reason}": count for reason, count in ledger["dropped"].items()}
    found |= {"undecided": manifest["undecided"]["documents"], "shards": len(manifest["shards"])}
    found |= {"size": sum(shard["size"] for shard in manifest["shards"])}
    for name in ("original", "tail", "synthetic"):
        found[f"size:{name}"] = sum(shard["members"].get(name, 0) for shard in manifest["shards"])
    found |= _estimates(manifest["decisions"].get("synthetic_shares", {}))
    return {f"publish/{name}": int(count) for name, count in found.items()}


def _estimates(shares: Mapping[str, list[Any]]) -> dict[str, int]:
    """Documents of strata with an estimate, and how many of them are machine-made."""
    told = list(_rows(shares))
    whole = [
        row for row in told if row["month"] is None and row.get("classifier_share") is not None
    ]
    machine = sum(row["documents"] * row["classifier_share"] for row in whole)
    return {
        "estimated:documents": sum(row["documents"] for row in whole),
        "estimated:machine": machine // _UNIT,
        "warnings": sum(bool(row.get("warning")) for row in told),
    }


def _rows(columns: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))
