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

    def read(self, text: pa.StringArray) -> tuple[pa.Int16Array, pa.Int16Array]:
        """Margins in thousandths and letters a word, null for short texts."""
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
    ) -> tuple[pa.Int16Array, pa.Int16Array, pa.Int16Array]:
        """Margin, evidence of the words, and letters a word; null where nobody can say.

        Args:
            text: Without nulls.
            lang: Label of each text.
        """
        known = pc.is_in(lang, value_set=self._langs).to_numpy(zero_copy_only=False)
        margins, letters = self._read(text, known)
        return margins, self.words.score(text, lang), letters

    def _read(self, text: pa.StringArray, known: Any) -> tuple[pa.Int16Array, pa.Int16Array]:
        if known.all():
            return self.classifier.read(text)
        rows = np.flatnonzero(known)
        if not len(rows):
            nothing = pa.nulls(len(text), pa.int16())
            return nothing, nothing
        at = np.full(len(text), -1, dtype=np.int64)
        at[rows] = np.arange(len(rows))
        places = pa.array(at, mask=at < 0)
        margins, letters = self.classifier.read(text.take(pa.array(rows)))
        return margins.take(places), letters.take(places)


def load_scorer(model: str | None = None) -> Scorer:
    """The scorer that ships, or one with another classifier.

    Raises:
        InputError: A file cannot be read, or is not what it should be.
    """
    return Scorer(load_classifier(model), load_words())
