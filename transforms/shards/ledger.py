"""The ledger: every document read has exactly one fate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from transforms.records import REASONS

__all__ = ["build_ledger", "check_ledger", "check_plan", "check_splits"]


_PLANNED = ("not_selected", "trimmed")
"""Reasons that the plan gives. What is too large never reaches it."""


def _account(rows: list[dict[str, Any]], field: str) -> dict[str, Any]:
    dropped = dict.fromkeys(REASONS, 0)
    kept = 0
    for row in rows:
        if row["outcome"] == "kept":
            kept += row[field]
        else:
            dropped[row["outcome"]] += row[field]
    return {"read": kept + sum(dropped.values()), "kept": kept, "dropped": dropped}


def build_ledger(outcomes: pa.Table, dead: int, field: str = "documents") -> dict[str, Any]:
    """Sums outcomes over all, by language and by origin.

    Args:
        outcomes: Rows of `staging.LEDGER`, in any order, several for a key.
        dead: Dead letters.
        field: `documents` or `size`.

    Returns:
        `read`, `kept`, `dropped` by reason, `dead_letters`, `by_language` and
        `by_origin`, with `read` = kept + dropped + dead letters. Dead letters have
        neither language nor origin.
    """
    rows = outcomes.to_pylist()
    total = _account(rows, field)
    total["read"] += dead
    total["dead_letters"] = dead
    for name, column in (("by_language", "lang"), ("by_origin", "origin")):
        keys = sorted({row[column] for row in rows})
        total[name] = {k: _account([r for r in rows if r[column] == k], field) for k in keys}
    return total


def _adds_up(name: str, account: Mapping[str, Any]) -> Iterator[str]:
    parts = account["kept"] + sum(account["dropped"].values()) + account.get("dead_letters", 0)
    if account["read"] != parts:
        yield f"the ledger of {name} does not add up: read {account['read']}, accounted for {parts}"


def check_ledger(
    ledger: Mapping[str, Any],
    kept: Mapping[str, Mapping[str, int]],
    dropped: Mapping[str, int],
    dead: int,
) -> Iterator[str]:
    """Holds a ledger against what the published files hold.

    Args:
        ledger: As `build_ledger` makes it.
        kept: `by_language` and `by_origin`: distinct published documents by key.
        dropped: Rows of `dropped/` by reason.
        dead: Rows of `dead_letters/`.

    Yields:
        A sentence per contradiction.
    """
    yield from _adds_up("the run", ledger)
    found = {"kept": sum(kept["by_language"].values()), "dead_letters": dead}
    for name, count in found.items():
        if ledger[name] != count:
            yield f"the ledger says {name}={ledger[name]}, the files hold {count}"
    for reason in sorted({*REASONS, *dropped}):
        claimed = ledger["dropped"].get(reason, 0)
        if claimed != dropped.get(reason, 0):
            yield f"the ledger says {reason}={claimed}, dropped/ holds {dropped.get(reason, 0)}"
    yield from check_splits(ledger, kept)


def check_splits(ledger: Mapping[str, Any], kept: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """Holds the accounts by language and by origin against the whole and the shards.

    Args:
        ledger: As `build_ledger` makes it, of documents or of sizes.
        kept: What the shards hold, in the same measure.

    Yields:
        A sentence per contradiction.
    """
    for name in ("by_language", "by_origin"):
        yield from _check_split(ledger, name, kept[name])


def _check_split(ledger: Mapping[str, Any], name: str, kept: Mapping[str, int]) -> Iterator[str]:
    accounts = ledger[name]
    for key, account in accounts.items():
        yield from _adds_up(f"{name} {key}", account)
        held = kept.get(key, 0)
        if account["kept"] != held:
            yield f"{name} {key}: the ledger says kept={account['kept']}, the shards hold {held}"
    for key in set(kept) - set(accounts):
        yield f"{name} {key}: the shards hold {kept[key]} documents that the ledger does not know"
    for field in ("kept", *REASONS):
        total = ledger["kept"] if field == "kept" else ledger["dropped"].get(field, 0)
        parts = sum(
            a["kept"] if field == "kept" else a["dropped"].get(field, 0) for a in accounts.values()
        )
        if total != parts:
            yield f"{name}: {field} sums to {parts}, the whole says {total}"


def check_plan(ledger: Mapping[str, Any], plan: Mapping[str, Any]) -> Iterator[str]:
    """Holds what the plan had to choose from against what deduplication kept.

    Args:
        ledger: As `build_ledger` makes it, of documents, with `size`.
        plan: As a manifest has it.

    Yields:
        A sentence per contradiction.
    """
    cells = plan.get("cells", ())
    for name, account in (("documents", ledger), ("unique", ledger["size"])):
        chosen = account["kept"] + sum(account["dropped"].get(r, 0) for r in _PLANNED)
        found = sum(cell[name] for cell in cells)
        if cells and found != chosen:
            yield f"the plan had {name}={found} to choose from, the ledger has {chosen}"
