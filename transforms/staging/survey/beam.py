"""Counting staging and deciding from it, wired into Beam."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import apache_beam as beam
import pyarrow as pa

import transforms.coders  # noqa: F401  # registers the coder of pa.RecordBatch
from transforms import metrics
from transforms.exchange import Exchange, Input, Spool
from transforms.partition import to_one
from transforms.staging.survey.decisions import (
    STATISTICS,
    Policy,
    by_counts,
    count_part,
    count_rows,
    merge_statistics,
    write_decisions,
)

__all__ = ["Decide", "Survey"]

Policies = tuple[Policy, ...]

_MERGED = 32
"""Places that statistics are added up in before they come together in one."""


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
