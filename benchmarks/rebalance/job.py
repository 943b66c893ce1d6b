"""Rebalancing as a pipeline: rows from files, assignments to files.

python -m benchmarks.rebalance.job ROWS OUT --workers N
"""

from __future__ import annotations

import argparse
import json
import pathlib

import apache_beam as beam
import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions

import transforms.coders  # noqa: F401  # registers the coder of pa.RecordBatch
from benchmarks.rebalance.rows import ROWS, read_batches, write_batch
from transforms import metrics
from transforms.exchange import Spool
from transforms.rebalance import codec
from transforms.rebalance.beam import Rebalance
from transforms.rebalance.config import RebalanceConfig

__all__ = ["CONFIG", "COUNTERS", "main"]

COUNTERS = "counters.json"
"""The job's counters, in the folder of what comes out."""

CONFIG = RebalanceConfig(
    floors={"original": 0.25, "tail": 0.3}, caps={"synthetic": 0.15}, repeat_cap=4
)
_PARTITION = 18_000
"""Documents in a partition: 64 MB of text, as a run divides it."""
_OUTPUTS = ("assigned", "trimmed", "too_large", "plan")


def _run(rows: list[str], out: pathlib.Path, workers: int) -> None:
    mode = ["--direct_running_mode=multi_processing"] if workers > 1 else []
    flags = ["--runner=FnApiRunner", f"--direct_num_workers={workers}", *mode]
    options = PipelineOptions(flags, save_main_session=False)
    spool = Spool("files", str(out / "spool"), str(out))
    ready = pa.table([pa.array(["ready"])], schema=codec.TEXT).to_batches()
    partitions = max(4 * workers, -(-len(rows) * ROWS // _PARTITION))
    pipeline = beam.Pipeline(options=options)
    documents = (
        pipeline
        | "Name files" >> beam.Create(rows)
        | "Spread files" >> beam.Reshuffle()
        | "Read rows" >> beam.FlatMap(read_batches).with_output_types(pa.RecordBatch)
    )
    given = {
        "documents": documents,
        "ready": pipeline | "Ready" >> beam.Create(ready).with_output_types(pa.RecordBatch),
    }
    dealt = given | "Rebalance" >> Rebalance(CONFIG, partitions, spool)
    for name in _OUTPUTS:
        _ = dealt[name] | f"Write {name}" >> beam.Map(write_batch, str(out / name))
    result = pipeline.run()
    result.wait_until_finish()
    (out / COUNTERS).write_text(json.dumps(metrics.counters(result)))


def main() -> None:
    """Runs the pipeline."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", type=pathlib.Path, help="folder of rows")
    parser.add_argument("out", type=pathlib.Path, help="folder of what comes out")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    _run(sorted(map(str, given.rows.iterdir())), given.out, given.workers)


if __name__ == "__main__":
    main()
