"""Assembling, checking and publishing shards, wired into Beam."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import apache_beam as beam
import orjson
import pyarrow as pa

import transforms.coders  # noqa: F401  # registers the coder of pa.RecordBatch
from transforms import metrics
from transforms.dedup.index.write import Recorder
from transforms.dedup.rows import PART, UNDECIDED
from transforms.exchange import Exchange, Input, Spool, nbytes
from transforms.formats.choose import PARQUET
from transforms.outcome import recorded, write_outcome
from transforms.partition import by_hash, by_value
from transforms.records import DEAD_LETTERS, DROPPED, SKIPPED
from transforms.shards import assemble, identities, sources
from transforms.shards.check import REPORT
from transforms.shards.figures import figures
from transforms.shards.promise import Assess, Promise
from transforms.shards.publication import Publication
from transforms.shards.publish import publish
from transforms.staging.outcome import INDEXED, LEDGER, ROUTED
from transforms.staging.survey.decisions import read_decisions

__all__ = ["PublishShards", "WriteShards"]

Collections = Mapping[str, beam.PCollection]

_TOLD = ("boilerplate", "rare_types")
"""What the manifest holds as the step that found it says it."""


class WriteShards(beam.PTransform):
    """Writes shards, dropped documents and dead letters under temporary names.

    Input: a dict of `routed`, `dropped`, `dead_letters` and `decisions`.
    Output: a dict of `reports` (check.REPORT), `files` (assemble.FILE), `findings`
    (identities.FINDING) and `sources` (sources.LARGEST).

    Args:
        folder: For temporary names.
        promise: What every shard has to keep, once the run has decided.
        assess: Provenance, recomputed by the check.
        partitions: For rows without text.
        files: Into how many files dropped documents, and dead letters, go.
        spool: How rows travel. Text moves here for the second and last time.
        indexed: Whether `routed` carries signatures (`staging.INDEXED`).
        recorder: Writes index files; None where nothing is appended.
        written_as: Name of the shards' format.
    """

    def __init__(
        self,
        folder: str,
        promise: Promise,
        assess: Assess,
        partitions: int,
        files: int,
        spool: Spool,
        indexed: bool = False,
        recorder: Recorder | None = None,
        written_as: str = PARQUET.name,
    ) -> None:
        super().__init__()
        self._folder, self._promise, self._assess = folder, promise, assess
        self._partitions, self._files, self._spool = partitions, files, spool
        self._routed, self._recorder = INDEXED if indexed else ROUTED, recorder
        self._written_as = written_as

    def expand(self, given: Collections) -> dict[str, beam.PCollection]:
        """Writes shards, then what they leave out, then checks across files."""
        assembled = functools.partial(
            assemble.assemble_shard,
            folder=self._folder,
            promise=self._promise,
            assess=self._assess,
            recorder=self._recorder,
            written_as=self._written_as,
        )
        shards = {"routed": given["routed"]} | Exchange(
            "Assemble shards",
            {"routed": Input(self._routed, by_value("shard"))},
            1,
            assembled,
            ("reports", "claims", "sources", *(("index",) if self._recorder else ())),
            self._spool,
            {"decisions": beam.pvalue.AsList(given["decisions"])},
        )
        tops = {"sources": shards["sources"]} | Exchange(
            "Largest sources",
            {"sources": Input(sources.SOURCES, by_hash("key"))},
            self._partitions,
            sources.largest,
            ("largest",),
            self._spool,
        )
        write_dropped = functools.partial(assemble.write_dropped, threshold=self._promise.threshold)
        dropped = self._write(
            given, "dropped", Input(DROPPED, by_hash("doc_id")), write_dropped, "claims", "findings"
        )
        letters = self._write(
            given,
            "dead_letters",
            Input(DEAD_LETTERS, by_hash("position")),
            assemble.write_dead_letters,
        )
        claims = (shards["claims"], dropped["claims"])
        check = functools.partial(identities.check_partition, repeat_cap=self._promise.repeat_cap)
        checked = {"claims": claims} | Exchange(
            "Check identities",
            {"claims": Input(identities.CLAIM, by_hash("key"))},
            self._partitions,
            check,
            ("findings",),
            self._spool,
        )
        written = [dropped["files"], letters["files"]]
        written += [shards["index"]] if self._recorder else []
        files = written | "All files" >> beam.Flatten()
        findings = (dropped["findings"], checked["findings"]) | "All findings" >> beam.Flatten()
        summaries = {"reports": shards["reports"], "files": files, "findings": findings}
        return summaries | {"sources": tops["largest"]}

    def _write(
        self, given: Collections, name: str, rows: Input, write: Any, *outputs: str
    ) -> dict[str, beam.PCollection]:
        return {name: given[name]} | Exchange(
            f"Write {name.replace('_', ' ')}",
            {name: rows},
            self._files,
            functools.partial(write, folder=self._folder),
            ("files", *outputs),
            self._spool,
        )


class PublishShards(beam.PTransform):
    """Checks the run as a whole and makes it visible, or refuses.

    Input: a dict of `reports`, `files`, `findings`, `sources`, `ledger`, `undecided`
    (dedup.rows.UNDECIDED), `decisions`, `parts` (dedup.rows.PART), `skipped`
    (records.SKIPPED) and `plan` (one JSON object as `dict`); also, where they were asked,
    `boilerplate` and `rare_types` (one row of JSON each). Output: one manifest, as a `dict`.

    Args:
        where: Places, names and conditions.
        staging: Where `outcome.json` goes.
    """

    def __init__(self, where: Publication, staging: str) -> None:
        super().__init__()
        self._where, self._staging = where, staging

    def expand(self, given: Collections) -> beam.PCollection:
        """One step that sees all summaries."""
        sides = [
            beam.pvalue.AsList(given[name])
            for name in (
                "plan",
                "reports",
                "files",
                "ledger",
                "findings",
                "undecided",
                "sources",
                "decisions",
                "parts",
                "skipped",
            )
        ]
        told = tuple(name for name in _TOLD if name in given)
        sides += [beam.pvalue.AsList(given[name]) for name in told]
        start = given["plan"].pipeline | "Begin publishing" >> beam.Create([self._where.run])
        publishing = beam.ParDo(_Publish(self._where, self._staging, told), *sides)
        return start | "Publish" >> publishing.with_output_types(str)


def _table(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_batches(list(batches), schema=schema)


def _json(batch: pa.RecordBatch) -> dict[str, Any]:
    return orjson.loads(batch.column("text")[0].as_py())  # type: ignore[no-any-return]


class _Publish(beam.DoFn):
    def __init__(self, where: Publication, staging: str, told: tuple[str, ...]) -> None:
        self._where, self._staging, self._told = where, staging, told

    def process(  # type: ignore[no-untyped-def]
        self,
        run: str,
        plan,
        reports,
        files,
        ledger,
        findings,
        undecided,
        tops,
        decisions,
        parts,
        skipped,
        *told,
    ) -> Iterator[str]:
        held = (reports, files, ledger, findings, undecided, tops, decisions)
        metrics.measure("side_bytes:publish", sum(map(nbytes, held)))
        with recorded(self._staging), metrics.cpu("publish"):
            found = _table(findings, identities.FINDING).column("finding").to_pylist()
            manifest = publish(
                self._where,
                plan[0] if plan else None,
                _table(reports, REPORT),
                _table(files, assemble.FILE),
                _table(ledger, LEDGER),
                _table(undecided, UNDECIDED),
                found,
                {n: _json(said[0]) for n, said in zip(self._told, told, strict=True) if said},
                _table(tops, sources.LARGEST),
                read_decisions(decisions),
                _table(parts, PART),
                _table(skipped, SKIPPED),
            )
            write_outcome(self._staging, 0, f"published {manifest['run']}")
        for name, count in figures(manifest).items():
            metrics.count(name, count)
        yield run
