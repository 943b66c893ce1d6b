"""What a run says of rare types: how many survived, and how many would have by chance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

import orjson
import pyarrow as pa

from transforms.rare.rows import MOST_DOCUMENTS

__all__ = ["summarise", "survival"]

_COUNTS = ("types", "survived", "originals", "size", "published")
_SHOWN = ("types", "survived")


def summarise(partition: int, tables: Mapping[str, pa.Table]) -> Iterator[tuple[str, pa.Table]]:
    """What the manifest says of rare types; yields `summary`, one row of JSON.

    Args:
        partition: Not used.
        tables: `told` (TOLD), all there are.
    """
    del partition
    text = orjson.dumps(survival(tables["told"].to_pylist()), option=orjson.OPT_SORT_KEYS)
    yield "summary", pa.table([[text.decode()]], names=["text"])


def survival(told: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Rare types of a run and what became of them.

    `expected` is what a random cut keeps that publishes as large a part f of the
    originals of each language: a type of n documents survives it with probability
    1 - (1 - f)^n. The expectation is exact, and rounded once. A cut drawn at random would
    say the same with noise, and say little of languages with few documents.

    Args:
        told: Rows of `TOLD`, in any order.

    Returns:
        `types`, `survived` and `expected` of all languages, `by_language` with the number
        of `originals` beside them, and `by_documents`: by how many hold a type.
    """
    sums: dict[str, dict[int, dict[str, int]]] = defaultdict(dict)
    for row in told:
        entry = sums[row["lang"]].setdefault(row["documents"], dict.fromkeys(_COUNTS, 0))
        for name in _COUNTS:
            entry[name] += row[name]
    languages = {lang: _language(sums[lang]) for lang in sorted(sums)}
    return {
        "most_documents": MOST_DOCUMENTS,
        **_total(entry for by_documents in languages.values() for entry in by_documents.values()),
        "by_documents": {
            str(n): _total(by_documents[n] for by_documents in languages.values())
            for n in range(1, MOST_DOCUMENTS + 1)
        },
        "by_language": {
            lang: {"originals": sums[lang][0]["originals"], **_total(by_documents.values())}
            for lang, by_documents in languages.items()
        },
    }


def _language(sums: Mapping[int, Mapping[str, int]]) -> dict[int, dict[str, Any]]:
    """Types, survivors and expected survivors of one language, by number of documents."""
    left = 1 - Fraction(sums[0]["published"], max(sums[0]["size"], 1))
    found: dict[int, dict[str, Any]] = {}
    for n in range(1, MOST_DOCUMENTS + 1):
        entry: dict[str, Any] = {name: sums[n][name] if n in sums else 0 for name in _SHOWN}
        found[n] = entry | {"expected": entry["types"] * (1 - left**n)}
    return found


def _total(entries: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    total: dict[str, Any] = dict.fromkeys((*_SHOWN, "expected"), 0)
    for entry in entries:
        for name in total:
            total[name] += entry[name]
    return total | {"expected": round(total["expected"])}
