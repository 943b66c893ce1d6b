"""Trains the classifier on texts of known origin."""

from __future__ import annotations

import hashlib
from pathlib import Path
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from transforms.errors import InputError
from transforms.kernels import Hashes
from transforms.synthetic.classifier import LEAST_CHARS, MOST_CHARS, Model
from transforms.synthetic.examples import HUMAN, MACHINE, Examples, is_untuned, read_examples
from transforms.synthetic.fit import Design, fit
from transforms.synthetic.folding import fold
from transforms.synthetic.wording import buckets_of, vocabulary_table, words_of

__all__ = ["common_words", "make_design", "make_model", "train", "trainable"]

_COMMON: Final = 1500
_UNIT: Final = 4096
_LEAST_DOCUMENTS: Final = 40
"""Human, and machine, documents without which a language is not called trained."""
_PRIOR: Final = 30
"""Documents that a place is taken to have besides its own: small places say little."""

Ints = npt.NDArray[np.int64]


def trainable(examples: Examples) -> npt.NDArray[np.bool_]:
    """Which examples can teach: of one origin, not by an untuned model."""
    untuned = np.array([is_untuned(name) for name in examples.generator])
    teaches: npt.NDArray[np.bool_] = np.isin(examples.label, (HUMAN, MACHINE)) & ~untuned
    return teaches


def common_words(words: Hashes, bounds: Ints, places: Ints) -> Hashes:
    """The words that occur in the largest share of documents, all places alike.

    Args:
        words: Word hashes of all documents, end to end.
        bounds: n + 1 bounds in `words`.
        places: Number of each document's place.

    Returns:
        At most 1,500 hashes, ascending.
    """
    shares: dict[int, float] = {}
    for place in range(int(places.max()) + 1):
        rows = np.flatnonzero(places == place)
        own = [np.unique(words[bounds[row] : bounds[row + 1]]) for row in rows]
        found, counts = np.unique(np.concatenate(own), return_counts=True)
        often = counts > 1
        for word, count in zip(found[often].tolist(), counts[often].tolist(), strict=True):
            shares[word] = shares.get(word, 0.0) + count / (len(rows) + _PRIOR)
    ranked = sorted(shares, key=lambda word: (-shares[word], word))
    return np.sort(np.array(ranked[:_COMMON], dtype=np.uint64))


def make_design(examples: Examples) -> tuple[Design, Hashes]:
    """Features of all examples, and the words that are not masked in them."""
    folded = fold(pc.utf8_slice_codeunits(examples.text, 0, MOST_CHARS))
    _, places = np.unique(examples.places, return_inverse=True)
    kinds = np.char.add(np.char.add(examples.places, "|"), examples.generator)
    _, environments = np.unique(kinds, return_inverse=True)
    words = common_words(*words_of(folded), places)
    features, bounds = buckets_of(folded, vocabulary_table(words))
    machine = (examples.label == MACHINE).astype(np.float64)
    return Design(features, bounds, machine, places, environments), words


def make_model(examples: Examples, *, seed: int = 0) -> Model:
    """Trains on all examples that can teach.

    Raises:
        InputError: There is no human, or no machine, text among them.
    """
    teaching = examples.take(trainable(examples))
    for label in (HUMAN, MACHINE):
        if not (teaching.label == label).any():
            raise InputError(f"the data has no {label} text to learn from; give some of either")
    design, words = make_design(teaching)
    weights = fit(design, np.arange(len(teaching)), seed=seed)
    whole = np.clip(np.rint(weights * _UNIT), -32_767, 32_767).astype(np.int16)
    return Model(words, whole, _UNIT, _languages(teaching))


def _languages(examples: Examples) -> tuple[str, ...]:
    enough = []
    for label in np.unique(examples.lang):
        inside = (examples.lang == label) & (examples.chars >= LEAST_CHARS)
        sides = [(examples.label[inside] == side).sum() for side in (HUMAN, MACHINE)]
        if min(sides) >= _LEAST_DOCUMENTS:
            enough.append(str(label))
    return tuple(enough)


def train(data: Sequence[Path], out: Path, *, seed: int = 0) -> str:
    """Trains a model; the same data and seed give the same file.

    Args:
        data: Files that `examples.read_examples` understands.
        out: Where the model is written.
        seed: Of the order in which examples are seen.

    Returns:
        The model's sha256, in hexadecimal.

    Raises:
        InputError: The data cannot be read, or lacks text of either origin.
    """
    blob = make_model(read_examples(data), seed=seed).to_bytes()
    out.write_bytes(blob)
    return hashlib.sha256(blob).hexdigest()
