"""Trains the classifier on texts of known origin."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.errors import InputError
from transforms.kernels import Hashes
from transforms.synthetic.classifier import LEAST_CHARS, MOST_CHARS, Model
from transforms.synthetic.examples import HUMAN, MACHINE, Examples, is_untuned, read_examples
from transforms.synthetic.features import features_of
from transforms.synthetic.fit import Design, fit
from transforms.synthetic.folding import fold
from transforms.synthetic.manner import edges_of, measures_of
from transforms.synthetic.wording import vocabulary_table, words_of

__all__ = ["Material", "common_words", "fit_model", "make_model", "prepare", "train", "trainable"]

_COMMON: Final = 3000
_UNIT: Final = 4096
_LEAST_DOCUMENTS: Final = 40
"""Human, and machine, documents without which a language is not called trained."""
_PRIOR: Final = 30
"""Documents that a place is taken to have besides its own: small places say little."""
_SHORTEST, _UNCUT = 50, 90
"""Tokens of the shortest excerpt, and of a text too short for one."""
_LARGEST_SHARE: Final = 0.8

Ints = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True, slots=True)
class Material:
    """Examples that can teach, ready to be learnt from.

    Every text is there twice if it is long enough: whole, and as an excerpt of
    random length, so that length says nothing.

    Attributes:
        folded: Texts in normal form: all whole ones, then the excerpts.
        origin: Row of the example that each text is or is cut from.
        machine: 1.0 for machine text, 0.0 for human text.
        place: Number of the collection and language.
        environment: Number of the place and generator.
        languages: Labels with enough examples of either origin.
    """

    folded: pa.StringArray
    origin: Ints
    machine: npt.NDArray[np.float64]
    place: Ints
    environment: Ints
    languages: tuple[str, ...]


def trainable(examples: Examples) -> npt.NDArray[np.bool_]:
    """Which examples can teach: of one origin, not by an untuned model."""
    untuned = np.array([is_untuned(name) for name in examples.generator])
    teaches: npt.NDArray[np.bool_] = np.isin(examples.label, (HUMAN, MACHINE)) & ~untuned
    return teaches


def prepare(examples: Examples, *, seed: int = 0) -> Material:
    """Folds examples and cuts excerpts.

    Args:
        examples: All of them `trainable`.
        seed: Of the excerpts.
    """
    whole = fold(pc.utf8_slice_codeunits(examples.text, 0, MOST_CHARS))
    rows, excerpts = _excerpts(whole, random.Random(seed))  # noqa: S311 (no secret)
    origin = np.concatenate([np.arange(len(examples)), rows])
    kinds = np.char.add(np.char.add(examples.places, "|"), examples.generator)
    return Material(
        pa.concat_arrays([whole, excerpts]),
        origin,
        (examples.label == MACHINE).astype(np.float64)[origin],
        np.unique(examples.places, return_inverse=True)[1][origin],
        np.unique(kinds, return_inverse=True)[1][origin],
        _languages(examples),
    )


def _excerpts(folded: pa.StringArray, rng: random.Random) -> tuple[Ints, pa.StringArray]:
    """One excerpt of each long text, its length drawn log-uniformly: rows, and excerpts."""
    rows, excerpts = [], []
    for row, text in enumerate(folded.to_pylist()):
        tokens = text.split(" ")
        if len(tokens) > _UNCUT:
            longest = math.log(_LARGEST_SHARE * len(tokens))
            size = int(math.exp(rng.uniform(math.log(_SHORTEST), longest)))
            first = rng.randrange(len(tokens) - size)
            rows.append(row)
            excerpts.append(" ".join(tokens[first : first + size]))
    return np.array(rows, dtype=np.int64), pa.array(excerpts, pa.string())


def _languages(examples: Examples) -> tuple[str, ...]:
    enough = []
    for label in np.unique(examples.lang):
        inside = (examples.lang == label) & (examples.chars >= LEAST_CHARS)
        sides = [(examples.label[inside] == side).sum() for side in (HUMAN, MACHINE)]
        if min(sides) >= _LEAST_DOCUMENTS:
            enough.append(str(label))
    return tuple(enough)


def common_words(words: Hashes, bounds: Ints, places: Ints) -> Hashes:
    """The words that occur in the largest share of documents, all places alike.

    Args:
        words: Word hashes of all documents, end to end.
        bounds: n + 1 bounds in `words`.
        places: Number of each document's place.

    Returns:
        At most 3,000 hashes, ascending.
    """
    shares: dict[int, float] = {}
    for place in np.unique(places):
        rows = np.flatnonzero(places == place)
        own = [np.unique(words[bounds[row] : bounds[row + 1]]) for row in rows]
        found, counts = np.unique(np.concatenate(own), return_counts=True)
        often = counts > 1
        for word, count in zip(found[often].tolist(), counts[often].tolist(), strict=True):
            shares[word] = shares.get(word, 0.0) + count / (len(rows) + _PRIOR)
    ranked = sorted(shares, key=lambda word: (-shares[word], word))
    return np.sort(np.array(ranked[:_COMMON], dtype=np.uint64))


def fit_model(material: Material, *, seed: int = 0) -> Model:
    """Learns from all of the material.

    Raises:
        InputError: There is no human, or no machine, text in it, or no word occurs twice.
    """
    for label, value in ((HUMAN, 0.0), (MACHINE, 1.0)):
        if not (material.machine == value).any():
            raise InputError(f"the data has no {label} text to learn from; give some of either")
    words = common_words(*words_of(material.folded), material.place)
    if not len(words):
        raise InputError("no word occurs in two of the texts; give more of them")
    edges = edges_of(measures_of(material.folded))
    features, bounds = features_of(material.folded, vocabulary_table(words), edges)
    design = Design(features, bounds, material.machine, material.place, material.environment)
    weights = fit(design, seed=seed)
    whole = np.clip(np.rint(weights * _UNIT), -32_767, 32_767).astype(np.int16)
    return Model(words, edges, whole, _UNIT, material.languages)


def make_model(examples: Examples, *, seed: int = 0) -> Model:
    """Trains on all examples that can teach.

    Args:
        examples: Any; those that are not `trainable` are left out.
        seed: Of the excerpts, and of the order in which texts are seen.

    Raises:
        InputError: There is no human, or no machine, text among them.
    """
    return fit_model(prepare(examples.take(trainable(examples)), seed=seed), seed=seed)


def train(data: Sequence[Path], out: Path, *, seed: int = 0) -> str:
    """Trains a model; the same data and seed give the same file.

    Args:
        data: Files that `examples.read_examples` understands.
        out: Where the model is written.
        seed: Of the excerpts, and of the order in which texts are seen.

    Returns:
        The model's sha256, in hexadecimal.

    Raises:
        InputError: The data cannot be read, or lacks text of either origin.
    """
    blob = make_model(read_examples(data), seed=seed).to_bytes()
    out.write_bytes(blob)
    return hashlib.sha256(blob).hexdigest()
