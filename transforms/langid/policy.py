"""What the run says of each label: its least score, and whether words have to prove it.

Thresholds follow FineWeb2 (G. Penedo and others, FineWeb2: One pipeline to scale them
all, 2025): a label's least score is the median of its scores in the run less their
standard deviation, kept between bounds. Contamination is what a word list finds: the
share of texts that fail it, corrected for the texts of the language that fail it too
and those of other languages that pass it (`rates.rogan_gladen`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.langid.config import LangidConfig
from transforms.langid.rates import Rates, load_rates, precision, rogan_gladen
from transforms.langid.registry import Registry, load_registry
from transforms.langid.verdict import READS, SCALE, mark, tail_of, verdict
from transforms.langid.words import WordList, load_word_lists

__all__ = ["DECISION", "KEYS", "READS", "STATISTICS", "apply", "count", "decide"]

KEYS = ("label", "bin", "script", "margin", "mixed", "words")
STATISTICS = pa.schema(
    [
        ("label", pa.string()),
        ("bin", pa.int8()),
        ("script", pa.bool_()),
        ("margin", pa.bool_()),
        ("mixed", pa.bool_()),
        ("words", pa.int8()),
        ("documents", pa.int64()),
        ("sum", pa.int64()),
        ("squares", pa.int64()),
    ]
)
"""Documents with language by best label, score in hundredths and marks, with sums of
their scores and squared scores. `words` is 1 passed, 0 failed, -1 untested."""

DECISION = pa.schema(
    [
        ("label", pa.string()),
        ("documents", pa.int64()),
        ("mixed", pa.int64()),
        ("accepted", pa.int64()),
        ("below_score", pa.int64()),
        ("other_script", pa.int64()),
        ("small_margin", pa.int64()),
        ("without_words", pa.int64()),
        ("least_score", pa.int32()),
        ("least_words", pa.int32()),
        ("words_required", pa.bool_()),
        ("tested", pa.int64()),
        ("failed", pa.int64()),
        ("contamination", pa.int32()),
        ("contamination_left", pa.int32()),
        ("precision", pa.int32()),
    ]
)
"""One row a best label of the run. Its documents are mixed, accepted, or refused for the
first of the reasons in this order: script, score, margin, words. `tested` and `failed`
are of those that all but the words accept. Shares and scores are in 1/10,000, null where
nothing is known: contamination before words are required and among what is accepted,
precision before words are required."""

_HUNDREDTH = SCALE // 100


def count(table: pa.Table, config: LangidConfig) -> pa.Table:
    """Statistics of staged rows: `STATISTICS`, a row a document.

    Documents without language are left out.

    Args:
        table: The columns `READS`.
        config: Script, margin and mixed.
    """
    marks = mark(table, config)
    lists = [_list(label) for label in marks.labels]
    least = np.array([one.least if one else 0 for one in lists], np.int64)[marks.place]
    words = np.where(marks.words < 0, -1, (marks.words >= least) & (least > 0))
    columns = {
        "label": pa.array(marks.labels, pa.string()).take(pa.array(marks.place)),
        "bin": np.minimum(marks.score, SCALE) // _HUNDREDTH,
        "script": marks.script,
        "margin": marks.margin,
        "mixed": marks.mixed,
        "words": words,
        "documents": np.ones(len(words), np.int64),
        "sum": marks.score,
        "squares": marks.score**2,
    }
    arrays = [pa.array(columns[field.name]).cast(field.type) for field in STATISTICS]
    return pa.table(arrays, schema=STATISTICS).filter(
        pa.array(~(marks.wordless | marks.unlabelled))
    )


def _list(label: str) -> WordList | None:
    return load_word_lists().lists.get(label)


def decide(statistics: pa.Table, config: LangidConfig) -> pa.Table:
    """What holds for each label of a run.

    Args:
        statistics: `STATISTICS` of the run, a row for each of `KEYS`, in their order.
        config: Bounds and overrides.

    Returns:
        Rows of `DECISION`, by label.
    """
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in statistics.to_pylist():
        rows.setdefault(row["label"], []).append(row)
    everything = sum(row["documents"] for some in rows.values() for row in some)
    registry, rates = load_registry().overridden(config.tail), load_rates()
    decided = [
        _decide_one(label, rows[label], everything, registry, rates.get(label), config)
        for label in sorted(rows)
    ]
    return pa.Table.from_pylist(decided, schema=DECISION)


def _decide_one(
    label: str,
    rows: list[dict[str, Any]],
    everything: int,
    registry: Registry,
    rates: Rates | None,
    config: LangidConfig,
) -> dict[str, Any]:
    alone = [row for row in rows if not row["mixed"]]
    in_script = [row for row in alone if row["script"]]
    least = _least_score(label, in_script, config)
    scored = [row for row in in_script if row["bin"] * _HUNDREDTH >= least]
    sound = [row for row in scored if row["margin"]]
    tested = [row for row in sound if row["words"] >= 0]
    failed, passed = (_sum(r for r in tested if r["words"] == kind) for kind in (0, 1))
    found, left = _contamination(_list(label), failed, passed)
    most = Fraction(str(config.max_contamination))
    needs = found is not None and found > most and registry.is_tail(label)
    accepted = passed if needs else _sum(sound)
    exact = precision(_sum(sound), everything, rates) if rates and sound else None
    listed = _list(label)
    return {
        "label": label,
        "documents": _sum(rows),
        "mixed": _sum(rows) - _sum(alone),
        "accepted": accepted,
        "other_script": _sum(alone) - _sum(in_script),
        "below_score": _sum(in_script) - _sum(scored),
        "small_margin": _sum(scored) - _sum(sound),
        "without_words": _sum(sound) - accepted,
        "least_score": least,
        "least_words": listed.least if needs and listed else 0,
        "words_required": needs,
        "tested": failed + passed,
        "failed": failed,
        "contamination": _rounded(found),
        "contamination_left": _rounded(left if needs else found),
        "precision": _rounded(exact),
    }


def _sum(rows: Iterable[dict[str, Any]], column: str = "documents") -> int:
    return sum(row[column] for row in rows)


def _least_score(label: str, rows: list[dict[str, Any]], config: LangidConfig) -> int:
    """Median less standard deviation, in whole hundredths, between the bounds."""
    set_ = config.set_threshold(label)
    if set_ is not None:
        return _up(set_)
    low, high = _up(config.min_score), _up(config.enough_score)
    documents = _sum(rows)
    if not documents:
        return low
    bins = np.zeros(101, np.int64)
    for row in rows:
        bins[row["bin"]] += row["documents"]
    median = int(np.searchsorted(np.cumsum(bins), (documents + 1) // 2))
    spread = documents * _sum(rows, "squares") - _sum(rows, "sum") ** 2
    deviation = math.isqrt(spread) // documents
    middle = min(median * _HUNDREDTH + _HUNDREDTH // 2, SCALE)
    return max(low, min(high, (middle - deviation) // _HUNDREDTH * _HUNDREDTH))


def _up(score: float) -> int:
    """A score in 1/10,000, the next whole hundredth up: statistics know no finer ones."""
    return -(-round(score * SCALE) // _HUNDREDTH) * _HUNDREDTH


def _contamination(
    listed: WordList | None, failed: int, passed: int
) -> tuple[Fraction | None, Fraction | None]:
    """Share of wrong texts among those tested, and among those of them that pass."""
    if listed is None or not failed + passed:
        return None, None
    miss, passes = Fraction(listed.miss, SCALE), Fraction(listed.passes, SCALE)
    wrong = rogan_gladen(Fraction(failed, failed + passed), 1 - passes, miss)
    passing = wrong * passes + (1 - wrong) * (1 - miss)
    return wrong, wrong * passes / passing if passing else wrong


def _rounded(share: Fraction | None) -> int | None:
    return None if share is None else math.floor(share * SCALE + Fraction(1, 2))


def apply(table: pa.Table, decision: pa.Table, config: LangidConfig) -> pa.Table:
    """Staged or published rows with `lang`, `mixed` and `tail` as the run has them.

    Args:
        table: The columns `READS`, `lang`, `mixed` and `tail`.
        decision: Rows of `DECISION`.
        config: What was decided with.

    Returns:
        The same rows; `tail` is the registry's with its overrides.
    """
    marks = mark(table, config)
    names = ("label", "least_score", "least_words")
    rows = zip(*(decision.column(name).to_pylist() for name in names), strict=True)
    ruled = {label: (score, words) for label, score, words in rows}
    least = np.array([ruled.get(label, (SCALE + 1, 0)) for label in marks.labels], np.int64)
    lang, mixed = verdict(marks, least[:, 0], least[:, 1], config)
    registry = load_registry().overridden(config.tail)
    tail = tail_of(lang, mixed, registry.is_tail)
    for name, column in (("lang", lang), ("mixed", pa.array(mixed)), ("tail", tail)):
        at = table.schema.get_field_index(name)
        table = table.set_column(at, table.schema.field(at), column)
    return table
