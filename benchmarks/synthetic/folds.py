"""What has to stay out of training for a score to mean something.

A text under test shares with the training data neither its collection (the
file's name before `__`), nor its domain, nor the model that wrote it. Collections
name both as they like, so names are brought to a common key first.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from transforms.synthetic.classifier import LEAST_CHARS
from transforms.synthetic.examples import HUMAN, MACHINE, Examples, Names, is_untuned

__all__ = ["Cell", "cells", "domain_keys", "generator_key", "thinned"]

_GENERATORS = (
    ("gpt-3.5", r"chatgpt|gpt-3\.5|gpt-3-turbo"),
    ("gpt-4o", r"gpt-4o"),
    ("gpt-4", r"gpt-4"),
    ("llama-3", r"llama-3"),
    ("llama-2", r"llama-?2"),
    ("vicuna", r"vicuna"),
    ("gemini", r"gemini"),
)
_DOMAINS = (
    ("stories", r"writing|literature|creative"),
    ("essays", r"essay"),
    ("news", r"news|xsum|lenta"),
    ("encyclopedia", r"wiki(?!how)"),
    ("science", r"arxiv|pubmed|academic|science"),
)
_LEAST_HUMAN, _LEAST_MACHINE = 40, 20


@dataclasses.dataclass(frozen=True, slots=True)
class Cell:
    """What is tested at once.

    Attributes:
        source: The collection's file.
        lang: Of the texts.
        generator: Key of the model under test; empty if there is none.
        train: Mask of the examples that may be learnt from.
        human: Rows of human text under test.
        machine: Rows of machine text under test.
        untuned: Whether the model was never tuned to follow instructions.
    """

    source: str
    lang: str
    generator: str
    train: npt.NDArray[np.bool_]
    human: npt.NDArray[np.int64]
    machine: npt.NDArray[np.int64]
    untuned: bool


def generator_key(name: str) -> str:
    """One name for all spellings and sizes of a model."""
    lowered = name.lower()
    return next((key for key, known in _GENERATORS if re.search(known, lowered)), lowered)


def domain_keys(name: str) -> frozenset[str]:
    """The kinds of text that a domain's name speaks of; itself if none is known."""
    lowered = name.lower()
    found = frozenset(key for key, known in _DOMAINS if re.search(known, lowered))
    return found or frozenset([lowered])


def thinned(examples: Examples, most: int, seed: int = 0) -> Examples:
    """At most `most` texts of each file, language, domain and generator."""
    kinds = examples.places
    for column in (examples.label, examples.domain, examples.generator):
        kinds = np.char.add(np.char.add(kinds, "|"), column)
    rng = np.random.default_rng(seed)
    kept = [
        np.sort(rng.permutation(np.flatnonzero(kinds == kind))[:most]) for kind in np.unique(kinds)
    ]
    return examples.take(np.sort(np.concatenate(kept)))


def _collections(sources: Names) -> Names:
    return np.array([source.partition("__")[0] for source in sources])


def cells(examples: Examples) -> Iterator[Cell]:
    """Every file, language and generator with text enough to be tested.

    Human texts of a file without machine text are a cell without a generator.
    """
    keys = np.array([generator_key(name) for name in examples.generator])
    names, domain = np.unique(examples.domain, return_inverse=True)
    kinds = [domain_keys(name) for name in names]
    collections = _collections(examples.source)
    long = examples.chars >= LEAST_CHARS
    for place in np.unique(examples.places):
        here = (examples.places == place) & long
        human = np.flatnonzero(here & (examples.label == HUMAN))
        source, _, lang = str(place).partition("|")
        under_test = frozenset[str]().union(
            *(kinds[d] for d in np.unique(domain[examples.source == source]))
        )
        foreign = np.array([not kind & under_test for kind in kinds])[domain]
        foreign &= collections != source.partition("__")[0]
        for generator in np.unique(keys[here & (examples.label == MACHINE)]):
            machine = np.flatnonzero(here & (keys == generator))
            if len(human) >= _LEAST_HUMAN and len(machine) >= _LEAST_MACHINE:
                train = foreign & (keys != generator)
                untuned = is_untuned(str(generator))
                yield Cell(source, lang, str(generator), train, human, machine, untuned)
        if len(human) >= _LEAST_HUMAN and not (here & (examples.label == MACHINE)).any():
            yield Cell(source, lang, "", foreign, human, np.zeros(0, np.int64), untuned=False)
