"""datatrove's four MinHash stages on two workers: Parquet in, Parquet out.

Bands are its documented 14 of 8, or 21 of 6. Its Parquet writer takes the types of a
column from the first document, so nulls are written as empty strings.
"""

from __future__ import annotations

import argparse
import pathlib

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.base import PipelineStep
from datatrove.pipeline.dedup import MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
)
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.writers import ParquetWriter
from datatrove.utils.hashing import HashConfig

_WORKERS = 2


def _strings(_: object, document: object) -> dict[str, str]:
    """A document as a row of strings."""
    metadata = {k: str(v or "") for k, v in document.metadata.items()}
    return {"text": document.text, "url": document.id} | metadata


def _run(steps: list[PipelineStep], tasks: int, logs: pathlib.Path) -> None:
    LocalPipelineExecutor(steps, tasks=tasks, workers=_WORKERS, logging_dir=str(logs)).run()


def main() -> None:
    """Signatures, buckets, clusters, filter."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--input", type=pathlib.Path, required=True)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    parser.add_argument("--bands", type=int, choices=(14, 21), default=14)
    given = parser.parse_args()
    config = MinhashConfig(
        n_grams=5,
        num_buckets=given.bands,
        hashes_per_bucket={14: 8, 21: 6}[given.bands],
        hash_config=HashConfig(precision=64),
    )
    places = {name: str(given.output / name) for name in ("sigs", "buckets", "ids", "kept")}
    files = len(list(given.input.glob("part-*.parquet")))
    reader = ParquetReader(str(given.input), glob_pattern="part-*.parquet", id_key="url")
    logs = given.output / "logs"
    _run([reader, MinhashDedupSignature(places["sigs"], config)], files, logs / "1")
    buckets = MinhashDedupBuckets(places["sigs"], places["buckets"], config=config)
    _run([buckets], given.bands, logs / "2")
    _run([MinhashDedupCluster(places["buckets"], places["ids"], config=config)], 1, logs / "3")
    writer = ParquetWriter(places["kept"], adapter=_strings, expand_metadata=True)
    _run([reader, MinhashDedupFilter(places["ids"]), writer], files, logs / "4")


if __name__ == "__main__":
    main()
