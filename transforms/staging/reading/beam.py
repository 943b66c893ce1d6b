"""Reading decided rows of staging, wired into Beam."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence

import apache_beam as beam
import pyarrow as pa

import transforms.coders  # noqa: F401  # registers the coder of pa.RecordBatch
from transforms import metrics
from transforms.dedup.config import DedupConfig
from transforms.records import Unit
from transforms.staging.reading.light import Exclude, read_light
from transforms.staging.survey.decisions import (
    Policy,
    apply_decisions,
    columns_of,
    read_decisions,
    read_rows,
)

__all__ = ["ReadLight", "ReadRows"]

Policies = tuple[Policy, ...]


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
