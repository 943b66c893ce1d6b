"""From texts to the columns `records.LANGUAGE`: scores and evidence, from each text alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.langid.config import LangidConfig
from transforms.langid.model import LanguageModel
from transforms.langid.prepare import fold
from transforms.langid.registry import NO_LANGUAGE, Registry
from transforms.langid.scripts import SCRIPTS, count_characters, script_mask
from transforms.langid.segments import SEGMENTS, segments
from transforms.langid.verdict import SCALE, by_row_alone
from transforms.langid.words import LEAST_WORDS, load_word_lists
from transforms.records import LANGUAGE

__all__ = ["identify", "script_columns"]

_CANDIDATES = 3
"""Labels asked of the model for each segment."""

_LEAST_LETTERS = 5
"""A text with fewer is not shown to the model, which would find a language for any."""

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Ranking:
    """A document's best labels, as places in the model's labels (-1 for none), and scores.

    `wordless` is the score of `zxx`, `agreement` the share of segments that say `best`,
    all in 1/10,000; `other` is what the surest of the other segments says.
    """

    best: Ints
    score: Ints
    second: Ints
    second_score: Ints
    wordless: Ints
    agreement: Ints
    other: Ints
    other_score: Ints


def identify(
    text: pa.StringArray, model: LanguageModel, registry: Registry, config: LangidConfig
) -> pa.RecordBatch:
    """Scores the language of every text.

    Long texts are read in three segments, and a label's score is the mean of its scores
    in all of them; a segment without language does not count if another has one. `lang`
    is what the row alone allows: `zxx` if there is no letter in the text, or the model
    says so; `und` if there are fewer than five letters, if the best score is below .5, or
    if fewer than half of the letters are in the label's script. It is mixed if a segment
    is in another language than the best one, with a score of .85 or more.

    Args:
        text: Documents, without nulls.
        model: The model.
        registry: Says which languages are tail.
        config: How much of a text is read; its thresholds are not looked at.

    Returns:
        One row per text, in the schema `records.LANGUAGE`. A row depends on its text
        alone.
    """
    counts = count_characters(text)
    told = pa.array(counts[:, 1:].sum(axis=1) >= _LEAST_LETTERS)
    folded = [fold(part) for part in segments(pc.if_else(told, text, ""), config.max_chars)]
    ranking = _rank(folded, model)
    best = _names(ranking.best, model)
    # Letters there are, but only in links.
    best = pc.if_else(pc.and_(told, best.is_null()), NO_LANGUAGE, best)
    columns: dict[str, Any] = {
        "lang_best": best,
        "lang_score": _fixed(ranking.score),
        "lang_second": _names(ranking.second, model),
        "lang_margin": _fixed(ranking.score - ranking.second_score, ranking.second >= 0),
        "zxx_score": _fixed(ranking.wordless),
        "lang_agreement": _fixed(ranking.agreement),
        "lang_other": _names(ranking.other, model),
        "lang_other_score": _fixed(ranking.other_score, ranking.other >= 0),
        "lang_words": _words(folded, best),
        **_script_columns(counts, best),
    }
    columns |= by_row_alone(columns, registry)
    return pa.RecordBatch.from_arrays([columns[name] for name in LANGUAGE.names], schema=LANGUAGE)


def script_columns(text: pa.StringArray, best: pa.StringArray) -> dict[str, pa.Array[Any]]:
    """What a text's characters say: `script`, `script_share` and `letter_share`.

    Args:
        text: Documents, without nulls.
        best: Their labels, whose scripts `script_share` is about. A label without one
            (`und`, `zxx`) is at home in every script; null in none.
    """
    return _script_columns(count_characters(text), best)


def _script_columns(
    counts: npt.NDArray[np.int32], best: pa.StringArray
) -> dict[str, pa.Array[Any]]:
    letters, total = counts[:, 1:].astype(np.int64), counts.sum(axis=1, dtype=np.int64)
    n_letters = letters.sum(axis=1)
    labels = best.dictionary_encode()
    masks = np.array([_mask(label) for label in labels.dictionary.to_pylist()] + [_NOWHERE])
    at_home = masks[labels.indices.fill_null(len(masks) - 1).to_numpy(zero_copy_only=False)]
    inside = np.where(at_home, letters, 0).sum(axis=1)
    most = pa.array(letters.argmax(axis=1), mask=n_letters == 0)
    return {
        "script": pa.array(SCRIPTS, pa.string()).take(most),
        "script_share": _fixed(_part(inside, n_letters)),
        "letter_share": _fixed(_part(n_letters, total)),
    }


_NOWHERE = np.zeros(len(SCRIPTS), np.bool_)


def _mask(label: str) -> Bools:
    _, _, script = label.partition("_")
    mask = script_mask(script)
    return mask if script else ~mask


def _part(part: Ints, whole: Ints) -> Ints:
    """A share in 1/10,000, rounded half up; 0 of nothing."""
    return (2 * SCALE * part + whole) // np.maximum(2 * whole, 1)


def _rank(folded: list[pa.StringArray], model: LanguageModel) -> _Ranking:
    """Ranks labels by the mean of their scores in the segments that hold language."""
    rows, width = len(folded[0]), SEGMENTS * _CANDIDATES
    labels = np.full((rows, SEGMENTS, _CANDIDATES), -1, np.int64)
    scores = np.zeros_like(labels)
    for number, part in enumerate(folded):
        there = np.asarray(pc.not_equal(part, pa.scalar("")))
        found = model.predict(part.filter(pa.array(there)), k=_CANDIDATES)
        labels[there, number], scores[there, number] = found.labels, found.scores
    wordless = _wordless(labels, scores, model)
    heard = _heard(labels, model)
    labels[~heard], scores[~heard] = -1, 0
    tops, top_scores = labels[:, :, 0].copy(), scores[:, :, 0].copy()
    count = np.maximum(heard.sum(axis=1), 1)
    first, second = _two_best(labels.reshape(rows, width), scores.reshape(rows, width), count)
    best = first[0]
    agree = (tops == best[:, None]) & heard
    other, other_score = _surest(tops, top_scores, heard & ~agree)
    return _Ranking(
        *first, *second, wordless, _part(agree.sum(axis=1), heard.sum(axis=1)), other, other_score,
    )  # fmt: skip


def _two_best(labels: Ints, scores: Ints, count: Ints) -> tuple[tuple[Ints, Ints], ...]:
    """The two labels with the largest sums of scores, and the means over `count` segments."""
    _add_up(labels, scores)
    scores = (2 * scores + count[:, None]) // (2 * count[:, None])
    # By score, then by place; a missing label is last. No two keys are equal.
    order = np.argsort(-np.where(labels >= 0, scores * 2**20 - labels, -(2**40)), axis=1)
    labels, scores = np.take_along_axis(labels, order, 1), np.take_along_axis(scores, order, 1)
    return (labels[:, 0], scores[:, 0]), (labels[:, 1], scores[:, 1])


def _wordless(labels: Ints, scores: Ints, model: LanguageModel) -> Ints:
    """The mean score of `zxx` in the segments that hold anything."""
    zxx = model.labels.index(NO_LANGUAGE) if NO_LANGUAGE in model.labels else -2
    total = np.where(labels == zxx, scores, 0).sum(axis=(1, 2))
    count = np.maximum((labels[:, :, 0] >= 0).sum(axis=1), 1)
    mean: Ints = (2 * total + count) // (2 * count)
    return mean


def _heard(labels: Ints, model: LanguageModel) -> Bools:
    """Segments that count: those with language, or all with any label where none has."""
    zxx = model.labels.index(NO_LANGUAGE) if NO_LANGUAGE in model.labels else -2
    there = labels[:, :, 0] >= 0
    # A segment without language (a table, a signature) says nothing of the others'.
    speaks = there & (labels[:, :, 0] != zxx)
    return np.where(speaks.any(axis=1)[:, None], speaks, there)


def _surest(tops: Ints, scores: Ints, among: Bools) -> tuple[Ints, Ints]:
    """The label of the surest segment among some, and its score; -1 where there is none."""
    key = np.where(among, scores * 2**20 - tops, -(2**40))
    at = key.argmax(axis=1)[:, None]
    some = among.any(axis=1)
    label, score = (np.take_along_axis(values, at, 1)[:, 0] for values in (tops, scores))
    return np.where(some, label, -1), np.where(some, score, 0)


def _add_up(labels: Ints, scores: Ints) -> None:
    """Adds a label's scores in later segments to its score in the first that has it."""
    for left in range(labels.shape[1]):
        for right in range(left - left % _CANDIDATES + _CANDIDATES, labels.shape[1]):
            same = (labels[:, left] == labels[:, right]) & (labels[:, left] >= 0)
            scores[same, left] += scores[same, right]
            labels[same, right], scores[same, right] = -1, 0


def _words(folded: list[pa.StringArray], best: pa.StringArray) -> pa.Array[Any]:
    """Share of the segments' words on the list of the best label; null where untested."""
    lists = load_word_lists()
    labels = best.dictionary_encode()
    known = np.append(lists.places(labels.dictionary.to_pylist()), -1)
    places = known[labels.indices.fill_null(len(known) - 1).to_numpy(zero_copy_only=False)]
    counts = [lists.count(part, places) for part in folded]
    total, found = (sum(count[at].astype(np.int64) for count in counts) for at in (0, 1))
    share = (SCALE * np.asarray(found)) // np.maximum(total, 1)
    return _fixed(share, np.asarray(total) >= LEAST_WORDS)


def _names(places: Ints, model: LanguageModel) -> pa.StringArray:
    """Labels by their places; null for -1."""
    index = pa.array(places, mask=places < 0).cast(pa.int32())
    return pa.DictionaryArray.from_arrays(index, pa.array(model.labels)).cast(pa.string())


def _fixed(ten_thousandths: Ints, known: Bools | None = None) -> pa.Array[Any]:
    """The float32 nearest to numbers of ten-thousandths; null where they are not known."""
    values = (ten_thousandths / SCALE).astype(np.float32)
    return pa.array(values, mask=None if known is None else ~known)
