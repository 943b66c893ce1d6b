"""Policies small enough to be worked out by hand."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from transforms.staging.survey.decisions import Policy


def count_langs(table: pa.Table) -> pa.Table:
    """Documents and characters by language; a batch without rows counts nothing."""
    chars = table.column("n_chars").cast(pa.int64())
    return pa.table({"lang": table.column("lang"), "documents": pc.if_else(pc.is_valid(chars), 1, 0)
                     , "chars": chars})  # fmt: skip


def rare(statistics: pa.Table) -> pa.Table:
    """Languages with fewer than three documents."""
    few = statistics.filter(pc.less(statistics.column("documents"), 3))
    return few.select(["lang"])


def hide(table: pa.Table, decision: pa.Table) -> pa.Table:
    """Calls a rare language `und`."""
    known = pc.is_in(table.column("lang"), value_set=decision.column("lang").combine_chunks())
    lang = pc.if_else(known, "und", table.column("lang"))
    return table.set_column(table.schema.get_field_index("lang"), "lang", lang)


def flag_short(table: pa.Table, decision: pa.Table) -> pa.Table:
    """Flags documents shorter than the mean."""
    (mean,) = decision.column("mean").to_pylist()
    short = pc.less(table.column("n_chars"), mean)
    return table.set_column(table.schema.get_field_index("tail"), "tail", short)


def count_sizes(table: pa.Table) -> pa.Table:
    chars = table.column("n_chars").cast(pa.int64())
    one = pa.array([1] * len(table), pa.int64())
    return pa.table({"all": pa.array([0] * len(table), pa.int8()), "n": one, "chars": chars})


def mean_size(statistics: pa.Table) -> pa.Table:
    row = statistics.to_pylist()[0]
    return pa.table({"mean": pa.array([row["chars"] // row["n"]], pa.int64())})


HIDE = Policy("hide", ("lang",), ("lang", "n_chars"), count_langs, rare, ("lang",), hide)
SHORT = Policy("short", ("all",), ("n_chars",), count_sizes, mean_size, ("n_chars",), flag_short)
