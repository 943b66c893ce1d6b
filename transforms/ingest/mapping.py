"""What a record's fields become: mapped columns, host, origin, and metadata as JSON.

A field that is null counts as absent, and so does an object in which nothing is
left: Parquet cannot tell them apart. Both are left out of `metadata`, so that one
record reads the same from either format.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import math
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

__all__ = [
    "MISSING",
    "Record",
    "canonical_origin",
    "find",
    "hosts",
    "metadata_json",
    "scalar_text",
    "without",
]

MISSING: Any = object()
"""What `find` returns for a path that leads nowhere."""

_ORIGINS = {
    "human": "human",
    "original": "human",
    "organic": "human",
    "synthetic": "synthetic",
    "machine": "synthetic",
    "ai": "synthetic",
    "llm": "synthetic",
    "generated": "synthetic",
    "machine-generated": "synthetic",
}
_ALIASES = pa.array(list(_ORIGINS), pa.string())
_CANONICAL = pa.array(list(_ORIGINS.values()), pa.string())

_HOST = (
    r"^\s*[A-Za-z][A-Za-z0-9+.\-]*://"  # scheme
    r"(?:[^/?#\\]*@)?"  # user and password
    r"(?P<host>\[[^\]/?#\s]+\]|[^/?#:\\\s\[\]@]+?)"
    r"\.?(?::[0-9]*)?(?:[/?#\\]|\s*$)"
)

Record = dict[str, Any]


def find(record: Record, path: str) -> Any:
    """The value at a dotted path; a field whose own name holds the dots comes first."""
    if path in record:
        return record[path]
    value: Any = record
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            return MISSING
        value = value[name]
    return value


def without(record: Record, paths: frozenset[str]) -> Record:
    """The record less the mapped fields; the record given stays as it is."""
    rest = {name: value for name, value in record.items() if name not in paths}
    for path in paths:
        if "." in path and path not in record:
            _remove(rest, path.split("."))
    return rest


def _remove(rest: Record, names: list[str]) -> None:
    for name in names[:-1]:
        if not isinstance(rest.get(name), dict):
            return
        rest[name] = dict(rest[name])
        rest = rest[name]
    rest.pop(names[-1], None)


def metadata_json(rest: Record) -> str | None:
    """Canonical JSON of what is not mapped; None when nothing is.

    Raises:
        TypeError: It is nested too deeply or holds what JSON cannot.
        RecursionError: The same.
    """
    pruned = _pruned(rest)
    if not pruned:
        return None
    return orjson.dumps(pruned, default=_plain, option=orjson.OPT_SORT_KEYS).decode()


def scalar_text(value: Any) -> str | None:
    """A mapped value as text: strings as they are, others as JSON, null as None."""
    if value is None or value is MISSING or isinstance(value, str):
        return None if value is MISSING else value
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return orjson.dumps(value, default=_plain, option=orjson.OPT_SORT_KEYS).decode()


def hosts(url: Any) -> pa.StringArray:
    """Host names in lower case, without user, port and final dot; null where there is none."""
    parts = pc.extract_regex(url, _HOST)
    names: pa.StringArray = pc.utf8_lower(pc.struct_field(parts, ["host"]))
    return names


def canonical_origin(raw: Any) -> pa.StringArray:
    """`human` or `synthetic` for the words that say so; null for all else."""
    words = pc.utf8_lower(pc.utf8_trim_whitespace(raw))
    canonical: pa.StringArray = _CANONICAL.take(pc.index_in(words, _ALIASES))
    return canonical


def _pruned(value: Any) -> Any:
    kind = type(value)
    if kind is str or kind is int:
        return value
    if kind is dict:
        pruned = {name: _pruned(inner) for name, inner in value.items()}
        return {name: inner for name, inner in pruned.items() if inner is not None} or None
    if kind is list:
        return [_pruned(inner) for inner in value]
    if kind is float and not math.isfinite(value):
        return None
    return value


def _plain(value: Any) -> str:
    """What `orjson` does not know, as Arrow's `to_pylist` gives it."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, decimal.Decimal | datetime.timedelta):
        return str(value)
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot become JSON")
