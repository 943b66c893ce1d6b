"""The ledger by input file: what became of everything that a file held.

`ledger/files.parquet` has a row for each input file. What was read of it is counted where
it was staged, what became of it where it was settled: two counts that have to agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from transforms.records import REASONS
from transforms.schemas import columns

__all__ = ["BY_FILE", "by_file", "check_by_file", "file_of"]

_FATES = ("kept", *REASONS)

BY_FILE = columns(
    file=pa.string(),
    n_bytes=pa.int64(),
    read=pa.int64(),
    **dict.fromkeys(_FATES, pa.int64()),
    dead_letters=pa.int64(),
    read_size=pa.int64(),
    **{f"{name}_size": pa.int64() for name in _FATES},
    dead_letters_bytes=pa.int64(),
)
"""A row of `ledger/files.parquet`: one input file.

`n_bytes` is its size on storage; `read` are its records, those in `dead_letters`
included; the others are documents by what became of them. `*_size` is the same in the
run's size unit, `dead_letters_bytes` in bytes, since what cannot be read has no other
size.
"""

_FILE_BITS = 16
"""Bits of a part's number that count the parts of one file (`ingest.splits.part_id`)."""


def file_of(part: int) -> int:
    """The number of the file that a part of staging was read from."""
    return part >> _FILE_BITS


def by_file(
    inputs: Sequence[tuple[str, int]],
    parts: pa.Table,
    outcomes: pa.Table,
    letters: Mapping[str, Sequence[int]],
) -> pa.Table:
    """Sums outcomes by file.

    Args:
        inputs: Path and size of every input file, by number.
        parts: Rows of `dedup.rows.PART`: everything that was staged.
        outcomes: Rows of `staging.LEDGER`.
        letters: Dead letters and their bytes, by path.

    Returns:
        Rows of `BY_FILE`, in the order of `inputs`.
    """
    staged: Counter[int] = Counter()
    for row in parts.to_pylist():
        staged[file_of(row["part"])] += row["rows"]
    documents: Counter[tuple[int, str]] = Counter()
    sizes: Counter[tuple[int, str]] = Counter()
    for row in outcomes.to_pylist():
        documents[row["file"], row["outcome"]] += row["documents"]
        sizes[row["file"], row["outcome"]] += row["size"]
    rows = []
    for number, (path, n_bytes) in enumerate(inputs):
        dead, lost = letters.get(path, (0, 0))
        row = {"file": path, "n_bytes": n_bytes, "read": staged[number] + dead}
        row |= {name: documents[number, name] for name in _FATES}
        row |= {f"{name}_size": sizes[number, name] for name in _FATES}
        row |= {"read_size": sum(sizes[number, name] for name in _FATES)}
        rows.append(row | {"dead_letters": dead, "dead_letters_bytes": lost})
    return pa.Table.from_pylist(rows, schema=BY_FILE)


def check_by_file(table: pa.Table, ledger: Mapping[str, Any]) -> Iterator[str]:
    """Holds the accounts by file against themselves and against the whole.

    Args:
        table: Rows of `BY_FILE`.
        ledger: As `ledger.build_ledger` makes it, with `size`.

    Yields:
        A sentence per contradiction.
    """
    for row in table.to_pylist():
        parts = row["dead_letters"] + sum(row[name] for name in _FATES)
        if row["read"] != parts:
            yield f"{row['file']}: {row['read']} records were read, {parts} are accounted for"
        if row["read_size"] != sum(row[f"{name}_size"] for name in _FATES):
            yield f"{row['file']}: its sizes do not add up"
    sizes = ledger["size"]
    expected = {name: _of(ledger, name) for name in ("read", *_FATES, "dead_letters")}
    expected |= {f"{name}_size": _of(sizes, name) for name in ("read", *_FATES)}
    for name, value in expected.items():
        found = pc.sum(table.column(name)).as_py() or 0
        if found != value:
            yield f"by file, {name} sums to {found}; the whole says {value}"


def _of(account: Mapping[str, Any], name: str) -> int:
    return int(account["dropped"].get(name, 0) if name in REASONS else account[name])
