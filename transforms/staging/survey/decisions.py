"""Decisions that need the whole run: count what is staged, decide once, apply everywhere.

Annotation stages scores, each from its own row alone. What a score means may depend on
all the others: a language's threshold on the language's scores, a host's suspicion on
all pages of the host. A room that decides so hands in a `Policy`. Each part of staging
is counted, the counts of all parts are added up in one place, what is decided from
them is one file in staging, and whoever reads a staged row afterwards applies it.
Selection can therefore decide anew without annotating anew.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from transforms import storage

__all__ = [
    "DECISIONS",
    "STATISTICS",
    "Decisions",
    "Policy",
    "apply_decisions",
    "by_counts",
    "columns_of",
    "count_part",
    "count_rows",
    "decide_rows",
    "merge_statistics",
    "read_decisions",
    "read_rows",
    "write_decisions",
]

STATISTICS = pa.schema([("policy", pa.string()), ("counts", pa.binary())])
"""What one policy counted in one place: a table as an Arrow IPC stream."""

DECISIONS = pa.schema([("policy", pa.string()), ("path", pa.string())])
"""Where the decision of a policy lies: an Arrow IPC stream."""

Decisions = Mapping[str, pa.Table]
"""What was decided, by the name of the policy."""

_ROWS = 1 << 16


@dataclasses.dataclass(frozen=True)
class Policy:
    """How a room decides from the statistics of a whole run. Its functions are pure.

    Attributes:
        name: Of the policy; its decision is `<name>.arrow`.
        keys: Columns of the statistics that tell rows apart; all others are integers,
            and are added up: a float sum would depend on the order of the parts.
            Not used where there is a `merge`.
        counted: Columns that `count` reads.
        count: Rows to their statistics, which must not be empty of columns.
        decide: The statistics of the run, one row for each of its keys, in the order of
            the keys, to the decision. It is kept in memory wherever it is applied.
        applied: Columns that `apply` reads besides those it replaces.
        apply: Rows and the decision to the same rows, columns replaced.
        merge: For statistics that are no sums: the rows of several places, in any order,
            to those of one. The same whatever is merged with what first.
    """

    name: str
    keys: tuple[str, ...]
    counted: tuple[str, ...]
    count: Callable[[pa.Table], pa.Table]
    decide: Callable[[pa.Table], pa.Table]
    applied: tuple[str, ...]
    apply: Callable[[pa.Table, pa.Table], pa.Table]
    merge: Callable[[pa.Table], pa.Table] | None = None

    def merged(self, tables: Sequence[pa.Table]) -> pa.Table:
        """The statistics of several places as those of one."""
        if self.merge is None:
            return _added_up(tables, self.keys)
        return self.merge(pa.concat_tables(tables))


def _encode(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def _decode(data: bytes) -> pa.Table:
    with pa.ipc.open_stream(data) as reader:
        return reader.read_all()


def _added_up(tables: Sequence[pa.Table], keys: Sequence[str]) -> pa.Table:
    """One row for each of the keys, in their order; every other column is a sum."""
    table = pa.concat_tables(tables)
    others = [name for name in table.column_names if name not in keys]
    for name in others:
        if not pa.types.is_integer(table.schema.field(name).type):
            raise TypeError(f"statistics of {name!r} are no integers, but are added up")
    summed = table.group_by(list(keys)).aggregate([(name, "sum") for name in others])
    summed = summed.sort_by([(key, "ascending") for key in keys]).combine_chunks()
    columns = [*(summed.column(key) for key in keys)]
    columns += [summed.column(f"{name}_sum") for name in others]
    schema = pa.schema([table.schema.field(name) for name in (*keys, *others)])
    return pa.table(columns, names=[*keys, *others]).cast(schema)


def _statistics(policy: Policy, tables: Sequence[pa.Table]) -> pa.RecordBatch:
    counts = _encode(policy.merged(tables))
    return pa.record_batch([[policy.name], [counts]], schema=STATISTICS)


def count_rows(rows: pa.RecordBatch, policy: Policy) -> pa.RecordBatch:
    """What a policy counts in a batch; one row of `STATISTICS`."""
    return _statistics(policy, [policy.count(pa.Table.from_batches([rows]))])


def count_part(path: str, policies: Sequence[Policy]) -> Iterator[pa.RecordBatch]:
    """What each policy counts in one part of staging.

    Args:
        path: A Parquet file of staging.
        policies: Whose columns are read, and no others.

    Yields:
        A row of `STATISTICS` for each policy, though it found nothing to count.
    """
    names = sorted({name for policy in policies for name in policy.counted})
    counted: dict[str, list[pa.Table]] = {policy.name: [] for policy in policies}
    with storage.open_input(path) as source:
        file = pq.ParquetFile(source)
        empty = file.schema_arrow.empty_table().select(names)
        batches = file.iter_batches(_ROWS, columns=names)
        for table in (empty, *(pa.Table.from_batches([batch]) for batch in batches)):
            for policy in policies:
                counted[policy.name].append(policy.merged([policy.count(table)]))
    for policy in policies:
        yield _statistics(policy, counted[policy.name])


def by_counts(batch: pa.RecordBatch, partitions: int) -> npt.NDArray[np.int64]:
    """Spreads rows of `STATISTICS` over partitions; which go together does not matter."""
    hashes = [xxhash.xxh3_64_intdigest(counts.as_buffer()) for counts in batch.column("counts")]
    return (np.array(hashes, dtype=np.uint64) % np.uint64(partitions)).astype(np.int64)


def merge_statistics(
    partition: int, tables: Mapping[str, pa.Table], *, policies: Sequence[Policy]
) -> Iterator[tuple[str, pa.Table]]:
    """Adds up the statistics of some places, so that nobody has to hold those of all.

    Args:
        partition: Not used.
        tables: `statistics` (STATISTICS), of some places.
        policies: Who counted.

    Yields:
        `statistics`: a row for each policy.
    """
    del partition
    rows = tables["statistics"].to_pylist()
    for policy in policies:
        counted = [_decode(row["counts"]) for row in rows if row["policy"] == policy.name]
        if counted:
            merged = _encode(policy.merged(counted))
            yield "statistics", pa.table([[policy.name], [merged]], schema=STATISTICS)


def write_decisions(
    partition: int, tables: Mapping[str, pa.Table], *, policies: Sequence[Policy], folder: str
) -> Iterator[tuple[str, pa.Table]]:
    """Adds up statistics, decides, and writes the decisions down.

    Args:
        partition: Not used.
        tables: `statistics` (STATISTICS), of the whole run.
        policies: Who decides.
        folder: Where the decisions are put, under final names: attempts write the same.

    Yields:
        `decisions` (DECISIONS). A policy that counted nowhere decides nothing.
    """
    del partition
    rows = tables["statistics"].to_pylist()
    for policy in policies:
        counted = [_decode(row["counts"]) for row in rows if row["policy"] == policy.name]
        if counted:
            path = storage.join(folder, f"{policy.name}.arrow")
            decided = policy.decide(policy.merged(counted))
            storage.write_bytes_atomically(path, _encode(decided))
            yield "decisions", pa.table([[policy.name], [path]], schema=DECISIONS)


def read_decisions(rows: Iterable[pa.RecordBatch]) -> dict[str, pa.Table]:
    """The decisions that rows of `DECISIONS` name."""
    named = [row for batch in rows for row in batch.to_pylist()]
    return {row["policy"]: _decode(storage.read_bytes(row["path"])) for row in named}


def read_rows(
    path: str, names: Sequence[str], policies: Sequence[Policy], decisions: Decisions
) -> Iterator[pa.Table]:
    """Columns of one part of staging, with the decisions applied.

    Args:
        path: A Parquet file of staging.
        names: Columns that are wanted; others that the policies read come with them.
        policies: In the order in which they are applied.
        decisions: What was decided.
    """
    wanted = columns_of(policies, names)
    with storage.open_input(path) as source:
        for batch in pq.ParquetFile(source).iter_batches(_ROWS, columns=wanted):
            yield apply_decisions(pa.Table.from_batches([batch]), policies, decisions)


def decide_rows(batches: Iterable[pa.RecordBatch], policy: Policy) -> dict[str, pa.Table]:
    """The decision of one policy on rows that are all at hand, without a file."""
    tables = (policy.count(pa.Table.from_batches([batch])) for batch in batches)
    counted = [policy.merged([table]) for table in tables]
    return {policy.name: policy.decide(policy.merged(counted))} if counted else {}


def columns_of(policies: Iterable[Policy], names: Iterable[str]) -> list[str]:
    """Columns to be read for `apply_decisions` to work, besides those of `names`."""
    return list(dict.fromkeys([*names, *(name for p in policies for name in p.applied)]))


def apply_decisions(table: pa.Table, policies: Iterable[Policy], decisions: Decisions) -> pa.Table:
    """Staged rows as the decisions have them.

    Args:
        table: Rows with the columns that the policies read and replace.
        policies: In this order, each on what those before it made of the rows.
        decisions: What was decided; a policy without decision changes nothing.

    Returns:
        The same rows and columns.
    """
    for policy in policies:
        if policy.name in decisions:
            table = policy.apply(table, decisions[policy.name])
    return table
