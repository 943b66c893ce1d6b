"""Writing and reading staging, wired into Beam."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import apache_beam as beam
import pyarrow as pa

import transforms.coders  # noqa: F401  # registers the coder of pa.RecordBatch
from transforms import metrics, storage
from transforms.commits import Commits, end_of, ends
from transforms.dead import DeadPolicy
from transforms.dedup.boilerplate import PARAGRAPH, RECURRING, recurring
from transforms.dedup.config import DedupConfig
from transforms.dedup.partitions import by_part
from transforms.dedup.rows import FATE, KEPT, PART
from transforms.exchange import Exchange, Input, Spool
from transforms.outcome import recorded
from transforms.partition import by_hash, to_one
from transforms.rebalance.finalise import ASSIGNED, TRIMMED
from transforms.rebalance.ranks import LIGHT
from transforms.records import Unit
from transforms.staging import boilerplate, record
from transforms.staging.light import Exclude, read_light
from transforms.staging.outcome import settle_parts
from transforms.staging.parts import SplitWriter
from transforms.staging.survey import (
    STATISTICS,
    Policy,
    apply_decisions,
    by_counts,
    columns_of,
    count_part,
    count_rows,
    merge_statistics,
    read_decisions,
    read_rows,
    write_decisions,
)

__all__ = ["CutBoilerplate", "Decide", "ReadLight", "ReadRows", "ReadStaging", "RecordStaging"]
__all__ += ["SettleParts", "StageDocuments", "Survey"]

Policies = tuple[Policy, ...]

_MERGED = 32
"""Places that statistics are added up in before they come together in one."""


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
    if there are any, `parts` (PART), which are only named.
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
        if "parts" in given:
            named["parts"] = given["parts"]
            inputs["parts"] = Input(PART, to_one)
        path = storage.join(self._staging, self._name)
        apply = functools.partial(
            record.write_record, path=path, facts=self._facts, dead_policy=self._dead_policy
        )
        label = f"Record {self._spill.replace('_', ' ')}"
        return (named | Exchange(label, inputs, 1, apply, ("ready",), self._spool))["ready"]


class ReadStaging(beam.PTransform):
    """Reads what a finished staging folder holds: `parts` and `dead_letters`."""

    def expand(self, staging: beam.PCollection) -> dict[str, beam.PCollection]:
        """Reads the record of annotation."""
        return {
            "parts": staging
            | "Name parts" >> beam.FlatMap(record.staged_parts).with_output_types(pa.RecordBatch),
            "dead_letters": staging
            | "Read dead letters"
            >> beam.FlatMap(record.staged_dead_letters).with_output_types(pa.RecordBatch),
        }


class Survey(beam.PTransform):
    """Counts the parts of staging and decides from all of them together.

    Input: batches of `PART`. Output: the decisions, as batches of `survey.DECISIONS`.
    They are fit to be a side input of whoever reads the parts: an exchange lies between.

    Args:
        policies: Who counts and decides.
        folder: Where the decisions are put.
        spool: How the counts travel.
    """

    def __init__(self, policies: Policies, folder: str, spool: Spool) -> None:
        super().__init__()
        self._policies, self._folder, self._spool = policies, folder, spool

    def expand(self, parts: beam.PCollection) -> beam.PCollection:
        """Spreads parts over the workers, counts, and brings the counts together."""
        counts = (
            parts
            | "Spread parts" >> beam.Reshuffle().with_output_types(pa.RecordBatch)
            | "Count" >> beam.ParDo(_Count(self._policies)).with_output_types(pa.RecordBatch)
        )
        return _decide("Survey", counts, self._policies, self._folder, self._spool)


class Decide(beam.PTransform):
    """Counts rows that are at hand, and decides from all of them together.

    Input: batches with the columns that the policy counts. Output: as of `Survey`.

    Args:
        policy: Who counts and decides.
        folder: Where the decision is put.
        spool: How the counts travel.
    """

    def __init__(self, policy: Policy, folder: str, spool: Spool) -> None:
        super().__init__()
        self._policy, self._folder, self._spool = policy, folder, spool

    def expand(self, rows: beam.PCollection) -> beam.PCollection:
        """Counts, and brings the counts together."""
        counts = rows | "Count" >> beam.Map(count_rows, self._policy).with_output_types(
            pa.RecordBatch
        )
        label = f"Decide {self._policy.name}"
        return _decide(label, counts, (self._policy,), self._folder, self._spool)


def _decide(
    label: str, counts: beam.PCollection, policies: Policies, folder: str, spool: Spool
) -> beam.PCollection:
    merge = functools.partial(merge_statistics, policies=policies)
    some = {"statistics": Input(STATISTICS, by_counts)}
    merged = {"statistics": counts} | Exchange(
        f"Merge {label}", some, _MERGED, merge, ("statistics",), spool
    )
    apply = functools.partial(write_decisions, policies=policies, folder=folder)
    inputs = {"statistics": Input(STATISTICS, to_one)}
    exchange = Exchange(label, inputs, 1, apply, ("decisions",), spool)
    return (merged | exchange)["decisions"]


class _Count(beam.DoFn):
    def __init__(self, policies: Policies) -> None:
        self._policies = policies

    def process(self, parts: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        for path in parts.column("path").to_pylist():
            yield from metrics.timed("survey", count_part(path, self._policies))


class CutBoilerplate(beam.PTransform):
    """Finds the paragraphs that recur across documents, and cuts them from parts.

    Input: batches of `PART`.
    Output: a dict with `parts` (PART): what near-deduplication sees, some of them written
    anew; and `summary`, one row of JSON for the manifest.

    Args:
        config: Of deduplication; `boilerplate.min_documents` is given.
        path: Where the recurring paragraphs are written.
        folder: Where parts are put that something was cut from.
        partitions: How many; paragraphs of all documents travel.
        spool: How they travel.
    """

    def __init__(
        self, config: DedupConfig, path: str, folder: str, partitions: int, spool: Spool
    ) -> None:
        super().__init__()
        self._config, self._path, self._folder = config, path, folder
        self._partitions, self._spool = partitions, spool

    def expand(self, parts: beam.PCollection) -> dict[str, beam.PCollection]:
        """Counts all paragraphs, then looks at each part again."""
        place = self._recurring(
            parts
            | "Spread parts" >> beam.Reshuffle().with_output_types(pa.RecordBatch)
            | "Hash paragraphs"
            >> beam.ParDo(_HashParagraphs(self._config)).with_output_types(pa.RecordBatch)
        )
        cutting = beam.ParDo(_CutParts(self._config, self._folder), beam.pvalue.AsList(place))
        typed = cutting.with_output_types(pa.RecordBatch, told=pa.RecordBatch)
        looked = (
            parts
            | "Spread parts again" >> beam.Reshuffle().with_output_types(pa.RecordBatch)
            | "Cut" >> typed.with_outputs("told", main="parts")
        )
        inputs = {
            "told": Input(boilerplate.TOLD, to_one),
            "place": Input(boilerplate.PLACE, to_one),
        }
        apply = functools.partial(boilerplate.summarise, config=self._config)
        summary = {"told": looked["told"], "place": place} | Exchange(
            "Sum boilerplate", inputs, 1, apply, ("summary",), self._spool
        )
        return {"parts": looked["parts"], "summary": summary["summary"]}

    def _recurring(self, paragraphs: beam.PCollection) -> beam.PCollection:
        """Where the recurring paragraphs are written; nowhere if there are none."""
        apply = functools.partial(recurring, min_documents=self._config.boilerplate.min_documents)
        found = {"paragraphs": paragraphs} | Exchange(
            "Count paragraphs",
            {"paragraphs": Input(PARAGRAPH, by_hash("paragraph"))},
            self._partitions,
            apply,
            ("recurring",),
            self._spool,
        )
        write = functools.partial(boilerplate.write_recurring, path=self._path)
        inputs = {"recurring": Input(RECURRING, to_one)}
        written = found | Exchange("Write recurring", inputs, 1, write, ("place",), self._spool)
        return written["place"]


class _HashParagraphs(beam.DoFn):
    def __init__(self, config: DedupConfig) -> None:
        self._config = config

    def process(self, parts: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        for path in parts.column("path").to_pylist():
            yield from metrics.timed("paragraphs", boilerplate.count_part(path, self._config))


class _CutParts(beam.DoFn):
    def __init__(self, config: DedupConfig, folder: str) -> None:
        self._config, self._folder = config, folder

    def process(self, parts: pa.RecordBatch, places: list[pa.RecordBatch]) -> Iterator[Any]:
        named = [path for batch in places for path in batch.column("path").to_pylist()]
        paragraphs = boilerplate.read_recurring(named)
        for number, part in enumerate(parts.to_pylist()):
            with metrics.cpu("boilerplate"):
                cut, told = boilerplate.cut_part(part, paragraphs, self._config, self._folder)
            yield beam.pvalue.TaggedOutput("told", told)
            yield parts.slice(number, 1) if cut is None else cut


class ReadLight(beam.PTransform):
    """Reads the light rows (LIGHT) of parts, decided.

    Input: a dict of `parts` (PART) and, if there are policies, `decisions` (DECISIONS).

    Args:
        exclude: Makes the takedown list; called once per worker. None without one.
        convicted: Which rows of `synthetic_evidence` carry a convicting artefact.
        unit: Of sizes.
        config: Of deduplication.
        policies: Whose decisions the rows follow.
    """

    def __init__(
        self,
        exclude: Callable[[], Exclude] | None,
        convicted: Callable[[pa.Array], pa.Array],
        unit: Unit,
        config: DedupConfig,
        policies: Policies = (),
    ) -> None:
        super().__init__()
        self._arguments = (exclude, convicted, unit, config, policies)

    def expand(self, given: Mapping[str, beam.PCollection]) -> beam.PCollection:
        """Spreads parts over the workers and reads them."""
        sides = [beam.pvalue.AsList(given["decisions"])] if "decisions" in given else []
        return (
            given["parts"]
            | "Spread parts" >> beam.Reshuffle().with_output_types(pa.RecordBatch)
            | "Read light rows"
            >> beam.ParDo(_ReadLight(*self._arguments), *sides).with_output_types(pa.RecordBatch)
        )


class _ReadLight(beam.DoFn):
    def __init__(
        self,
        exclude: Callable[[], Exclude] | None,
        convicted: Callable[[pa.Array], pa.Array],
        unit: Unit,
        config: DedupConfig,
        policies: Policies,
    ) -> None:
        self._make_exclude, self._convicted = exclude, convicted
        self._unit, self._config, self._policies = unit, config, policies
        self._exclude: Exclude | None = None

    def setup(self) -> None:
        self._exclude = self._make_exclude() if self._make_exclude else None

    # Beam takes an annotation of `*sides` for that of a tuple, and refuses side inputs.
    def process(  # type: ignore[no-untyped-def]
        self, parts: pa.RecordBatch, *sides
    ) -> Iterator[pa.RecordBatch]:
        made = read_decisions(sides[0] if sides else ())
        judge = functools.partial(apply_decisions, policies=self._policies, decisions=made)
        wanted = columns_of(self._policies, ())
        for path in parts.column("path").to_pylist():
            light = read_light(
                path, self._exclude, self._convicted, self._unit, self._config, judge, wanted
            )
            for rows in metrics.timed("light", light):
                metrics.count("light/documents", rows.num_rows)
                yield rows


class ReadRows(beam.PTransform):
    """Reads some columns of parts, decided, and makes other rows of them.

    Input: a dict of `parts` (PART) and `decisions` (DECISIONS). Output: batches of what
    `make` gives.

    Args:
        names: Columns that `make` reads.
        make: Staged rows to rows of any kind.
        policies: Whose decisions the rows follow.
    """

    def __init__(
        self, names: Sequence[str], make: Callable[[pa.Table], pa.Table], policies: Policies
    ) -> None:
        super().__init__()
        self._arguments = (tuple(names), make, policies)

    def expand(self, given: Mapping[str, beam.PCollection]) -> beam.PCollection:
        """Spreads parts over the workers and reads them."""
        reading = beam.ParDo(_ReadRows(*self._arguments), beam.pvalue.AsList(given["decisions"]))
        return (
            given["parts"]
            | "Spread parts" >> beam.Reshuffle().with_output_types(pa.RecordBatch)
            | "Read rows" >> reading.with_output_types(pa.RecordBatch)
        )


class _ReadRows(beam.DoFn):
    def __init__(
        self, names: Sequence[str], make: Callable[[pa.Table], pa.Table], policies: Policies
    ) -> None:
        self._names, self._make, self._policies = names, make, policies

    # Beam takes an annotation of a side input for that of the elements.
    def process(  # type: ignore[no-untyped-def]
        self, parts: pa.RecordBatch, decisions
    ) -> Iterator[pa.RecordBatch]:
        made = read_decisions(decisions)
        for path in parts.column("path").to_pylist():
            read = read_rows(path, self._names, self._policies, made)
            for rows in metrics.timed("rows", map(self._make, read)):
                yield from rows.combine_chunks().to_batches()


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
