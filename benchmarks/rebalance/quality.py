"""The worst shard and the worst window, beside other ways to make shards.

    make bench-rebalance
    python -m benchmarks.rebalance.quality [--corpus DIR | --run RUN --staging STAGING]

One run of holdfast gives two inputs for all others: what deduplication kept, and what
holdfast published of it, repeats included. Shares are in characters. MosaicML Streaming
gets a stream for each combination of original and tail: every document once, or with the
number of documents and the proportions that holdfast published. Windows lie within
shards: 512 documents, or as many as make a sixteenth of their shard.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.corpora import add_flags, add_work, mixer
from benchmarks.rebalance.placed import (
    ATTRIBUTES,
    Documents,
    Shards,
    hashed,
    shuffled,
    stratified,
    worst,
)
from transforms.dedup.rows import ORIGINS
from transforms.staging.record import read_kept

__all__ = ["main"]

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_DOCUMENTS = 20_000
_POLICY = ("--floor", "original=0.6", "--floor", "tail=0.3", "--cap", "synthetic=0.1")
_SHARD_SIZE = "2M"
_VENV = "streaming"
_KEPT, _PUBLISHED = "kept", "published"


@dataclasses.dataclass(frozen=True)
class Row:
    """One way to make shards; `shards` is a message where there are none."""

    name: str
    given: str
    documents: Documents
    shards: Shards | str


def _keys(ids: pa.Array) -> Any:
    """Eight bytes of ids of sixteen."""
    return np.frombuffer(b"".join(ids.to_pylist()), "<u8").reshape(-1, 2)[:, 0]


def _published(run: pathlib.Path) -> tuple[Documents, Shards]:
    """What was published, in its shards."""
    tables = [pq.read_table(path) for path in sorted((run / "data").iterdir())]
    whole = pa.concat_tables(tables).combine_chunks()
    members = {
        "original": pc.equal(whole.column("origin"), "anchor").to_numpy(),
        "tail": whole.column("tail").to_numpy(),
    }
    size = pc.utf8_length(whole.column("text")).to_numpy().astype(np.int64)
    ends = np.cumsum([0, *map(len, tables)])
    shards = [np.arange(ends[n], ends[n + 1]) for n in range(len(tables))]
    return Documents(_keys(whole.column("doc_id")), size, members), shards


def _kept(staging: pathlib.Path, tail: dict[str, str]) -> Documents:
    """What deduplication kept, in the order of the input; tail by the run's list."""
    table = pa.Table.from_batches(list(read_kept(str(staging))[1])).sort_by("node")
    listed = pc.is_in(table.column("lang"), value_set=pa.array(sorted(tail), pa.string()))
    members = {
        "original": pc.equal(table.column("origin"), ORIGINS.index("anchor")).to_numpy(),
        "tail": pc.and_(listed, pc.invert(table.column("mixed"))).to_numpy(),
    }
    size = table.column("size").to_numpy()
    return Documents(_keys(table.column("doc_id")), size, members)


def _curate(corpus: pathlib.Path, work: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """Runs the whole job on a corpus; the run and its staging."""
    run = work / "rebalance-quality"
    staging = run.with_name(f"{run.name}.staging")
    for folder in (run, staging):
        shutil.rmtree(folder, ignore_errors=True)
    command = ["pipelines.cli", "curate", "--input", str(corpus / "part-*.parquet")]
    command += ["--output", str(run), *_POLICY, "--shard-size", _SHARD_SIZE]
    subprocess.run([sys.executable, "-m", *command], check=True)
    return run, staging


def _tried(make: Callable[[], Shards], venvs: pathlib.Path) -> Shards | str:
    """The shards of a library that may be missing, or may fail."""
    if not (venvs / _VENV / ".installed").exists():
        log = venvs / f"{_VENV}.log"
        return f"not installed (see {log})" if log.exists() else "not installed"
    try:
        return make()
    except subprocess.CalledProcessError as error:
        return f"ended with {error.returncode}"


def _rows(run: pathlib.Path, staging: pathlib.Path, given: argparse.Namespace) -> list[Row]:
    tail = json.loads((run / "manifest.json").read_bytes())["tail"]
    published, shards = _published(run)
    kept, count = _kept(staging, tail), len(shards)
    rows = [Row("holdfast", _KEPT, published, shards)]
    python = str(given.venvs / _VENV / "bin" / "python")
    for name, documents, asked in ((_PUBLISHED, published, None), (_KEPT, kept, published)):
        rows.append(Row("random shuffle", name, documents, shuffled(documents, count)))
        rows.append(Row("id modulo shards", name, documents, hashed(documents, count)))

        def make(documents: Documents = documents, asked: Documents | None = asked) -> Shards:
            return stratified(documents, count, python, given.work, asked)

        made = _tried(make, given.venvs)
        rows.append(Row("Streaming, stratified", name, documents, made))
    return rows


def _cells(row: Row) -> list[str]:
    if isinstance(row.shards, str):
        return [row.name, row.given, row.shards, *[""] * 8]
    cells = [row.name, row.given, f"{sum(map(len, row.shards)):,}"]
    for name in ATTRIBUTES:
        found = worst(row.documents, name, row.shards)
        cells += [f"{share:.4f}" for share in dataclasses.astuple(found)]
    return cells


def _print(rows: list[Row], run: pathlib.Path) -> None:
    manifest = json.loads((run / "manifest.json").read_bytes())
    header = ["way", "input", "documents"]
    for name in ATTRIBUTES:
        header += [f"{name}: all", "worst shard", "worst 512 documents", "worst 1/16 shard"]
    floors = ", ".join(f"{name} >= {share}" for name, share in manifest["floors"].items())
    sizes = [entry["size"] for entry in manifest["shards"]]
    largest = max(int(row.documents.size.max()) for row in rows)
    print(f"\n{len(sizes)} shards of {min(sizes):,} to {max(sizes):,} chars, the largest document")
    print(f"has {largest:,}; promised: {floors or 'nothing'}\n")
    for cells in (header, ["---", "---", *["---:"] * (len(header) - 2)], *map(_cells, rows)):
        print(f"| {' | '.join(cells)} |")


def main() -> None:
    """Makes the run unless it is given, then all the others."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_flags(parser)
    parser.add_argument("--corpus", type=pathlib.Path, help="Parquet files part-* (default: mixed)")
    parser.add_argument("--run", type=pathlib.Path, help="a published run in chars")
    parser.add_argument("--staging", type=pathlib.Path, help="its staging folder")
    parser.add_argument("--documents", type=int, default=_DOCUMENTS, help="of a mixed corpus")
    add_work(parser)
    parser.add_argument("--venvs", type=pathlib.Path, default=_ROOT / ".bench")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    run, staging = given.run, given.staging
    if run is None:
        corpus = given.corpus or mixer(given).corpus(given.work, given.documents, 1)
        run, staging = _curate(corpus, given.work)
    elif staging is None:
        staging = run.with_name(f"{run.name}.staging")
    _print(_rows(run, staging, given), run)


if __name__ == "__main__":
    main()
