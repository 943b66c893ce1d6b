"""Recomputing every promise of a run from what was published.

Nothing in the manifest is trusted but what it promises: floors, caps, unit and the
frozen list of tail languages. Every number that it states is computed again.
"""

from __future__ import annotations

import dataclasses
import functools
import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from transforms import storage
from transforms.errors import HoldfastError, InputError
from transforms.formats.format import Format
from transforms.records import DEAD_LETTERS, DROPPED, PUBLISHED, SKIPPED
from transforms.shards import manifest as manifests
from transforms.shards.by_file import BY_FILE, check_by_file
from transforms.shards.check import check_rows
from transforms.shards.earlier import check_earlier
from transforms.shards.identities import CLAIM, check_claims, check_dropped, claims_of_dropped
from transforms.shards.layout import CARD, DATA, FILES, MANIFEST, digest
from transforms.shards.layout import SKIPPED as SKIPPED_FILE
from transforms.shards.ledger import check_ledger, check_plan, check_splits
from transforms.shards.promise import Assess, Judge, Promise, tail_reasons
from transforms.shards.recount import Tokenizer, counting_of, untold
from transforms.shards.skipped import check_skipped
from transforms.shards.sources import SOURCES, largest, sources_of
from transforms.staging.survey.decisions import Decisions
from transforms.verdict import Verdict

__all__ = ["require", "verify_run"]


@dataclasses.dataclass(frozen=True)
class _Checked:
    """What was found of one shard; its report is None where it cannot be read."""

    findings: list[str]
    report: dict[str, Any] | None = None
    claims: pa.Table = dataclasses.field(default_factory=CLAIM.empty_table)
    sources: pa.Table = dataclasses.field(default_factory=SOURCES.empty_table)


def _same(path: str, claimed: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[str]:
    for name, value in found.items():
        if claimed.get(name) != value:
            yield f"{path}: the manifest says {name}={claimed.get(name)!r}, not {value!r}"


def _check_one(
    run: str,
    number: int,
    claimed: Mapping[str, Any],
    written_as: Format,
    promise: Promise,
    assess: Assess,
) -> _Checked:
    path = str(claimed.get("path"))
    try:
        data = storage.read_bytes(storage.join(run, path))
        if digest(data) != claimed.get("sha256"):
            found = [
                f"{path}: the manifest says sha256={claimed.get('sha256')}, not {digest(data)}"
            ]
            return _Checked(found)
        table = written_as.read(data)
        report, claims = check_rows(number, path, data, table, promise, assess)
        sources = _sources(table, promise)
    except (HoldfastError, pa.ArrowException, OSError, ValueError) as error:
        return _Checked([f"{path} cannot be read: {error}"])
    row = report.to_pylist()[0]
    findings = [f"{path}: {finding}" for finding in row["findings"]]
    findings += _same(path, claimed, manifests.shard_entries([row], promise)[0])
    return _Checked(findings, row, claims, sources)


def _sources(table: pa.Table, promise: Promise) -> pa.Table:
    """Where the text of a shard comes from; nothing of one with another schema."""
    if not table.schema.equals(PUBLISHED):
        return SOURCES.empty_table()
    return sources_of(table, promise.sizes(table))


def _read_others(
    run: str, files: list[dict[str, Any]], folder: str, schema: pa.Schema
) -> tuple[list[str], pa.Table]:
    """The rows of all files of a folder, and how they differ from what is claimed."""
    findings, tables = [], [schema.empty_table()]
    for claimed in files:
        path = claimed["path"]
        if not path.startswith(folder):
            continue
        try:
            data = storage.read_bytes(storage.join(run, path))
            table = pq.ParquetFile(io.BytesIO(data)).read().cast(schema)
        except (HoldfastError, pa.ArrowException, OSError, ValueError) as error:
            findings.append(f"{path} cannot be read: {error}")
            continue
        findings += _same(path, claimed, manifests.file_entry(path, digest(data), len(table)))
        tables.append(table)
    return findings, pa.concat_tables(tables)


def _strangers(run: str, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Data files that the manifest does not know."""
    known = {entry["path"] for entry in (*manifest["shards"], *manifest["files"])}
    extension = manifests.format_of(manifest).extension
    folders = {DATA: extension} | dict.fromkeys(("dropped", "dead_letters", "ledger"), ".parquet")
    for folder, ending in folders.items():
        for entry in storage.glob(storage.join(run, folder, f"*{ending}")):
            name = f"{folder}/{entry.path.rsplit('/', 1)[-1]}"
            if name not in known:
                yield f"{name} is not in the manifest"
    if not storage.exists(storage.join(run, CARD)):
        yield f"{CARD} is missing"


def _check_index(
    run: str, manifest: Mapping[str, Any], reports: list[dict[str, Any]]
) -> Iterator[str]:
    """What the format has beside its shards follows from these, byte for byte."""
    claimed = {entry["path"]: entry for entry in manifest["files"]}
    for path, data, rows in manifests.index_files(manifests.format_of(manifest), reports):
        entry = manifests.file_entry(path, digest(data), rows)
        yield from _same(path, claimed.get(path, {}), entry)
        there = storage.join(run, path)
        if not storage.exists(there):
            yield f"{path} is missing"
        elif storage.read_bytes(there) != data:
            yield f"{path} does not say what the shards are"


def _check_totals(
    manifest: Mapping[str, Any],
    reports: list[dict[str, Any]],
    dropped: pa.Table,
    dead: pa.Table,
    sources: pa.Table,
) -> Iterator[str]:
    reasons = Counter(dropped.column("reason").to_pylist())
    ledger = manifest["ledger"]
    yield from check_ledger(ledger, manifests.kept_of(reports), reasons, len(dead))
    yield from check_splits(ledger["size"], manifests.kept_of(reports, "size"))
    (_, tops), *_ = largest(0, {"sources": sources})
    found: dict[str, Any] = {"languages": manifests.languages_of(reports, tops)}
    found |= {name: manifest["config"][name] for name in ("floors", "caps")}
    if "concentration" in manifest["config"]:
        found["concentration"] = manifest["config"]["concentration"]
    yield from _same(MANIFEST, manifest, found)
    size = sum(report["size"] for report in reports)
    yield from _same(
        f"{MANIFEST}: plan", manifest["plan"], {"shards": len(reports), "published": size}
    )


def _check_tail_sizes(manifest: Mapping[str, Any], decisions: Decisions) -> Iterator[str]:
    """The tail is decided from what deduplication kept: all that the ledger has after it.

    Where it kept nothing, nothing was decided.
    """
    decided = decisions["tail"].to_pylist() if "tail" in decisions else []
    later = ("too_large", "not_selected", "trimmed")
    sizes = {
        lang: account["kept"] + sum(account["dropped"].get(reason, 0) for reason in later)
        for lang, account in manifest["ledger"]["size"]["by_language"].items()
    }
    for row in decided:
        if sizes.pop(row["lang"], 0) != row["size"]:
            yield f"the tail was decided with {row['size']} of {row['lang']}; the ledger has not"
    yield from (f"the tail was decided without {lang}" for lang, size in sizes.items() if size)


def verify_run(
    run: str,
    assess_for: Callable[[Mapping[str, Any]], Assess],
    workers: int = 2,
    judge_for: Callable[[Mapping[str, Any]], Judge] | None = None,
    tokenizer: Tokenizer | None = None,
) -> Verdict:
    """Verifies a published run.

    Args:
        run: Its folder.
        assess_for: Makes the provenance assessment (`promise.Assess`) from the
            manifest's `config`.
        workers: Shards that are checked at a time.
        judge_for: Makes what recomputes decided columns (`promise.Judge`) from the same.
        tokenizer: That the run was annotated with; without it, `n_tokens` is taken as given.

    Raises:
        InputError: There is no manifest, or it is none.
        UsageError: The tokenizer is not that of the run.
    """
    manifest, path = require(run), storage.join(run, MANIFEST)
    promise = manifests.promise_of(manifest, path)
    counting = counting_of(run, manifest["models"], tokenizer)
    promise = dataclasses.replace(promise, count_tokens=counting)
    try:
        config = manifest["config"]
        if judge_for is not None:
            promise = dataclasses.replace(promise, judge=judge_for(config))
        return _verify(run, manifest, promise, assess_for(config), workers)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is damaged: {error!r} where its entries are read") from error


def _verify(
    run: str, manifest: Mapping[str, Any], promise: Promise, assess: Assess, workers: int
) -> Verdict:
    findings: list[str] = []
    with ThreadPoolExecutor(workers) as pool:
        entries = list(enumerate(manifest["shards"]))
        written_as = manifests.format_of(manifest)
        check = functools.partial(_check_one, written_as=written_as, promise=promise, assess=assess)
        results = list(pool.map(lambda entry: check(run, *entry), entries))
    for checked in results:
        findings += checked.findings
    lost, dropped = _read_others(run, manifest["files"], "dropped/", DROPPED)
    unread, dead = _read_others(run, manifest["files"], "dead_letters/", DEAD_LETTERS)
    unseen, files = _read_others(run, manifest["files"], FILES, BY_FILE)
    untaken, skipped = _read_others(run, manifest["files"], SKIPPED_FILE, SKIPPED)
    findings += [*lost, *unread, *unseen, *untaken, *_strangers(run, manifest)]
    findings += check_by_file(files, manifest["ledger"])
    findings += check_skipped(manifest, skipped)
    findings += check_plan(manifest["ledger"], manifest["plan"])
    reports = [checked.report for checked in results if checked.report is not None]
    sources = pa.concat_tables([SOURCES.empty_table(), *(checked.sources for checked in results)])
    findings += manifests.check_concentration(reports, promise)
    findings += _check_totals(manifest, reports, dropped, dead, sources)
    if len(reports) == len(results):
        findings += _check_index(run, manifest, reports)
    findings += _same(MANIFEST, manifest, {"tail": tail_reasons(promise.decisions)})
    findings += _check_tail_sizes(manifest, promise.decisions)
    claims = pa.concat_tables(
        [*(checked.claims for checked in results), claims_of_dropped(dropped)]
    )
    findings += check_claims(claims, promise.repeat_cap)
    findings += check_dropped(dropped, promise.threshold)
    elsewhere = check_earlier(dropped, manifest.get("index"))
    findings += elsewhere.findings
    told = (*_told(promise, reports, dropped, dead), *elsewhere.told)
    return Verdict.of(told, findings, untold(promise, reports))


def _told(
    promise: Promise, reports: list[dict[str, Any]], dropped: pa.Table, dead: pa.Table
) -> tuple[str, ...]:
    shards, documents = len(reports), sum(report["documents"] for report in reports)
    kinds = [f"{n} >= {s}" for n, s in promise.floors.items()]
    kinds += [f"{n} <= {s}" for n, s in promise.caps.items()]
    kinds += [f"{n} <= {s} over all" for n, s in promise.concentration.items()]
    return (
        f"sha256, schema, ids, sizes, origin, language by its scores, script and tail of "
        f"{documents} documents in {shards} shards",
        "the sources of every language, and what the tail was decided with",
        f"in every shard, by {promise.unit}: {', '.join(kinds) or 'no floors or caps'}",
        "the worst window of every shard",
        f"{len(dropped)} dropped documents: reasons, and that every witness exists",
        f"{len(dead)} dead letters; the ledger by language, by origin and by input file",
        "no text published twice but as a numbered repeat",
    )


def require(run: str) -> dict[str, Any]:
    """The manifest of a published run.

    Raises:
        InputError: There is none.
    """
    path = storage.join(run, MANIFEST)
    if not storage.exists(path):
        raise InputError(f"{path} does not exist; {run} is not a published run")
    return manifests.parse(storage.read_bytes(path), path)
