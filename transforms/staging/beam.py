"""Writing, recording and settling staging, wired into Beam."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from typing import Any

import apache_beam as beam
import pyarrow as pa

import transforms.coders  # noqa: F401  # registers the coder of pa.RecordBatch
from transforms import metrics, storage
from transforms.commits import Commits, end_of, ends
from transforms.dead import DeadPolicy
from transforms.dedup.partitions import by_part
from transforms.dedup.rows import FATE, KEPT, PART
from transforms.exchange import Exchange, Input, Spool
from transforms.outcome import recorded
from transforms.partition import by_hash, to_one
from transforms.rebalance.finalise import ASSIGNED, TRIMMED
from transforms.rebalance.ranks import LIGHT
from transforms.records import SKIPPED, Unit
from transforms.staging import record
from transforms.staging.outcome import settle_parts
from transforms.staging.parts import SplitWriter
from transforms.staging.survey.decisions import (
    Policy,
)

__all__ = ["ReadStaging", "RecordStaging", "SettleParts", "StageDocuments"]

Policies = tuple[Policy, ...]


class StageDocuments(beam.PTransform):
    """Writes annotated batches (STAGED) to parts; gives a row of `PART` for each.

    Args:
        folder: Where the parts are put.
        commits: Where splits are committed, at their ends; None where there are no ends.
    """

    def __init__(self, folder: str, commits: Commits | None = None) -> None:
        super().__init__()
        self._folder, self._commits = folder, commits

    def expand(self, documents: beam.PCollection) -> beam.PCollection:
        """Maps batches."""
        writing = beam.ParDo(_WriteParts(self._folder, self._commits))
        return documents | "Write parts" >> writing.with_output_types(pa.RecordBatch)


class _WriteParts(beam.DoFn):
    """Keeps the part open that the batches of a bundle belong to."""

    def __init__(self, folder: str, commits: Commits | None) -> None:
        self._folder, self._commits = folder, commits

    def start_bundle(self) -> None:
        self._writer = SplitWriter(self._folder, self._commits)

    def process(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        if ends(batch):
            with recorded(self._commits.staging) if self._commits else nullcontext():
                yield from self._writer.end(end_of(batch), metrics.count)
        elif batch.num_rows:
            with metrics.cpu("stage"):
                finished = self._writer.write(batch)
            metrics.count("annotate/documents", batch.num_rows)
            metrics.count("annotate/bytes", batch.column("text").nbytes)
            yield from finished

    def finish_bundle(self) -> Iterator[Any]:
        for part in self._writer.close():
            yield beam.transforms.window.GlobalWindows.windowed_value(part)


class RecordStaging(beam.PTransform):
    """Writes rows aside and records where everything is.

    Input: a dict of batches: `spill` (rows to be written to files of their own) and,
    if there are any, `parts` (PART), which are only named, and `skipped` (SKIPPED).
    Output: one row with the path of the record, when all is written.

    Args:
        staging: The staging folder.
        spill: Name of the rows that are written: a key of `record.SPILL`.
        name: Of the record.
        facts: What else the record holds.
        spool: How names travel.
        dead_policy: Refuses an annotation that lost too much, once it is recorded.
    """

    def __init__(
        self,
        staging: str,
        spill: str,
        name: str,
        facts: Mapping[str, Any],
        spool: Spool,
        dead_policy: DeadPolicy | None = None,
    ) -> None:
        super().__init__()
        self._staging, self._spill, self._name = staging, spill, name
        self._facts, self._spool, self._dead_policy = facts, spool, dead_policy

    def expand(self, given: Mapping[str, beam.PCollection]) -> beam.PCollection:
        """Writes, then names what was written."""
        folder = storage.join(self._staging, self._spill)
        paths = given["spill"] | "Write rows" >> beam.Map(record.spill, folder).with_output_types(
            pa.RecordBatch
        )
        named = {self._spill: paths}
        inputs = {self._spill: Input(record.PATH, to_one)}
        for name, schema in (("parts", PART), ("skipped", SKIPPED)):
            if name in given:
                named[name] = given[name]
                inputs[name] = Input(schema, to_one)
        path = storage.join(self._staging, self._name)
        apply = functools.partial(
            record.write_record, path=path, facts=self._facts, dead_policy=self._dead_policy
        )
        label = f"Record {self._spill.replace('_', ' ')}"
        return (named | Exchange(label, inputs, 1, apply, ("ready",), self._spool))["ready"]


class ReadStaging(beam.PTransform):
    """Reads what a finished staging folder holds: `parts`, `dead_letters` and `skipped`."""

    def expand(self, staging: beam.PCollection) -> dict[str, beam.PCollection]:
        """Reads the record of annotation."""
        return {
            "parts": staging
            | "Name parts" >> beam.FlatMap(record.staged_parts).with_output_types(pa.RecordBatch),
            "dead_letters": staging
            | "Read dead letters"
            >> beam.FlatMap(record.staged_dead_letters).with_output_types(pa.RecordBatch),
            "skipped": staging
            | "Read skipped"
            >> beam.FlatMap(record.staged_skipped).with_output_types(pa.RecordBatch),
        }


class SettleParts(beam.PTransform):
    """Joins every staged row with its outcome and routes the published ones.

    Input: a dict of `parts`, `kept`, `fates`, `assigned`, `trimmed`, `too_large` and, if
    there are policies, `decisions` (DECISIONS).
    Output: a dict of `routed`, `dropped`, `ledger`; see `outcome.settle_parts`.

    Args:
        unit: Size unit of the ledger.
        partitions: How many; each holds the light rows of some parts and reads their
            text a row group at a time.
        spool: How the light rows travel.
        policies: Whose decisions are published.
        pinned: Staging folder that pins what the run compares with; None without an index.
    """

    def __init__(
        self,
        unit: Unit,
        partitions: int,
        spool: Spool,
        policies: Policies = (),
        pinned: str | None = None,
    ) -> None:
        super().__init__()
        self._unit, self._partitions, self._spool = unit, partitions, spool
        self._policies, self._pinned = policies, pinned

    def expand(self, given: Mapping[str, beam.PCollection]) -> dict[str, beam.PCollection]:
        """Brings outcomes to the parts that they are for."""
        inputs = {
            "parts": Input(PART, by_hash("part")),
            "kept": Input(KEPT, by_part),
            "fates": Input(FATE, by_part),
            "assigned": Input(ASSIGNED, by_part),
            "trimmed": Input(TRIMMED, by_part),
            "too_large": Input(LIGHT, by_part),
        }
        apply = functools.partial(
            settle_parts, unit=self._unit, policies=self._policies, pinned=self._pinned
        )
        outputs = ("routed", "dropped", "ledger")
        rows = {name: given[name] for name in inputs}
        sides = {name: beam.pvalue.AsList(given[name]) for name in ("decisions",) if name in given}
        exchange = Exchange(
            "Settle parts", inputs, self._partitions, apply, outputs, self._spool, sides
        )
        return dict(rows | exchange)
