"""A model whose labels are languages: one of ours, or a fastText model."""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import fasttext
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.errors import InputError, UsageError
from transforms.langid.bayes import BayesModel, gather
from transforms.langid.bayes_file import is_bayes_model, read_bayes_model
from transforms.langid.fasttext_file import NgramModel, read_ngram_model
from transforms.langid.labels import canonical
from transforms.langid.ngrams import predict_ngrams

__all__ = ["LanguageModel", "Prediction", "load_model", "model_digest"]

Places = npt.NDArray[np.int32]
Found = tuple[Places, npt.NDArray[Any], npt.NDArray[np.float64]]
"""Places among a model's own labels (-1 for none), probabilities, both texts by k; and
for each text, how far the evidence for the best label is what is usual for it."""
Engine = Callable[[pa.StringArray, int], Found]

_SCALE = 10_000
_DEFAULT = "langid.bayes"
_MOST_KNOWN = 2.0


@dataclass(frozen=True, slots=True)
class Prediction:
    """The best labels of a batch of texts, best first.

    Attributes:
        labels: int32, texts by k: places in `LanguageModel.labels`; -1 for none.
        scores: int32, texts by k: probabilities in 1/10,000, within 0 and 10,000,
            rounded half up; 0 where there is no label. Of our own model: the
            probability that the best label is right among texts some of which are in
            languages that the model lacks; a lesser label's score stands to it as
            their shares of a softmax do.
        known: int32, texts: evidence per n-gram for the best label as a share of what
            a text of that language usually has, in 1/10,000, within 0 and 20,000. A
            language that the model lacks has less of its nearest relative's. Scores
            have it in them already. 10,000 where a model does not say (fastText); 0
            without a label.
    """

    labels: Places
    scores: Places
    known: Places


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
            Labels and scores, `len(text)` by `k`, and what is known of each.
        """
        spare = len(self._places) - len(self.labels)
        own, raw, share = self._engine(text, min(k + spare, len(self._places)))
        labels = np.where(own >= 0, self._places[own], np.int32(-1))
        # Float64 holds the product of a float32 exactly, so that half is half.
        scores = _fixed(np.clip(raw.astype(np.float64), 0, 1))
        known = np.where(labels[:, 0] >= 0, _fixed(np.clip(share, 0, _MOST_KNOWN)), np.int32(0))
        if spare:
            _drop_repeats(labels, scores)
        return Prediction(_to_width(labels, k, -1), _to_width(scores, k, 0), known)


def _fixed(values: npt.NDArray[np.float64]) -> Places:
    return np.floor(values * _SCALE + 0.5).astype(np.int32)


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
    """Loads a model that `langid.train` made, or a fastText model of any label style.

    A fastText model of character n-grams alone runs in a kernel of our own, four times
    as fast; any other in the fastText library.

    Args:
        path: The file; None for the model that ships with the package.

    Raises:
        UsageError: There is no such file.
        InputError: It is neither a model of ours nor a supervised fastText model, or its
            labels name no languages.
    """
    if path is None:
        with importlib.resources.as_file(_shipped()) as file:
            return _load(file)
    if not Path(path).is_file():
        raise UsageError(f"langid model {path}: there is no such file; name a model")
    return _load(Path(path))


def model_digest(path: str | None = None) -> str:
    """The digest that `load_model` gives; the model that ships need not be unpacked for it.

    Raises:
        UsageError: There is no such file.
        InputError: It is no model; see `load_model`.
    """
    if path is None:
        return hashlib.sha256(_shipped().read_bytes()).hexdigest()
    return load_model(path).digest


def _shipped() -> Traversable:
    return importlib.resources.files("transforms.data") / _DEFAULT


def _load(path: Path) -> LanguageModel:
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    try:
        if is_bayes_model(data):
            bayes = read_bayes_model(data)
            return LanguageModel(bayes.labels, functools.partial(_run_bayes, bayes), digest=digest)
        ngrams = read_ngram_model(data)
        if ngrams is not None:
            engine = functools.partial(_run_kernel, ngrams)
            return LanguageModel(ngrams.labels, engine, digest=digest)
        library = fasttext.load_model(str(path))
        own = tuple(library.get_labels())
        return LanguageModel(own, functools.partial(_run_library, library, own), digest=digest)
    except (ValueError, RuntimeError, InputError) as error:
        raise InputError(
            f"langid model {path}: {error}. A model is one that holdfast trained, or a supervised "
            f"fastText model whose labels are languages, such as __label__swh_Latn"
        ) from error


def _run_bayes(model: BayesModel, text: pa.StringArray, k: int) -> Found:
    found = gather(text, model, max(k, 2))
    share = found.nats[:, 0] / model.learned.usual[found.places[:, 0]]
    return found.places[:, :k], found.scores[:, :k], share


def _run_kernel(model: NgramModel, text: pa.StringArray, k: int) -> Found:
    return *predict_ngrams(text, model, k), np.ones(len(text))


def _run_library(
    model: fasttext.FastText._FastText, own: tuple[str, ...], text: pa.StringArray, k: int
) -> Found:
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
    return places, scores, np.ones(len(text))
