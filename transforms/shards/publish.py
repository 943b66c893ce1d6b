"""The last step: decide whether the run may be seen, and make it visible."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import orjson
import pyarrow as pa

from transforms import conditional, storage
from transforms.dedup.config import DedupConfig
from transforms.dedup.index.pins import read_facts
from transforms.dedup.index.segments import Shard, append
from transforms.errors import InfeasibleError, LedgerError, VerificationError
from transforms.formats.choose import by_name
from transforms.ingest.listing import read_inputs
from transforms.records import DEAD_LETTERS, DROPPED, SKIPPED
from transforms.shards import layout
from transforms.shards import manifest as manifests
from transforms.shards.assemble import FILE
from transforms.shards.by_file import BY_FILE, by_file, check_by_file
from transforms.shards.card import dataset_card
from transforms.shards.ledger import build_ledger, check_ledger, check_plan
from transforms.shards.promise import tail_reasons
from transforms.shards.publication import Publication, confirm, make_visible
from transforms.shards.skipped import by_reason, in_order
from transforms.staging.survey.decisions import Decisions

__all__ = ["publish"]

_SHOWN = 5
_BEFORE_PLAN = ("excluded", "exact_duplicate", "near_duplicate")
"""Reasons for which a document never reaches the plan."""


def _check_dead(where: Publication, files: list[dict[str, Any]], read: int) -> int:
    """The number of dead letters, if they are not too many."""
    letters = [file for file in files if file["folder"] == "dead_letters"]
    dead = sum(int(file["rows"]) for file in letters)
    lost = sum(orjson.loads(file["facts"])["unreadable_bytes"] for file in letters)
    where.dead_policy.check(read, dead, lost)
    return dead


def _fail(findings: Sequence[str]) -> None:
    if findings:
        shown = "; ".join(findings[:_SHOWN])
        raise VerificationError(f"{len(findings)} checks failed before publishing: {shown}")


def _name_files(where: Publication, files: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Moves the files that are no shards to their final names; their manifest entries."""
    entries = []
    kinds: tuple[tuple[str, pa.Schema, Callable[[int, int], str]], ...] = (
        ("dropped", DROPPED, layout.dropped_name),
        ("dead_letters", DEAD_LETTERS, layout.dead_letters_name),
    )
    for folder, schema, name in kinds:
        own = sorted((f for f in files if f["folder"] == folder), key=lambda f: f["partition"])
        for number, file in enumerate(own):
            path = name(number, len(own))
            conditional.place(file["path"], where.final(path), file["sha256"])
            entries.append(manifests.file_entry(path, file["sha256"], file["rows"]))
        if not own:
            path, data = name(0, 1), layout.parquet_bytes(schema.empty_table())
            storage.write_bytes_atomically(where.final(path), data)
            entries.append(manifests.file_entry(path, layout.digest(data), 0))
    return entries


def _write_index(where: Publication, shards: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Writes what the format has beside its shards; its manifest entries."""
    entries = []
    for path, data, rows in manifests.index_files(by_name(where.written_as), shards):
        storage.write_bytes_atomically(where.final(path), data)
        entries.append(manifests.file_entry(path, layout.digest(data), rows))
    return entries


def _by_file(
    where: Publication, parts: pa.Table | None, outcomes: pa.Table, files: list[dict[str, Any]]
) -> pa.Table:
    """The ledger by input file."""
    if where.inputs is None or parts is None:
        return BY_FILE.empty_table()
    letters: dict[str, list[int]] = {}
    for file in files:
        if file["folder"] == "dead_letters":
            for path, found in orjson.loads(file["facts"])["files"].items():
                there = letters.setdefault(path, [0, 0])
                letters[path] = [a + b for a, b in zip(there, found, strict=True)]
    inputs = [(file.path, file.size) for file in read_inputs(where.inputs)]
    return by_file(inputs, parts, outcomes, letters)


def _write_ledger(where: Publication, path: str, table: pa.Table) -> dict[str, Any]:
    data = layout.parquet_bytes(table)
    storage.write_bytes_atomically(where.final(path), data)
    return manifests.file_entry(path, layout.digest(data), len(table))


def _write_ledgers(
    where: Publication, files_read: pa.Table, skipped: pa.Table
) -> list[dict[str, Any]]:
    """Writes what is told of each input file; its manifest entries."""
    entries = [_write_ledger(where, layout.FILES, files_read)]
    if len(skipped):
        entries.append(_write_ledger(where, layout.SKIPPED, in_order(skipped)))
    return entries


def _nothing(where: Publication, outcomes: pa.Table) -> dict[str, Any]:
    """The plan of a run that deduplication left nothing: no shard breaks a floor.

    A scheduled run that finds nothing new is such a one, and no failure.
    """
    left = set(outcomes.column("outcome").to_pylist()) - set(_BEFORE_PLAN)
    if left:
        raise LedgerError(f"there is no plan, but documents with outcomes {sorted(left)}")
    if where.config.get("target"):
        raise InfeasibleError(
            f"nothing is left to publish, and --target {where.config['target']} asks for more: "
            "every document is a duplicate or excluded; leave --target out, or add new text"
        )
    facts = dict.fromkeys(("shards", "total", "published", "unique", "repeats"), 0)
    told = {"cells": [], "binding": ["no document is left"], "notes": []}
    return {**facts, **told, "repeat_cap": where.promise.repeat_cap}


def _append(
    where: Publication, staging: str, shards: list[dict[str, Any]], files: list[dict[str, Any]]
) -> dict[str, Any]:
    """Appends the shards to the index, if the run is new there; what the manifest says of it."""
    facts = read_facts(staging)
    if facts.append:
        own = {file["partition"]: file for file in files if file["folder"] == "index"}
        recorded = [
            Shard(report["path"], file["rows"], report["distinct"], file["sha256"])
            for report in shards
            for file in (own[report["shard"]],)
        ]
        config = DedupConfig(**where.config["dedup"])
        written = [own[report["shard"]]["path"] for report in shards]
        folder = storage.absolute(where.run)
        append(facts.index, config, where.name, folder, facts.pinned, recorded, written)
    return facts.told()


def publish(
    where: Publication,
    plan: dict[str, Any] | None,
    reports: pa.Table,
    files: pa.Table,
    outcomes: pa.Table,
    undecided: pa.Table,
    findings: Sequence[str],
    told: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    sources: pa.Table | None = None,
    decisions: Decisions = MappingProxyType({}),
    parts: pa.Table | None = None,
    skipped: pa.Table | None = None,
) -> dict[str, Any]:
    """Publishes a run whose shards lie under temporary names.

    Args:
        where: Places, names, conditions.
        plan: The plan, as JSON can hold it, with `shards` and `repeat_cap`; None where
            deduplication kept no document.
        reports: Rows of `check.REPORT`, one a shard.
        files: Rows of `assemble.FILE`.
        outcomes: Rows of `staging.LEDGER`.
        undecided: Rows of `dedup.rows.UNDECIDED`.
        findings: Of the checks across files.
        told: What other steps say, by its key in the manifest: `boilerplate` and
            `rare_types`, where they were asked.
        sources: Rows of `sources.LARGEST`, if any.
        decisions: Of the run.
        parts: Rows of `dedup.rows.PART`: what was staged; with `where.inputs`.
        skipped: Rows of `records.SKIPPED`, if any.

    Returns:
        The manifest. It is written last: until then the run does not exist.

    Raises:
        DeadLettersError, InputError: Too much of the input was unreadable.
        InfeasibleError: A target is asked for, and no document is left.
        VerificationError: A promise is broken; nothing is published.
    """
    plan = plan or _nothing(where, outcomes)
    skipped = SKIPPED.empty_table() if skipped is None else skipped
    shards = sorted(reports.to_pylist(), key=lambda report: report["shard"])
    others = files.cast(FILE).to_pylist()
    dead = _check_dead(where, others, sum(outcomes.column("documents").to_pylist()))
    ledger = build_ledger(outcomes, dead) | {"size": build_ledger(outcomes, 0, "size")}
    found = [f"shard {r['shard']}: {finding}" for r in shards for finding in r["findings"]]
    if [report["shard"] for report in shards] != list(range(plan["shards"])):
        found.append(f"{len(shards)} shards were written, the plan has {plan['shards']}")
    reasons: Counter[str] = Counter()
    for file in others:
        if file["folder"] == "dropped":
            reasons.update(orjson.loads(file["facts"]))
    found += check_ledger(ledger, manifests.kept_of(shards), reasons, dead)
    found += manifests.check_concentration(shards, where.promise)
    found += check_plan(ledger, plan)
    files_read = _by_file(where, parts, outcomes, others)
    found += check_by_file(files_read, ledger) if where.inputs else ()
    _fail([*found, *findings])
    confirm(where)
    for report in shards:
        extension = by_name(where.written_as).extension
        name = layout.shard_name(report["shard"], len(shards), extension)
        storage.makedirs(where.final(layout.DATA))
        conditional.place(report["path"], where.final(name), report["sha256"])
        report["path"] = name
    for folder in ("dropped", "dead_letters"):
        storage.makedirs(where.final(folder))
    manifest = {
        "run": where.name,
        "name": where.label or where.name,
        "input": dict(where.input),
        "config": where.config,
        "config_digest": where.config_digest,
        "format": where.written_as,
        "versions": manifests.versions(where.written_as),
        "models": dict(where.models),
        "size_unit": where.promise.unit,
        "floors": dict(where.promise.floors),
        "caps": dict(where.promise.caps),
        "concentration": dict(where.promise.concentration),
        "plan": plan,
        "tail": tail_reasons(decisions),
        "decisions": {n: decisions[n].to_pydict() for n in where.stated if n in decisions},
        "languages": manifests.languages_of(shards, sources),
        "undecided": manifests.undecided_entry(undecided),
        "ledger": ledger,
        "skipped": by_reason(skipped),
        "shards": manifests.shard_entries(shards, where.promise),
        "files": [
            *_name_files(where, others),
            *_write_index(where, shards),
            *_write_ledgers(where, files_read, skipped),
        ],
    }
    if where.pinned is not None:
        manifest["index"] = _append(where, where.pinned, shards, others)
    manifest |= {name: dict(facts) for name, facts in told.items()}
    card = dataset_card(manifest).encode()
    storage.write_bytes_atomically(where.final(layout.CARD), card)
    storage.delete_tree(where.temporary)
    make_visible(where, manifest)
    return manifest
