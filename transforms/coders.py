"""How a `pa.RecordBatch` crosses from one worker to another.

Importing this module registers the coder; every `beam.py` imports it. It stands
apart from `records` so that code that only reads columns needs no Beam.
"""

from __future__ import annotations

import copyreg
from collections.abc import Callable

import apache_beam as beam
import numpy as np
import pyarrow as pa

__all__ = ["RecordBatchCoder", "trimmed"]


def trimmed(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same batch without what Arrow's IPC writer would ship of its parent.

    The writer truncates buffers to a slice, but not those of an array of no values:
    a slice without rows, or whose lists are all empty, would carry them whole.
    """
    columns = [_trimmed(column) for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _trimmed(column: pa.Array) -> pa.Array:
    bare = not len(column)
    if not bare and pa.types.is_list(column.type):
        bare = column.offsets[0] == column.offsets[-1]
    return column.take(pa.array(np.arange(len(column)))) if bare else column


class RecordBatchCoder(beam.coders.Coder):
    """Encodes a `pa.RecordBatch` as one Arrow IPC stream.

    Beam's default coder pickles, and a pickled slice ships the buffers of its
    whole parent. The IPC writer truncates buffers to the slice; `trimmed` does the rest.
    """

    def encode(self, value: pa.RecordBatch) -> bytes:
        """One IPC stream."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, value.schema) as writer:
            writer.write_batch(trimmed(value))
        return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]

    def decode(self, encoded: bytes) -> pa.RecordBatch:
        """The first batch of the stream."""
        with pa.ipc.open_stream(pa.py_buffer(encoded)) as reader:
            return reader.read_next_batch()

    def is_deterministic(self) -> bool:
        """False: batches are never keys."""
        return False

    def to_type_hint(self) -> type[pa.RecordBatch]:
        """What it encodes."""
        return pa.RecordBatch  # type: ignore[no-any-return]


def _decoded(encoded: bytes) -> pa.RecordBatch:
    return RecordBatchCoder().decode(encoded)


def _reduced(batch: pa.RecordBatch) -> tuple[Callable[[bytes], pa.RecordBatch], tuple[bytes]]:
    return _decoded, (RecordBatchCoder().encode(batch),)


beam.coders.registry.register_coder(pa.RecordBatch, RecordBatchCoder)
# Dataflow's runner forgets the type of whatever is a side input, and so pickles it: a
# pickled batch is the same stream.
copyreg.pickle(pa.RecordBatch, _reduced)
