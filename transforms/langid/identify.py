"""From texts to the columns `records.LANGUAGE`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.langid.config import LangidConfig
from transforms.langid.model import LanguageModel
from transforms.langid.prepare import excerpts, fold
from transforms.langid.registry import NO_LANGUAGE, UNDETERMINED, Registry
from transforms.langid.scripts import count_letters, script_mask
from transforms.records import LANGUAGE

__all__ = ["identify"]

_SCALE = 10_000
_CANDIDATES = 3
"""Labels asked of the model for each excerpt."""
_MIN_SHARE = _SCALE // 2
"""Least share of letters in a label's script: less contradicts the label."""
_SURE = 7_000
"""Score at which two excerpts in different languages make a document mixed."""

_HEAD, _TAIL = slice(0, _CANDIDATES), slice(_CANDIDATES, 2 * _CANDIDATES)
"""Columns of the first and of the second excerpt."""

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Ranking:
    """A document's two best labels, as places in the model's labels; -1 for none."""

    best: Ints
    best_score: Ints
    second: Ints
    second_score: Ints
    mixed: Bools


def identify(
    text: pa.StringArray, model: LanguageModel, registry: Registry, config: LangidConfig
) -> pa.RecordBatch:
    """Identifies the language of every text.

    Long texts are read in two excerpts, one from each half, and a label's score is
    the mean of its scores in both; an excerpt without language does not count if the
    other has one. A text is `zxx` if there is no letter in the
    excerpts or the model says so; `und` if the best score is below
    `config.min_score` or fewer than half of the letters are in the label's script;
    the score is the model's for its best label in either case. It is mixed if the
    excerpts are in different languages, each with a score of .7 or more; `lang` is
    then the better of the two.

    Args:
        text: Documents, without nulls.
        model: The model.
        registry: Says which languages are tail; `config.tail` is applied to it.
        config: Thresholds.

    Returns:
        One row per text, in the schema `records.LANGUAGE`. A row depends on its text
        alone.
    """
    head, tail = (fold(part) for part in excerpts(text, config.max_chars))
    both = np.asarray(pc.not_equal(tail, pa.scalar("")))
    ranking = _rank(head, tail, both, model)
    letters = count_letters(head) + count_letters(tail)
    share = _script_share(letters, ranking.best, model.labels)
    spoken = _spoken(ranking, letters, share, model, config)
    return _columns(ranking, share, spoken, model, registry.overridden(config.tail))


def _rank(
    head: pa.StringArray, tail: pa.StringArray, both: Bools, model: LanguageModel
) -> _Ranking:
    """Ranks the labels of both excerpts by the mean of their scores."""
    first = model.predict(head, k=_CANDIDATES)
    second = model.predict(tail.filter(pa.array(both)), k=_CANDIDATES)
    labels = np.full((len(head), 2 * _CANDIDATES), -1, np.int64)
    scores = np.zeros_like(labels)
    labels[:, :_CANDIDATES], scores[:, :_CANDIDATES] = first.labels, first.scores
    labels[both, _CANDIDATES:], scores[both, _CANDIDATES:] = second.labels, second.scores
    # An excerpt without language (a table, a signature) says nothing of the other's.
    wordless = model.labels.index(NO_LANGUAGE) if NO_LANGUAGE in model.labels else -1
    silent = [np.isin(labels[:, place], (wordless, -1)) for place in (0, _CANDIDATES)]
    for part, alone in ((_HEAD, silent[0] & ~silent[1]), (_TAIL, silent[1] & ~silent[0])):
        labels[alone, part], scores[alone, part] = -1, 0
    heard = both & (silent[0] == silent[1])
    sure = (scores[:, 0] >= _SURE) & (scores[:, _CANDIDATES] >= _SURE)
    mixed = heard & sure & (labels[:, 0] != labels[:, _CANDIDATES])
    _add_up(labels, scores)
    scores[heard] = (scores[heard] + 1) // 2
    # By score, then by place; a missing label is last. No two keys are equal.
    order = np.argsort(-np.where(labels >= 0, scores * 2**20 - labels, -(2**40)), axis=1)[:, :2]
    labels, scores = np.take_along_axis(labels, order, 1), np.take_along_axis(scores, order, 1)
    return _Ranking(labels[:, 0], scores[:, 0], labels[:, 1], scores[:, 1], mixed)


def _add_up(labels: Ints, scores: Ints) -> None:
    """Adds a label's score in the second excerpt to its score in the first."""
    for left in range(_CANDIDATES):
        for right in range(_CANDIDATES, 2 * _CANDIDATES):
            same = (labels[:, left] == labels[:, right]) & (labels[:, left] >= 0)
            scores[same, left] += scores[same, right]
            labels[same, right], scores[same, right] = -1, 0


def _script_share(letters: npt.NDArray[np.int32], best: Ints, labels: tuple[str, ...]) -> Ints:
    """Share of letters in the script of the best label, in 1/10,000; 0 without letters.

    A label without a script (`und`, `zxx`) is at home in every script.
    """
    masks = np.array([_mask(label) for label in labels])
    inside = np.where(masks[best], letters, 0).sum(axis=1, dtype=np.int64)
    total = letters.sum(axis=1, dtype=np.int64)
    share = (2 * _SCALE * inside + total) // np.maximum(2 * total, 1)
    return np.where((total > 0) & (best >= 0), share, 0)


def _mask(label: str) -> Bools:
    _, _, script = label.partition("_")
    mask = script_mask(script)
    return mask if script else ~mask


def _spoken(
    ranking: _Ranking,
    letters: npt.NDArray[np.int32],
    share: Ints,
    model: LanguageModel,
    config: LangidConfig,
) -> npt.NDArray[np.str_]:
    """What to say for each text: the best label, `und` or `zxx`."""
    names = np.array([*model.labels, UNDETERMINED])
    unsure = ranking.best_score < round(config.min_score * _SCALE)
    said = np.where(unsure | (share < _MIN_SHARE), UNDETERMINED, names[ranking.best])
    wordless = ~letters.any(axis=1) | (names[ranking.best] == NO_LANGUAGE)
    return np.where(wordless, NO_LANGUAGE, said)


def _columns(
    ranking: _Ranking,
    share: Ints,
    spoken: npt.NDArray[np.str_],
    model: LanguageModel,
    registry: Registry,
) -> pa.RecordBatch:
    no_second = ranking.second < 0
    mixed = ranking.mixed & ~np.isin(spoken, (UNDETERMINED, NO_LANGUAGE))
    verdicts, row_verdict = np.unique(spoken, return_inverse=True)
    is_tail = np.array([registry.is_tail(str(label)) for label in verdicts], np.bool_)
    second = pa.array(ranking.second, mask=no_second).cast(pa.int32())
    columns: list[pa.Array[Any]] = [
        pa.array(spoken.tolist(), pa.string()),
        pa.array(_fixed(ranking.best_score)),
        pa.DictionaryArray.from_arrays(second, pa.array(model.labels)).cast(pa.string()),
        pa.array(_fixed(ranking.best_score - ranking.second_score), mask=no_second),
        pa.array(_fixed(share)),
        pa.array(mixed),
        pa.array(is_tail[row_verdict] & ~mixed if len(verdicts) else mixed),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=LANGUAGE)


def _fixed(ten_thousandths: Ints) -> npt.NDArray[np.float32]:
    """The float32 nearest to a number of ten-thousandths."""
    return (ten_thousandths / _SCALE).astype(np.float32)
