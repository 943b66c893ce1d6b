"""Shards as MosaicML Streaming reads them: MDS, format version 2.

A file is: the number of samples n and n + 1 offsets, little-endian uint32; the
configuration, JSON with sorted keys; then the samples. A sample is the size of each
column that has no fixed one, uint32, then the values of all columns by name. `index.json`
names all shards. A test holds these bytes against those of the library's own writer,
which cannot be a dependency (docs/adr).

MDS knows no null: a column that may be null is JSON, and so are lists and booleans.
Source of the format: the documentation of mosaicml-streaming 0.13, "Dataset Format".
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.errors import UsageError
from transforms.formats.format import Member
from transforms.formats.plain import from_columns, plain_columns
from transforms.records import PUBLISHED

__all__ = ["COLUMNS", "Mds"]

_INDEX = "index.json"
_LARGEST = (1 << 32) - 1
"""Bytes that 32-bit offsets reach."""
_ENCODINGS = {pa.binary(): "bytes", pa.string(): "str", pa.float32(): "float32"}
_ENCODINGS |= {pa.int32(): "int32", pa.int64(): "int64"}
_FIXED = {"int32": "<i4", "int64": "<i8", "float32": "<f4"}
"""Encodings of a fixed size, as numpy names them."""


def _encoding(field: pa.Field) -> str:
    return "json" if field.nullable else _ENCODINGS.get(field.type, "json")


COLUMNS = {name: _encoding(PUBLISHED.field(name)) for name in sorted(PUBLISHED.names)}
"""Encoding of every column, by name in the order of the file."""

_SIZES = {n: np.dtype(_FIXED[e]).itemsize if e in _FIXED else None for n, e in COLUMNS.items()}
_CONFIG = {
    "version": 2,
    "format": "mds",
    "compression": None,
    "hashes": ["sha256"],
    "size_limit": None,
    "column_names": list(COLUMNS),
    "column_encodings": list(COLUMNS.values()),
    "column_sizes": list(_SIZES.values()),
}
_CONFIG_BYTES = json.dumps(_CONFIG, sort_keys=True).encode()

_VARIABLE: dict[str, tuple[Callable[[Any], bytes], Callable[[bytes], Any]]] = {
    "bytes": (bytes.fromhex, bytes),
    "str": (str.encode, bytes.decode),
    "json": (lambda value: json.dumps(value).encode(), json.loads),
}
"""How values of columns without a fixed size are written and read."""


def _encoded(encoding: str, values: list[Any]) -> list[bytes]:
    if encoding in _FIXED:
        return [value.tobytes() for value in np.array(values, _FIXED[encoding])]
    return [_VARIABLE[encoding][0](value) for value in values]


def _samples(shard: pa.Table) -> list[bytes]:
    plain = plain_columns(shard)
    data = [_encoded(encoding, plain[name]) for name, encoding in COLUMNS.items()]
    loose = [column for column, size in zip(data, _SIZES.values(), strict=True) if size is None]
    heads = np.array([[len(value) for value in column] for column in loose], dtype="<u4").T
    return [
        b"".join((head.tobytes(), *row))
        for head, row in zip(heads, zip(*data, strict=True), strict=True)
    ]


def _cut(sample: bytes) -> list[bytes]:
    """The values of a sample, as bytes, by column."""
    loose = list(_SIZES.values()).count(None)
    lengths = iter(np.frombuffer(sample[: 4 * loose], dtype="<u4").tolist())
    at, values = 4 * loose, []
    for fixed in _SIZES.values():
        size = next(lengths) if fixed is None else fixed
        values.append(sample[at : at + size])
        at += size
    if at != len(sample):
        raise ValueError(f"a sample has {len(sample)} bytes, its columns say {at}")
    return values


def _decoded(encoding: str, values: Sequence[bytes]) -> list[Any]:
    if encoding in _FIXED:
        return np.frombuffer(b"".join(values), _FIXED[encoding]).tolist()  # type: ignore[no-any-return]
    return [_VARIABLE[encoding][1](value) for value in values]


class Mds:
    """A `.mds` file a shard, and `index.json` beside all of them."""

    name = "mds"
    extension = ".mds"
    package = None

    def require(self) -> None:
        """Nothing lacks: the format is written and read here."""

    def write(self, shard: pa.Table) -> bytes:
        """Rows of `records.PUBLISHED` as a file.

        Raises:
            UsageError: It is too large for the offsets of the format.
        """
        samples = _samples(shard)
        start = 4 + 4 * (len(samples) + 1) + len(_CONFIG_BYTES)
        ends = start + np.cumsum([0, *map(len, samples)], dtype=np.int64)
        if ends[-1] > _LARGEST:
            raise UsageError(
                f"a shard has {int(ends[-1]):,} bytes, and MDS cannot hold more than 4 GiB; "
                "give a smaller --shard-size, or choose another format"
            )
        head = np.uint32(len(samples)).tobytes() + ends.astype("<u4").tobytes()
        return b"".join((head, _CONFIG_BYTES, *samples))

    def read(self, data: bytes) -> pa.Table:
        """The rows of a file (PUBLISHED)."""
        try:
            count = int(np.frombuffer(data, "<u4", 1)[0])
            offsets = np.frombuffer(data, "<u4", count + 1, 4).tolist()
            config = data[8 + 4 * count : offsets[0]]
            if config != _CONFIG_BYTES or offsets[-1] != len(data):
                raise ValueError("its columns are not those that are published, or it is cut off")
            samples = [_cut(data[begin:end]) for begin, end in itertools.pairwise(offsets)]
            columns = dict(zip(COLUMNS, zip(*samples, strict=True), strict=samples != []))
            given = {name: _decoded(e, columns.get(name, ())) for name, e in COLUMNS.items()}
        except (StopIteration, IndexError) as error:
            raise ValueError(f"it is no MDS file: {error!r}") from error
        return from_columns(given)

    def index(self, members: Sequence[Member]) -> dict[str, bytes]:
        """`index.json`, by which `streaming.StreamingDataset` finds the shards of a folder."""
        shards = []
        for member in members:
            raw = {"basename": member.name, "bytes": member.n_bytes}
            raw |= {"hashes": {"sha256": member.sha256}}
            shards.append({"samples": member.rows, "raw_data": raw, "zip_data": None, **_CONFIG})
        return {_INDEX: json.dumps({"version": 2, "shards": shards}, sort_keys=True).encode()}
