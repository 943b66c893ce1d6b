"""Scores of texts: the classifier's margin, and the evidence of the words."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.synthetic.classifier import load_classifier
from transforms.synthetic.words import WordTable, load_words

__all__ = ["Classifier", "Scorer", "load_scorer"]


class Classifier(Protocol):
    """What is needed of a classifier (`classifier.load_classifier`).

    Attributes:
        digest: Of its file.
        languages: Labels that it was trained for.
    """

    @property
    def digest(self) -> str: ...  # noqa: D102

    @property
    def languages(self) -> AbstractSet[str]: ...  # noqa: D102

    def score(self, text: pa.StringArray) -> pa.Int16Array:
        """Margins in thousandths, null for short texts."""
        ...


class Scorer:
    """Scores texts of languages that somebody was trained for.

    Args:
        classifier: Of the whole text.
        words: Of the words.
    """

    def __init__(self, classifier: Classifier, words: WordTable) -> None:
        self.classifier, self.words = classifier, words
        self._langs = pa.array(sorted(classifier.languages), pa.string())

    @property
    def digest(self) -> str:
        """Of everything that decides a score."""
        return f"{self.classifier.digest}:{self.words.digest}"

    def __call__(
        self, text: pa.StringArray, lang: pa.StringArray
    ) -> tuple[pa.Int16Array, pa.Int16Array]:
        """Margin and evidence of each text; null where nobody can say.

        Args:
            text: Without nulls.
            lang: Label of each text.
        """
        known = pc.is_in(lang, value_set=self._langs).to_numpy(zero_copy_only=False)
        return self._margins(text, known), self.words.score(text, lang)

    def _margins(self, text: pa.StringArray, known: Any) -> pa.Int16Array:
        if known.all():
            return self.classifier.score(text)
        rows = np.flatnonzero(known)
        if not len(rows):
            return pa.nulls(len(text), pa.int16())
        at = np.full(len(text), -1, dtype=np.int64)
        at[rows] = np.arange(len(rows))
        scored = self.classifier.score(text.take(pa.array(rows)))
        return scored.take(pa.array(at, mask=at < 0))


def load_scorer(model: str | None = None) -> Scorer:
    """The scorer that ships, or one with another classifier.

    Raises:
        InputError: A file cannot be read, or is not what it should be.
    """
    return Scorer(load_classifier(model), load_words())
