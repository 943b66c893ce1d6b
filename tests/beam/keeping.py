"""What a PCollection held, written down where a test can read it."""

import pathlib
import tempfile

import apache_beam as beam
import pyarrow as pa


class Keep(beam.DoFn):
    """Writes batches down, so that a test can read what a PCollection held."""

    def __init__(self, folder):
        self._folder = folder

    def process(self, batch):
        handle, path = tempfile.mkstemp(".arrow", dir=self._folder)
        with open(handle, "wb") as sink, pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        return [pathlib.Path(path).name]


def kept(folder, schema):
    """Rows that `Keep` wrote, and the number of rows of each batch."""
    batches = []
    for path in sorted(folder.iterdir()):
        with pa.ipc.open_stream(path.read_bytes()) as reader:
            batches.extend(reader)
    table = pa.Table.from_batches(batches, schema=schema)
    return table.to_pylist(), [batch.num_rows for batch in batches]
