"""How a `pa.RecordBatch` crosses from one worker to another.

Importing this module registers the coder; every `beam.py` imports it. It stands
apart from `records` so that code that only reads columns needs no Beam.
"""

from __future__ import annotations

import apache_beam as beam
import pyarrow as pa

__all__ = ["RecordBatchCoder"]


class RecordBatchCoder(beam.coders.Coder):
    """Encodes a `pa.RecordBatch` as one Arrow IPC stream.

    Beam's default coder pickles, and a pickled slice ships the buffers of its
    whole parent. The IPC writer truncates buffers to the slice.
    """

    def encode(self, value: pa.RecordBatch) -> bytes:
        """One IPC stream."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, value.schema) as writer:
            writer.write_batch(value)
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


beam.coders.registry.register_coder(pa.RecordBatch, RecordBatchCoder)
