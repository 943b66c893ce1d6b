"""`manifest.json`: what a run is made of and what it promises."""

from __future__ import annotations

import importlib.metadata
import platform
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, get_args

import orjson
import pyarrow as pa

from transforms.dedup.config import SCHEME, DedupConfig
from transforms.dedup.nfkc_table import UNICODE
from transforms.errors import InputError
from transforms.formats.choose import PARQUET, by_name
from transforms.formats.format import Format, Member
from transforms.records import Unit
from transforms.shards.layout import DATA
from transforms.shards.promise import Promise, check_attribute
from transforms.shards.sources import largest_sources

__all__ = [
    "check_concentration",
    "encode",
    "file_entry",
    "format_of",
    "index_files",
    "kept_of",
    "languages_of",
    "parse",
    "promise_of",
    "shard_entries",
    "undecided_entry",
    "versions",
]

_PACKAGES = (
    *("holdfast", "apache-beam", "pyarrow", "numpy", "datasketch", "fasttext", "xxhash"),
    "tokenizers",
)
_EXTRACTOR = "resiliparse"
"""What makes text of HTML."""
_NAMED = 10_000
"""Most undecided documents that a manifest names."""
_KEYS = (
    "run",
    "config",
    "config_digest",
    "versions",
    "models",
    "size_unit",
    "floors",
    "caps",
    "plan",
    "tail",
    "decisions",
    "languages",
    "undecided",
    "ledger",
    "shards",
    "files",
)


def versions(written_as: str = PARQUET.name) -> dict[str, str]:
    """What the bytes of a run depend on, the library of its shards' format included."""
    more = by_name(written_as).package
    names = (*_PACKAGES, _EXTRACTOR, *((more,) if more else ()))
    found = {name: importlib.metadata.version(name) for name in names}
    return found | {
        "python": platform.python_version(),
        "unicode": UNICODE,
        "signature_scheme": SCHEME,
    }


def shard_entries(reports: Sequence[Mapping[str, Any]], promise: Promise) -> list[dict[str, Any]]:
    """The `shards` of a manifest, from rows of `check.REPORT` with final paths."""
    entries = []
    for report in reports:
        facts = orjson.loads(report["facts"])
        shares = {
            name: facts["members"][name] / report["size"] if report["size"] else 0.0
            for name in sorted({*facts["members"], *promise.named})
        }
        entries.append(
            {
                "path": report["path"],
                "sha256": report["sha256"],
                "documents": report["documents"],
                "size": report["size"],
                "members": facts["members"],
                "shares": shares,
                "worst_window": facts["worst_window"],
                "largest_document": facts["largest"],
            }
        )
    return entries


def _summed(reports: Sequence[Mapping[str, Any]], column: str) -> dict[str, list[int]]:
    """First appearances over all shards, by a column: documents, size, tail documents."""
    total: dict[str, list[int]] = {}
    for report in reports:
        for key, values in orjson.loads(report["facts"])[column].items():
            total[key] = [a + b for a, b in zip(total.get(key, [0, 0, 0]), values, strict=True)]
    return dict(sorted(total.items()))


def languages_of(
    reports: Sequence[Mapping[str, Any]], sources: pa.Table | None = None
) -> dict[str, dict[str, Any]]:
    """The `languages` of a manifest: distinct published documents, their size and sources."""
    tops = {} if sources is None else largest_sources(sources)
    return {
        lang: {"documents": documents, "size": size, "tail_documents": tail} | tops.get(lang, {})
        for lang, (documents, size, tail) in _summed(reports, "languages").items()
    }


def check_concentration(reports: Sequence[Mapping[str, Any]], promise: Promise) -> Iterator[str]:
    """What is wrong with the shares of single sources and hosts, over all shards."""
    for name, share in promise.concentration.items():
        held: Counter[str] = Counter()
        for report in reports:
            held.update(orjson.loads(report["facts"])["holdings"][name])
        total = sum(held.values())
        for value, size in held.most_common(1):
            if size > promise.exact(share) * total:
                yield (
                    f"concentration {name}={share} is broken: {value!r} holds {size} of {total} "
                    f"{promise.unit}"
                )


def kept_of(
    reports: Sequence[Mapping[str, Any]], measure: Literal["documents", "size"] = "documents"
) -> dict[str, dict[str, int]]:
    """Distinct published documents, or their size, by language and by origin."""
    at = ("documents", "size").index(measure)
    return {
        "by_language": {key: values[at] for key, values in _summed(reports, "languages").items()},
        "by_origin": {key: values[at] for key, values in _summed(reports, "origins").items()},
    }


def encode(manifest: Mapping[str, Any]) -> bytes:
    """JSON for people and programs: indented, keys sorted."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(manifest, option=options)


def parse(data: bytes, path: str) -> dict[str, Any]:
    """Reads a manifest.

    Raises:
        InputError: It is no JSON, or lacks a key.
    """
    try:
        manifest = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InputError(f"{path} is no JSON ({error}); the run is damaged") from error
    missing = [key for key in _KEYS if not isinstance(manifest, dict) or key not in manifest]
    if missing:
        raise InputError(f"{path} lacks {', '.join(missing)}; it is no manifest of holdfast")
    return manifest  # type: ignore[no-any-return]


def promise_of(manifest: Mapping[str, Any], path: str) -> Promise:
    """The promise that a manifest makes.

    Raises:
        InputError: A value is not of its kind.
    """
    try:
        for name in (*manifest["floors"], *manifest["caps"]):
            check_attribute(name)
        _refuse({manifest["size_unit"]} - {*get_args(Unit)})
        decisions = {n: pa.table(columns) for n, columns in manifest["decisions"].items()}
        return Promise(
            floors={name: float(share) for name, share in manifest["floors"].items()},
            caps={name: float(share) for name, share in manifest["caps"].items()},
            concentration={n: float(s) for n, s in manifest.get("concentration", {}).items()},
            unit=str(manifest["size_unit"]),
            is_tail=frozenset(manifest["tail"]).__contains__,
            repeat_cap=int(manifest["plan"]["repeat_cap"]),
            threshold=DedupConfig(**manifest["config"]["dedup"]).least_threshold,
            decisions=decisions,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{path}: floors, caps, size_unit, tail, plan or config is damaged: {error!r}"
        ) from error


def format_of(manifest: Mapping[str, Any]) -> Format:
    """The format of a run's shards; Parquet for a manifest that does not say."""
    return by_name(manifest.get("format", PARQUET.name))


def index_files(
    written_as: Format, reports: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, bytes, int]]:
    """What a format has beside its shards.

    Args:
        written_as: The format.
        reports: Rows of `check.REPORT` with final paths, of all shards in their order.

    Yields:
        Path within the run, content, and the number of documents that it indexes.
    """
    members = [
        Member(r["path"].rsplit("/", 1)[-1], r["documents"], r["n_bytes"], r["sha256"])
        for r in reports
    ]
    for name, data in written_as.index(members).items():
        yield f"{DATA}/{name}", data, sum(member.rows for member in members)


def _refuse(unknown: set[str]) -> None:
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))} is not known")


def undecided_entry(undecided: pa.Table) -> dict[str, Any]:
    """The `undecided` of a manifest: kept documents that may have a kept near-duplicate.

    Args:
        undecided: Rows of `dedup.rows.UNDECIDED`.

    Returns:
        Their number, by reason too, and the first ids in hexadecimal.
    """
    ids = sorted(value.hex() for value in undecided.column("doc_id").to_pylist())
    reasons = Counter(undecided.column("why").to_pylist())
    return {
        "documents": len(ids),
        "reasons": dict(sorted(reasons.items())),
        "doc_ids": ids[:_NAMED],
    }


def file_entry(path: str, sha256: str, rows: int) -> dict[str, Any]:
    """An entry of `files`: a published file that is no shard."""
    return {"path": path, "sha256": sha256, "rows": rows}
