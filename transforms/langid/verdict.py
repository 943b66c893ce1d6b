"""From scores to a label: what has to hold for a text to be called by its best label.

What fails is `und`, never a guess. The same function decides in annotation, where a row
knows of itself alone, in selection, where the run has spoken, and when a run is verified.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.langid.config import LangidConfig
from transforms.langid.registry import NO_LANGUAGE, UNDETERMINED, Registry, load_registry

__all__ = ["READS", "SCALE", "Marks", "by_row_alone", "fixed", "mark", "tail_of", "verdict"]

SCALE = 10_000
"""Scores and shares are multiples of 1 / SCALE."""

READS: tuple[str, ...] = (
    "lang_best",
    "lang_score",
    "lang_margin",
    "script",
    "script_share",
    "lang_other",
)
READS += ("lang_other_score", "lang_words")
"""Columns that decide."""

Columns = Mapping[str, Any]
"""Arrays by name; a table or a batch will do."""
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Marks:
    """What every row is, by the policy, before its language's threshold is known.

    Attributes:
        labels: Distinct best labels, sorted; the last, empty, is for rows without one.
        place: Of each row's label in `labels`.
        score: In 1/10,000.
        unlabelled: There is too little to read.
        wordless: There is no letter, or the model sees no language.
        script: The letters are in the label's script.
        margin: The lead over the second label is enough.
        mixed: A segment is surely in another language, no close relative.
        words: Share of words on the list, in 1/10,000; -1 where untested.
    """

    labels: tuple[str, ...]
    place: Ints
    score: Ints
    unlabelled: Bools
    wordless: Bools
    script: Bools
    margin: Bools
    mixed: Bools
    words: Ints


def fixed(column: Any, missing: int = -1) -> Ints:
    """A column of scores or shares in 1/10,000; `missing` for null."""
    values = np.asarray(column.to_numpy(zero_copy_only=False), np.float64)
    known = ~np.isnan(values)
    return np.where(known, np.rint(np.where(known, values, 0) * SCALE), missing).astype(np.int64)


def _array(column: Any) -> Any:
    """Tables and batches alike."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def mark(columns: Columns, config: LangidConfig) -> Marks:
    """Reads the columns `READS` by the policy.

    Args:
        columns: By name.
        config: Thresholds.
    """
    best = _array(columns["lang_best"]).fill_null("")
    labels = (*sorted(set(pc.unique(best).to_pylist()) - {""}), "")
    place = pc.index_in(best, pa.array(labels)).to_numpy().astype(np.int64)
    wordless = np.array([label == NO_LANGUAGE for label in labels])[place]
    letters = _array(columns["script"]).is_valid().to_numpy(zero_copy_only=False)
    other = _array(columns["lang_other"])
    sure = fixed(columns["lang_other_score"]) >= round(config.mixed_score * SCALE)
    foreign = np.zeros(len(best), np.bool_)
    for row in np.flatnonzero(sure & ~wordless & best.is_valid().to_numpy(zero_copy_only=False)):
        foreign[row] = not _kin(labels[place[row]], other[int(row)].as_py())
    return Marks(
        labels=labels,
        place=place,
        score=fixed(columns["lang_score"]),
        unlabelled=place == len(labels) - 1,
        wordless=wordless | ~letters,
        script=fixed(columns["script_share"]) >= round(config.min_script_share * SCALE),
        margin=fixed(columns["lang_margin"], SCALE) >= round(config.min_margin * SCALE),
        mixed=foreign,
        words=fixed(columns["lang_words"]),
    )


@functools.lru_cache(maxsize=4096)
def _kin(one: str, other: str) -> bool:
    """Whether two labels are one language, or members of one macrolanguage.

    A model takes parts of a Bosnian text for Croatian: that makes no mixed text.
    """
    codes = [label.partition("_")[0] for label in (one, other)]
    if codes[0] == codes[1]:
        return True
    known = [load_registry().get(code) for code in codes]
    above = [language.macrolanguage if language else "" for language in known]
    return above[0] != "" and above[0] == above[1]


def verdict(
    marks: Marks, least_score: Ints, least_words: Ints, config: LangidConfig
) -> tuple[pa.StringArray, Bools]:
    """What texts are called.

    A mixed text's score is a mean over languages: half the least score of any label, and
    no word list, is asked of it.

    Args:
        marks: Of the rows.
        least_score: In 1/10,000, by place in `marks.labels`.
        least_words: Least share of words on the list, in 1/10,000; 0 where none is asked.
        config: Thresholds.

    Returns:
        `lang`, without nulls, and `mixed`.
    """
    place, floor = marks.place, round(config.min_score * SCALE)
    sound = marks.script & ~marks.wordless & ~marks.unlabelled
    alone = (marks.score >= least_score[place]) & marks.margin
    # A text too short to be tested has not passed.
    alone &= marks.words >= np.where(least_words[place] > 0, least_words[place], -1)
    known = sound & np.where(marks.mixed, 2 * marks.score >= floor, alone)
    names = pa.array([*marks.labels, UNDETERMINED, NO_LANGUAGE], pa.string())
    n = len(marks.labels)
    said = np.where(marks.wordless, n + 1, np.where(known, place, n))
    return names.take(pa.array(said)), marks.mixed & known


def by_row_alone(columns: Columns, registry: Registry) -> dict[str, pa.Array[Any]]:
    """`lang`, `mixed` and `tail` by default settings and the registry: what is staged."""
    config = LangidConfig()
    marks = mark(columns, config)
    least = np.full(len(marks.labels), round(config.min_score * SCALE), np.int64)
    lang, mixed = verdict(marks, least, np.zeros_like(least), config)
    return {"lang": lang, "mixed": pa.array(mixed), "tail": tail_of(lang, mixed, registry.is_tail)}


def tail_of(lang: pa.StringArray, mixed: Bools, is_tail: Any) -> pa.BooleanArray:
    """Whether texts are tail: in a tail language, and in no other besides."""
    encoded = lang.dictionary_encode()
    listed = np.array([is_tail(label) for label in encoded.dictionary.to_pylist()], np.bool_)
    flags = listed[encoded.indices.to_numpy()] if len(listed) else np.zeros(0, np.bool_)
    return pa.array(flags & ~mixed)
