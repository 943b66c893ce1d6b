"""`Exchange`, the one shuffle primitive.

It splits record batches into partitions, groups the pieces of a partition and
hands the whole partition, as one table per input, to a pure function. Joins,
deduplication, ranking and shard assembly are all such functions, in numpy and
Arrow; no step groups single documents.

A piece travels in one of two ways:

* `shuffle`: as the value of a `GroupByKey`, which is what a service with a
  shuffle of its own wants;
* `files`: appended to an Arrow IPC file per split, with only a reference
  (path, offset, length) grouped. The in-process runners keep every grouped byte
  in memory, so local runs use this.

Both give a partition the same rows. Their order is not defined: a partition
function sorts by a key of its own before order can matter.
"""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

import apache_beam as beam
import pyarrow as pa

from transforms import metrics, storage
from transforms.coders import trimmed  # which registers the coder of pa.RecordBatch
from transforms.outcome import recorded
from transforms.partition import PartitionOf, cut

__all__ = [
    "Apply",
    "Carrier",
    "Exchange",
    "Input",
    "Spool",
    "nbytes",
]

Carrier = Literal["files", "shuffle"]
Tables = Mapping[str, pa.Table]
Apply = Callable[..., Iterable[tuple[str, pa.Table]]]
"""`apply(partition, tables, **sides)`: a table per input to (output, table) pairs."""

_FLUSH_BYTES = 48 << 20
"""Buffered pieces of one bundle are written when they reach this size."""
_EMIT_ROWS = 1 << 16
"""Most rows of one emitted batch."""

Reference = tuple[str, str, int, int]
"""Input name, path, offset, length of a piece in a spool file."""
Piece = tuple[str, pa.RecordBatch]


@dataclasses.dataclass(frozen=True)
class Spool:
    """How pieces travel, and where they are put down.

    Attributes:
        carrier: `files` or `shuffle`.
        directory: Folder for the spool files; one subfolder per exchange.
        outcome: Folder in which a refusal is written down before it is raised.
    """

    carrier: Carrier
    directory: str
    outcome: str


@dataclasses.dataclass(frozen=True)
class Input:
    """One input of an `Exchange`.

    Attributes:
        schema: Of its batches; a partition without rows gets an empty table of it.
        by: Which partition a row goes to: see `transforms.partition`.
    """

    schema: pa.Schema
    by: PartitionOf


class _SplitToShuffle(beam.DoFn):
    """Keys each piece by its partition."""

    def __init__(self, label: str, name: str, by: PartitionOf, partitions: int) -> None:
        self._label, self._name, self._by, self._partitions = label, name, by, partitions

    def process(self, batch: pa.RecordBatch) -> Iterator[tuple[int, Piece]]:
        for partition, piece in cut(batch, self._by, self._partitions):
            metrics.count(f"exchange_bytes:{self._label}", piece.nbytes)
            metrics.count(f"exchange_rows:{self._label}", piece.num_rows)
            yield partition, (self._name, piece)


class _SplitToFiles(beam.DoFn):
    """Buffers pieces over a bundle and writes them to spool files, keyed references out."""

    def __init__(
        self, label: str, name: str, by: PartitionOf, partitions: int, directory: str
    ) -> None:
        self._label, self._name, self._by, self._partitions = label, name, by, partitions
        self._directory = directory
        self._buffered: dict[int, list[pa.RecordBatch]] = {}
        self._bytes = 0

    def start_bundle(self) -> None:
        self._buffered, self._bytes = {}, 0

    def process(self, batch: pa.RecordBatch) -> Iterator[tuple[int, Reference]]:
        for partition, piece in cut(batch, self._by, self._partitions):
            self._buffered.setdefault(partition, []).append(piece)
            self._bytes += piece.nbytes
        if self._bytes >= _FLUSH_BYTES:
            yield from self._flush()

    def finish_bundle(self) -> Iterator[Any]:
        for keyed in self._flush():
            yield beam.transforms.window.GlobalWindows.windowed_value(keyed)

    def _flush(self) -> Iterator[tuple[int, Reference]]:
        if not self._buffered:
            return
        rows = sum(piece.num_rows for pieces in self._buffered.values() for piece in pieces)
        metrics.count(f"exchange_bytes:{self._label}", self._bytes)
        metrics.count(f"exchange_rows:{self._label}", rows)
        # Unique per attempt: a retry must not truncate what another attempt reads.
        path = storage.join(self._directory, f"{self._name}-{uuid.uuid4().hex}.arrow")
        references = []
        with storage.create(path) as sink:
            offset = 0
            for partition in sorted(self._buffered):
                encoded = _encode(self._buffered[partition])
                sink.write(encoded)
                references.append((partition, (self._name, path, offset, len(encoded))))
                offset += len(encoded)
        self._buffered, self._bytes = {}, 0
        yield from references


def nbytes(side: Any) -> int:
    """Bytes of a side input's batches; what is no batch counts nothing."""
    batches = side if isinstance(side, list | tuple) else (side,)
    return sum(batch.nbytes for batch in batches if isinstance(batch, pa.RecordBatch))


def _encode(pieces: list[pa.RecordBatch]) -> bytes:
    table = pa.Table.from_batches([trimmed(piece) for piece in pieces]).combine_chunks()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()  # type: ignore[no-any-return]


class _ApplyToPartition(beam.DoFn):
    """Gathers a partition and calls the function on it."""

    def __init__(
        self,
        label: str,
        apply: Apply,
        inputs: Mapping[str, pa.Schema],
        main: str,
        sides: tuple[str, ...],
        outcome: str,
    ) -> None:
        self._label, self._apply, self._inputs, self._main = label, apply, dict(inputs), main
        self._sides, self._outcome = sides, outcome

    def setup(self) -> None:
        if hasattr(self._apply, "setup"):
            self._apply.setup()

    # Beam takes an annotation of `*sides` for that of a tuple, and refuses side inputs.
    def process(  # type: ignore[no-untyped-def]
        self, keyed: tuple[int, Iterable[Reference | Piece]], *sides
    ) -> Iterator[Any]:
        partition, pieces = keyed
        named = dict(zip(self._sides, sides, strict=True))
        began = time.thread_time_ns()
        with recorded(self._outcome):
            tables = self._gather(pieces)
            self._weigh(tables, sides)
            for name, table in self._apply(partition, tables, **named):
                # One chunk first: the number of pieces must not show in what goes on.
                for batch in table.combine_chunks().to_batches(max_chunksize=_EMIT_ROWS):
                    # What runs after the yield is the next step's time, not this one's.
                    metrics.count(f"cpu_us:{self._label}", (time.thread_time_ns() - began) // 1000)
                    metrics.count(f"rows:{self._label}:{name}", batch.num_rows)
                    yield batch if name == self._main else beam.pvalue.TaggedOutput(name, batch)
                    began = time.thread_time_ns()
        metrics.count(f"cpu_us:{self._label}", (time.thread_time_ns() - began) // 1000)
        metrics.count(f"exchange_partitions:{self._label}")

    def _weigh(self, tables: Tables, sides: tuple[Any, ...]) -> None:
        """Measures what one worker holds at a time: a partition, and all side inputs."""
        held = sum(table.nbytes for table in tables.values())
        metrics.measure(f"partition_bytes:{self._label}", held)
        if sides:
            metrics.measure(f"side_bytes:{self._label}", sum(map(nbytes, sides)))

    def _gather(self, pieces: Iterable[Reference | Piece]) -> dict[str, pa.Table]:
        batches: dict[str, list[pa.RecordBatch]] = {name: [] for name in self._inputs}
        wanted: dict[str, list[tuple[int, int, str]]] = {}
        for piece in pieces:
            if len(piece) == 2:
                batches[piece[0]].append(piece[1])
            else:
                name, path, offset, length = piece
                wanted.setdefault(path, []).append((offset, length, name))
        for path in sorted(wanted):
            with storage.open_input(path) as source:
                for offset, length, name in wanted[path]:
                    source.seek(offset)
                    with pa.ipc.open_stream(pa.py_buffer(source.read(length))) as reader:
                        batches[name].extend(reader)
        return {
            name: pa.Table.from_batches(batches[name], schema=schema)
            for name, schema in self._inputs.items()
        }


class Exchange(beam.PTransform):
    """Brings the rows of a partition together and applies a pure function to them.

    Input: a dict of PCollections of `pa.RecordBatch`, one per name in `inputs`, or a
    tuple of them: a `Flatten` before it would have a local runner keep the rows in memory.
    Output: a dict of PCollections of `pa.RecordBatch`, one per name in `outputs`.

    Args:
        label: Names counters and the spool folder; unique in a pipeline.
        inputs: What comes in, and how each is partitioned.
        partitions: Number of partitions; a partition without rows is not visited.
        apply: `apply(partition, tables, **sides)`. It gets an input's whole
            partition as one table and yields pairs of an output's name and a table.
            If it has a `setup` method, that runs once per worker.
        outputs: Names of the outputs.
        spool: How the pieces travel.
        sides: Beam side inputs, handed to `apply` by keyword.
    """

    def __init__(
        self,
        label: str,
        inputs: Mapping[str, Input],
        partitions: int,
        apply: Apply,
        outputs: Iterable[str],
        spool: Spool,
        sides: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(label)
        self._name = label.lower().replace(" ", "_")
        self._inputs, self._partitions, self._apply = dict(inputs), partitions, apply
        self._outputs, self._spool, self._sides = tuple(outputs), spool, dict(sides or {})

    def _split(self, name: str) -> tuple[beam.DoFn, Any]:
        by = self._inputs[name].by
        if self._spool.carrier == "shuffle":
            return _SplitToShuffle(self._name, name, by, self._partitions), tuple[
                int, tuple[str, pa.RecordBatch]
            ]
        directory = storage.join(self._spool.directory, self._name)
        return _SplitToFiles(self._name, name, by, self._partitions, directory), tuple[
            int, tuple[str, str, int, int]
        ]

    def expand(self, collections: Mapping[str, Any]) -> dict[str, beam.PCollection]:
        """Splits, groups, applies."""
        keyed = []
        for name in self._inputs:
            split, kind = self._split(name)
            given = collections[name]
            for number, rows in enumerate(given if isinstance(given, tuple) else (given,)):
                label = f"Split {name}" + (f" {number + 1}" if number else "")
                keyed.append(rows | label >> beam.ParDo(split).with_output_types(kind))
        main, *others = self._outputs
        schemas = {name: given.schema for name, given in self._inputs.items()}
        applied = beam.ParDo(
            _ApplyToPartition(
                self._name,
                self._apply,
                schemas,
                main,
                tuple(self._sides),
                self._spool.outcome,
            ),
            *self._sides.values(),
        ).with_output_types(pa.RecordBatch, **dict.fromkeys(others, pa.RecordBatch))
        grouped = (keyed[0] if len(keyed) == 1 else keyed | "Collect" >> beam.Flatten()) | (
            "Group partitions" >> beam.GroupByKey()
        )
        if not others:
            return {main: grouped | "Apply" >> applied}
        results = grouped | "Apply" >> applied.with_outputs(*others, main=main)
        return {name: results[name] for name in self._outputs}
