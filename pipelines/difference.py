"""What two runs differ in, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["difference"]

_MOST = 3
_INPUT = ("files", "bytes", "digest")


def difference(there: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """Says how a published run differs from one that is asked for.

    Args:
        there: Its manifest.
        asked: `config`, `input` and `config_digest` of the other, as a manifest has them.
    """
    found = list(_unlike("", there.get("config", {}), asked["config"]))
    old, new = there.get("input", {}), asked["input"]
    if any(old.get(name) != new[name] for name in _INPUT):
        found.insert(0, f"input is {_told(old)} there, {_told(new)} asked")
    if not found and there.get("config_digest") != asked["config_digest"]:
        found.append("a model, or a file that the configuration names, has other content")
    if not found:
        found.append("the index holds other runs")
    more = f" and {len(found) - _MOST} more" if len(found) > _MOST else ""
    return "; ".join(found[:_MOST]) + more


def _told(facts: Mapping[str, Any]) -> str:
    if not facts:
        return "not recorded"
    return f"{facts['files']:,} files, {facts['bytes']:,} bytes, digest {facts['digest'][:8]}"


def _unlike(where: str, there: Any, asked: Any) -> Iterator[str]:
    if isinstance(there, Mapping) and isinstance(asked, Mapping):
        for name in sorted({*there, *asked}):
            inside = f"{where}.{name}" if where else name
            yield from _unlike(inside, there.get(name), asked.get(name))
    elif there != asked and _plain(there) != _plain(asked):
        yield f"{where} is {there} there, {asked} asked"


def _plain(value: Any) -> Any:
    """Tuples become lists on their way through JSON."""
    return list(value) if isinstance(value, tuple) else value
