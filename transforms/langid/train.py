"""Trains an identifier on sentences whose language is known.

The sentences' n-grams are counted, source by source, so that no book and no register
stands for a language (`counts`), and models that lack a source are shown it, to learn
how sure they may be (`calibrate`).
"""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from transforms.errors import InputError
from transforms.langid.bayes import BayesModel
from transforms.langid.bayes_file import write_bayes_model
from transforms.langid.calibrate import Sentences, calibrate
from transforms.langid.counts import fit, join, sample
from transforms.langid.labelled import read_labelled
from transforms.langid.registry import NO_LANGUAGE
from transforms.langid.zxx import generate

__all__ = ["learn", "read_sentences", "train"]

_MIN_SENTENCES = 25
"""A label with fewer is left out: a class of one paragraph learns that paragraph."""
_ZXX = 4500
"""Texts without language that are generated."""


def read_sentences(
    paths: Sequence[Path], leave_out: Sequence[tuple[str, str]] = ()
) -> dict[str, dict[str, list[str]]]:
    """Reads files that `read_labelled` understands.

    Args:
        paths: The files.
        leave_out: Labels and sources (or how their names begin) that do not go
            together: a source's sentences in one label that are in another language.

    Returns:
        Sentences by canonical label and source; labels with too few are left out.

    Raises:
        InputError: A line lacks a field or names no known language.
    """
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for text, label, source in read_labelled(paths):
        if not any(label == own and source.startswith(begin) for own, begin in leave_out):
            found[label][source].append(text)
    return {
        label: dict(sorted(sources.items()))
        for label, sources in sorted(found.items())
        if sum(map(len, sources.values())) >= _MIN_SENTENCES
    }


def learn(sentences: Sentences, *, seed: int = 0) -> BayesModel:
    """Makes a model of sentences; the same ones and the same seed give the same model.

    Args:
        sentences: By label and source. Text without language (`zxx`) is generated.
        seed: Of the generated text and of the windows that calibrate.
    """
    rng = random.Random(seed)  # noqa: S311 (no secret)
    silent = {**sentences.get(NO_LANGUAGE, {}), "generated": generate(_ZXX, rng)}
    everything = dict(sorted({**sentences, NO_LANGUAGE: silent}.items()))
    samples = {
        label: {name: sample(texts) for name, texts in sources.items()}
        for label, sources in everything.items()
    }
    model = fit({label: join(list(own.values())) for label, own in samples.items()})
    return calibrate(model, everything, samples, rng)


def train(
    data: Sequence[Path],
    out: Path,
    *,
    leave_out: Sequence[tuple[str, str]] = (),
    seed: int = 0,
) -> str:
    """Trains a model; the same data and seed give the same file.

    Args:
        data: Files that `read_sentences` understands.
        out: Where the model is written.
        leave_out: See `read_sentences`.
        seed: See `learn`.

    Returns:
        The model's sha256, in hexadecimal.

    Raises:
        InputError: The data cannot be read as sentences, or there are none to learn from.
    """
    sentences = read_sentences(data, leave_out)
    if not sentences:
        raise InputError(
            f"no language has {_MIN_SENTENCES} sentences or more; name files with more of them"
        )
    out.write_bytes(write_bayes_model(learn(sentences, seed=seed)))
    return hashlib.sha256(out.read_bytes()).hexdigest()
