"""Metadata of documents as rebalancing gets it, made up: no text, any number of rows."""

from __future__ import annotations

import dataclasses
import pathlib
import uuid
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.rebalance.ranks import LIGHT

__all__ = ["ROWS", "Facts", "facts", "read_batches", "write_batch", "write_rows"]

ROWS = 50_000
"""Of a batch, and of a file."""
_ORIGINS = 3
_LANGUAGES = 3_334
"""With the origins, 10,002 strata."""
_HEAD = 600
"""Languages that are no tail: the most frequent ones."""
_SKEW = 1.1
_ORIGINAL, _SYNTHETIC = 0.12, 0.2
_HOSTS, _SOURCES = 100_000, 1_000
_MEAN_LOG, _SIGMA = 7.6, 1.1
"""Of the log-normal sizes: a mean of 3,660 characters."""
_LIKELY = 0.1
_PARTS_FILE = "rows-{:05d}.arrow"

Ints = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Facts:
    """What decides about the documents of a batch. Every array has one value a row."""

    language: Ints
    original: npt.NDArray[np.bool_]
    synthetic: npt.NDArray[np.bool_]
    tail: npt.NDArray[np.bool_]
    size: Ints


def _zipf(random: np.random.Generator, kinds: int, rows: int, skew: float = _SKEW) -> Ints:
    """Kinds whose frequency falls with a power of their number."""
    ends = np.cumsum(1 / np.arange(2, kinds + 2) ** skew)
    return np.searchsorted(ends, random.random(rows) * ends[-1]).astype(np.int64)


def facts(number: int, rows: int) -> Facts:
    """The facts of batch `number`, the same whenever they are asked for."""
    random = np.random.default_rng([1, number])
    language, drawn = _zipf(random, _LANGUAGES, rows), random.random(rows)
    sizes = np.maximum(random.lognormal(_MEAN_LOG, _SIGMA, rows), 20).astype(np.int64)
    synthetic = drawn > 1 - _SYNTHETIC
    return Facts(language, drawn < _ORIGINAL, synthetic, language >= _HEAD, sizes)


def _named(prefix: str, numbers: Ints, kinds: int, ending: str) -> pa.Array:
    names = pa.array([f"{prefix}{number}{ending}" for number in range(kinds)], pa.string())
    return names.take(pa.array(numbers))


def _columns(number: int, first: int, rows: int) -> dict[str, pa.Array]:
    random, known = np.random.default_rng([2, number]), facts(number, rows)
    likely = np.where(random.random(rows) < _LIKELY, random.integers(5_000, 10_001, rows), 0)
    nodes = np.arange(first, first + rows, dtype=np.uint64)
    ids = random.integers(0, 2**63, (rows, 2), dtype=np.uint64)
    ids[:, 1] = nodes  # no two are alike
    plain = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), rows, [None, pa.py_buffer(ids)])
    return {
        "node": pa.array(nodes),
        "doc_id": plain.cast(pa.binary()),
        "lang": _named("l", known.language, _LANGUAGES, "_Latn"),
        "original": pa.array(known.original),
        "tail": pa.array(known.tail),
        "synthetic": pa.array(known.synthetic),
        "source": _named("source-", _zipf(random, _SOURCES, rows), _SOURCES, ""),
        "host": _named("host-", _zipf(random, _HOSTS, rows, 0.9), _HOSTS, ".example"),
        "likely": pa.array(likely),
        "copies": pa.array(random.geometric(0.7, rows)),
        "rare": pa.array(random.poisson(0.5, rows) * known.original),
        "weight": pa.array(1_000_000 - 100 * likely),
        "size": pa.array(known.size),
    }


def _batch(number: int, first: int, rows: int) -> pa.RecordBatch:
    """One batch of LIGHT; a column that is not known here is zero, or empty."""
    known = _columns(number, first, rows)
    blank = {
        field.name: pa.repeat(pa.scalar("" if pa.types.is_string(field.type) else 0), rows)
        for field in LIGHT
        if field.name not in known
    }
    columns = [(known | blank)[field.name].cast(field.type) for field in LIGHT]
    return pa.RecordBatch.from_arrays(columns, schema=LIGHT)


def write_rows(folder: pathlib.Path, documents: int) -> list[str]:
    """Writes the rows of so many documents; the paths of their files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, first in enumerate(range(0, documents, ROWS)):
        path = folder / _PARTS_FILE.format(number)
        with pa.ipc.new_file(str(path), LIGHT) as sink:
            sink.write_batch(_batch(number, first, min(ROWS, documents - first)))
        paths.append(str(path))
    return paths


def read_batches(path: str) -> Iterator[pa.RecordBatch]:
    """The batches of a file, read as a step of a pipeline reads them."""
    with pa.OSFile(path) as source, pa.ipc.open_file(source) as reader:
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)


def write_batch(batch: pa.RecordBatch, folder: str) -> str:
    """Writes a batch to a file of its own; its path. Here, since workers have no `__main__`."""
    path = f"{folder}-{uuid.uuid4().hex}.arrow"
    with pa.ipc.new_file(path, batch.schema) as sink:
        sink.write_batch(batch)
    return path
