"""A fastText model whose labels are languages."""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import fasttext
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.errors import InputError, UsageError
from transforms.langid.fasttext_file import NgramModel, read_ngram_model
from transforms.langid.labels import canonical
from transforms.langid.ngrams import predict_ngrams

__all__ = ["LanguageModel", "Prediction", "load_model"]

Places = npt.NDArray[np.int32]
Engine = Callable[[pa.StringArray, int], tuple[Places, npt.NDArray[np.float32]]]
"""Texts and k to places among a model's own labels (-1 for none) and probabilities."""

_SCALE = 10_000
_DEFAULT = "langid.ftz"


@dataclass(frozen=True, slots=True)
class Prediction:
    """The best labels of a batch of texts, best first.

    Attributes:
        labels: int32, texts by k: places in `LanguageModel.labels`; -1 for none.
        scores: int32, texts by k: probabilities in 1/10,000, within 0 and 10,000,
            rounded half up; 0 where there is no label.
    """

    labels: Places
    scores: Places


class LanguageModel:
    """Labels texts; made by `load_model`.

    Attributes:
        labels: Canonical labels, distinct, sorted.
        digest: sha256 of the model's file, in hexadecimal.
    """

    def __init__(self, own: tuple[str, ...], engine: Engine, *, digest: str) -> None:
        """Wraps an engine.

        Args:
            own: The model's labels, in the engine's order.
            engine: What computes probabilities.
            digest: sha256 of the file.

        Raises:
            InputError: A label names no language.
        """
        names = [canonical(label) for label in own]
        self.labels = tuple(sorted(set(names)))
        self.digest = digest
        self._places = np.array([self.labels.index(name) for name in names], np.int32)
        self._engine = engine

    def predict(self, text: pa.StringArray, *, k: int = 2) -> Prediction:
        """Labels folded texts; a text's result does not depend on the others.

        Where a model tells apart what is one language to us (`zho` and `cmn_Hani`),
        the better of the two stands for both.

        Args:
            text: Single lines, as `prepare.fold` makes them. Empty ones get no label.
            k: Labels wanted for each.

        Returns:
            Labels and scores, `len(text)` by `k`.
        """
        spare = len(self._places) - len(self.labels)
        own, raw = self._engine(text, min(k + spare, len(self._places)))
        labels = np.where(own >= 0, self._places[own], np.int32(-1))
        # Float64 holds the product of a float32 exactly, so that half is half.
        scores = np.floor(np.clip(raw.astype(np.float64), 0, 1) * _SCALE + 0.5).astype(np.int32)
        if spare:
            _drop_repeats(labels, scores)
        return Prediction(_to_width(labels, k, -1), _to_width(scores, k, 0))


def _to_width(values: Places, k: int, fill: int) -> Places:
    missing = max(0, k - values.shape[1])
    return np.pad(values, ((0, 0), (0, missing)), constant_values=fill)[:, :k]


def _drop_repeats(labels: Places, scores: Places) -> None:
    """Closes up each row over labels that already stand further left in it."""
    for row in range(len(labels)):
        _, first = np.unique(labels[row], return_index=True)
        kept = np.sort(first)
        for values, fill in ((labels, -1), (scores, 0)):
            values[row, : len(kept)] = values[row, kept]
            values[row, len(kept) :] = fill


def load_model(path: str | None = None) -> LanguageModel:
    """Loads a fastText model of any common label style.

    A model of character n-grams alone, as `langid.train` makes, runs in a kernel of
    our own, four times as fast; any other in the fastText library.

    Args:
        path: The file (`.ftz`, `.bin`); None for the model that ships with the package.

    Raises:
        UsageError: There is no such file.
        InputError: It is no supervised fastText model, or its labels name no languages.
    """
    if path is None:
        resource = importlib.resources.files("transforms.data") / _DEFAULT
        with importlib.resources.as_file(resource) as file:
            return _load(file)
    if not Path(path).is_file():
        raise UsageError(f"langid model {path}: there is no such file; name a fastText model")
    return _load(Path(path))


def _load(path: Path) -> LanguageModel:
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    try:
        ngrams = read_ngram_model(data)
        if ngrams is not None:
            engine = functools.partial(_run_kernel, ngrams)
            return LanguageModel(ngrams.labels, engine, digest=digest)
        library = fasttext.load_model(str(path))
        own = tuple(library.get_labels())
        return LanguageModel(own, functools.partial(_run_library, library, own), digest=digest)
    except (ValueError, RuntimeError, InputError) as error:
        raise InputError(
            f"langid model {path}: {error}. A model is a supervised fastText model whose labels "
            f"are languages, such as __label__swh_Latn"
        ) from error


def _run_kernel(
    model: NgramModel, text: pa.StringArray, k: int
) -> tuple[Places, npt.NDArray[np.float32]]:
    return predict_ngrams(text, model, k)


def _run_library(
    model: fasttext.FastText._FastText, own: tuple[str, ...], text: pa.StringArray, k: int
) -> tuple[Places, npt.NDArray[np.float32]]:
    places = np.full((len(text), k), -1, np.int32)
    scores = np.zeros((len(text), k), np.float32)
    number = {label: place for place, label in enumerate(own)}
    lines = [line or "" for line in text.to_pylist()]
    filled = [row for row, line in enumerate(lines) if line]
    # The newline ends a line for fastText. The list form alone works with NumPy 2.
    found = model.f.multilinePredict([lines[row] + "\n" for row in filled], k, 0.0, "strict")
    for row, values, names in zip(filled, *reversed(found), strict=True):
        places[row, : len(names)] = [number[name] for name in names]
        scores[row, : len(values)] = values
    return places, scores
