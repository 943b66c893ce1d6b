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


class _Deciding(beam.PTransform):
    """Counts, and decides from all counts together.

    Args:
        policies: Who counts and decides.
        folder: Where the decisions are put.
        spool: How the counts travel.
    """

    def __init__(self, policies: Policies, folder: str, spool: Spool) -> None:
        super().__init__()
        self._policies, self._folder, self._spool = policies, folder, spool

    def _decide(self, label: str, counts: beam.PCollection) -> beam.PCollection:
        """Brings the counts together."""
        merge = functools.partial(merge_statistics, policies=self._policies)
        some = {"statistics": Input(STATISTICS, by_counts)}
        merged = {"statistics": counts} | Exchange(
            f"Merge {label}", some, _MERGED, merge, ("statistics",), self._spool
        )
        write = functools.partial(write_decisions, policies=self._policies, folder=self._folder)
        inputs = {"statistics": Input(STATISTICS, to_one)}
        return (merged | Exchange(label, inputs, 1, write, ("decisions",), self._spool))[
            "decisions"
        ]


class Survey(_Deciding):
    """Counts the parts of staging and decides from all of them together.

    Input: batches of `PART`. Output: the decisions, as batches of `survey.DECISIONS`.
    They are fit to be a side input of whoever reads the parts: an exchange lies between.
    """

    def expand(self, parts: beam.PCollection) -> beam.PCollection:
        """Spreads parts over the workers and counts."""
        counts = (
            parts
            | "Spread parts" >> beam.Reshuffle().with_output_types(pa.RecordBatch)
            | "Count" >> beam.ParDo(_Count(self._policies)).with_output_types(pa.RecordBatch)
        )
        return self._decide("Survey", counts)


class Decide(_Deciding):
    """Counts rows that are at hand, and decides from all of them together.

    Input: batches with the columns that the policy counts. Output: as of `Survey`.
    """

    def __init__(self, policy: Policy, folder: str, spool: Spool) -> None:
        super().__init__((policy,), folder, spool)

    def expand(self, rows: beam.PCollection) -> beam.PCollection:
        """Counts."""
        (policy,) = self._policies
        counts = rows | "Count" >> beam.Map(count_rows, policy).with_output_types(pa.RecordBatch)
        return self._decide(f"Decide {policy.name}", counts)


class _Count(beam.DoFn):
    def __init__(self, policies: Policies) -> None:
        self._policies = policies

    def process(self, parts: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        for path in parts.column("path").to_pylist():
            yield from metrics.timed("survey", count_part(path, self._policies))
