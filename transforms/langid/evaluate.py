"""How good an identifier is on texts whose language is known.

All figures are taken from counts, and are the same in any order of the texts.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.langid.config import LangidConfig
from transforms.langid.identify import identify
from transforms.langid.model import LanguageModel
from transforms.langid.registry import NO_LANGUAGE, UNDETERMINED, Registry

__all__ = ["BINS", "LENGTHS", "Bin", "Identifier", "LanguageRow", "Report", "evaluate", "excerpt"]
__all__ += ["identifier"]

LENGTHS: tuple[int | None, ...] = (None, 40, 100, 500)
"""Characters of the excerpts that are judged; None for whole texts."""

BINS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Bounds of the scores in the reliability table."""

_MOST_CONFUSED = 20
_ABSTAINED = (UNDETERMINED, NO_LANGUAGE)
_BATCH = 1000

Said = tuple[Sequence[str], npt.NDArray[np.float64]]
"""Labels and scores."""

Identifier = Callable[[Sequence[str]], Said]
"""Labels texts: what `identifier` makes."""


@dataclass(frozen=True, slots=True)
class LanguageRow:
    """One language's counts.

    Attributes:
        label: The language.
        texts: Texts in it.
        right: Of them, those labelled so.
        said: Texts of any language labelled so.
        others: Texts in other languages.
    """

    label: str
    texts: int
    right: int
    said: int
    others: int

    @property
    def precision(self) -> float:
        """Right among those labelled so; 0 where nothing is."""
        return self.right / self.said if self.said else 0.0

    @property
    def recall(self) -> float:
        """Right among the language's texts; 0 where it has none."""
        return self.right / self.texts if self.texts else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.said + self.texts
        return 2 * self.right / total if total else 0.0

    @property
    def false_positive_rate(self) -> float:
        """Share of the texts in other languages that are labelled so."""
        return (self.said - self.right) / self.others if self.others else 0.0


@dataclass(frozen=True, slots=True)
class Bin:
    """Texts with a label whose score is in [`low`, `high`), the last bin with its end."""

    low: float
    high: float
    texts: int
    right: int
    mean_score: float


@dataclass(frozen=True, slots=True)
class Report:
    """What an identifier made of texts.

    Attributes:
        length: Characters of the excerpts; None for whole texts.
        texts: How many.
        rows: Languages that the texts are in, by label.
        abstained: Texts labelled `und` or `zxx` though they are in a language.
        accepted_right: Texts labelled with their language.
        bins: Reliability of the scores of labels that were given.
        confused: True label, label given, count: the most frequent first.
    """

    length: int | None
    texts: int
    rows: tuple[LanguageRow, ...]
    abstained: int
    accepted_right: int
    bins: tuple[Bin, ...]
    confused: tuple[tuple[str, str, int], ...]

    @property
    def macro_f1(self) -> float:
        """Mean of the languages' F1; an abstention counts as wrong."""
        return sum(row.f1 for row in self.rows) / len(self.rows) if self.rows else 0.0

    @property
    def coverage(self) -> float:
        """Share of texts that got a label."""
        return 1 - self.abstained / self.texts if self.texts else 0.0

    @property
    def precision(self) -> float:
        """Right labels among the labels given."""
        given = self.texts - self.abstained
        return self.accepted_right / given if given else 0.0

    @property
    def calibration_error(self) -> float:
        """Mean distance of score and share of right labels, by bin (Naeini et al. 2015)."""
        given = sum(part.texts for part in self.bins)
        off = sum(abs(part.right - part.texts * part.mean_score) for part in self.bins)
        return off / given if given else 0.0


def identifier(model: LanguageModel, registry: Registry, config: LangidConfig) -> Identifier:
    """Labels texts as a run does, in batches, which do not matter."""

    def said(texts: Sequence[str]) -> Said:
        labels: list[str] = []
        scores: list[float] = []
        for start in range(0, len(texts), _BATCH):
            part = pa.array(texts[start : start + _BATCH], pa.string())
            found = identify(part, model, registry, config)
            labels += found.column("lang").to_pylist()
            scores += found.column("lang_score").to_pylist()
        return labels, np.array(scores, np.float64)

    return said


def excerpt(text: str, length: int | None) -> str:
    """About `length` characters from the middle of a text, of whole words if it has spaces."""
    if length is None or len(text) <= length:
        return text
    start = (len(text) - length) // 2
    space = text.find(" ", start, start + length // 2)
    start = start if space < 0 else space + 1
    end = text.rfind(" ", start + length // 2, start + length)
    return text[start : start + length if end < 0 else end]


def evaluate(
    texts: Sequence[str],
    labels: Sequence[str],
    said: Identifier,
    length: int | None = None,
) -> Report:
    """Judges an identifier.

    Args:
        texts: What it is shown.
        labels: Their languages: canonical labels, `zxx` among them.
        said: The identifier.
        length: Characters of each text to show; None for all.
    """
    given, scores = said([excerpt(text, length) for text in texts])
    pairs = Counter(zip(labels, given, strict=True))
    truth, answers = Counter(labels), Counter(given)
    rows = tuple(
        LanguageRow(
            label, truth[label], pairs[label, label], answers[label], len(texts) - truth[label]
        )
        for label in sorted(truth)
    )
    wrong = [(true, label, n) for (true, label), n in pairs.items() if true != label]
    return Report(
        length,
        len(texts),
        rows,
        sum(n for (true, label), n in pairs.items() if label in _ABSTAINED and true != label),
        sum(row.right for row in rows),
        _bins(labels, given, scores),
        tuple(sorted(wrong, key=lambda pair: (-pair[2], pair))[:_MOST_CONFUSED]),
    )


def _bins(
    labels: Sequence[str], given: Sequence[str], scores: npt.NDArray[np.float64]
) -> tuple[Bin, ...]:
    spoken = ~np.isin(given, _ABSTAINED)
    right = np.array([true == label for true, label in zip(labels, given, strict=True)], np.bool_)
    # In ten-thousandths, as they are stored, so that a bound is a bound and sums are exact.
    fixed = np.round(10_000 * scores).astype(np.int64)
    bins = []
    for low, high in itertools.pairwise(BINS):
        top = 10_001 if high == BINS[-1] else round(10_000 * high)
        inside = spoken & (fixed >= round(10_000 * low)) & (fixed < top)
        count = int(inside.sum())
        mean = int(fixed[inside].sum()) / (10_000 * count) if count else 0.0
        bins.append(Bin(low, high, count, int((inside & right).sum()), mean))
    return tuple(bins)
