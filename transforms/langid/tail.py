"""Which languages of a run are tail, and why: decided once deduplication has spoken.

By class (Joshi et al. 2020, class 0 to 2 or unlisted), by share of what deduplication
kept, or by either; overrides go first. The list is frozen in the run's manifest.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pyarrow as pa

from transforms.langid.config import LangidConfig
from transforms.langid.registry import NO_LANGUAGE, TAIL_CLASS, UNDETERMINED, load_registry
from transforms.langid.verdict import tail_of

__all__ = ["DECISION", "KEYS", "READS", "apply", "count", "decide", "listed", "reasons"]

KEYS = ("lang",)
READS = ("lang", "mixed", "tail")
DECISION = pa.schema(
    [
        ("lang", pa.string()),
        ("documents", pa.int64()),
        ("size", pa.int64()),
        ("tail", pa.bool_()),
        ("reason", pa.string()),
    ]
)
"""One row a language of the deduplicated corpus; `reason` says why it is tail, or not."""


def count(table: pa.Table) -> pa.Table:
    """Documents and sizes by language: of rows with `lang` and `size`."""
    ones = pa.array(np.ones(len(table), np.int64))
    size = table.column("size").cast(pa.int64())
    return pa.table({"lang": table.column("lang"), "documents": ones, "size": size})


def decide(statistics: pa.Table, config: LangidConfig) -> pa.Table:
    """The verdict on each language.

    Args:
        statistics: Rows with `lang`, `documents` and `size`, a row a language.
        config: By what, and overrides.

    Returns:
        Rows of `DECISION`.
    """
    rows = statistics.to_pylist()
    total = sum(row["size"] for row in rows)
    decided = []
    for row in rows:
        tail, reason = _judge(row["lang"], row["size"], total, config)
        decided.append(row | {"tail": tail, "reason": reason})
    return pa.Table.from_pylist(decided, schema=DECISION)


def _judge(label: str, size: int, total: int, config: LangidConfig) -> tuple[bool, str]:
    """Whether a language is tail, and why: the first of override, class and share to say so."""
    if label in (UNDETERMINED, NO_LANGUAGE):
        return False, "no language"
    code = label.partition("_")[0]
    override = config.tail.get(label, config.tail.get(code))
    if override is not None:
        return override, "configured"
    joshi, of = _class(code)
    share = Fraction(size, total) if total else Fraction(0)
    told = f"share {float(share):.6f}"
    if config.tail_by != "share" and joshi <= TAIL_CLASS:
        return True, of
    if config.tail_by == "class":
        return False, of
    small = share <= Fraction(str(config.tail_share))
    return small, told if config.tail_by == "share" or small else f"{of}, {told}"


def _class(code: str) -> tuple[int, str]:
    language = load_registry().get(code)
    if language is None or not language.joshi_from:
        return 0, "unlisted"
    of = "" if language.joshi_from == code else f" of {language.joshi_from}"
    return language.joshi, f"class {language.joshi}{of}"


def listed(decision: pa.Table) -> Callable[[str], bool]:
    """Whether a language is on the list."""
    return frozenset(reasons(decision)).__contains__


def reasons(decision: pa.Table) -> dict[str, str]:
    """The tail languages, and why each is one."""
    columns = (decision.column(name).to_pylist() for name in ("lang", "reason", "tail"))
    return {lang: reason for lang, reason, tail in zip(*columns, strict=True) if tail}


def apply(table: pa.Table, decision: pa.Table) -> pa.Table:
    """Rows with `tail` by the list: in a language on it, and not mixed.

    Args:
        table: The columns `READS`.
        decision: Rows of `DECISION`.
    """
    mixed = np.asarray(table.column("mixed").to_numpy(), np.bool_)
    lang = table.column("lang").combine_chunks()
    at = table.schema.get_field_index("tail")
    return table.set_column(at, table.schema.field(at), tail_of(lang, mixed, listed(decision)))
