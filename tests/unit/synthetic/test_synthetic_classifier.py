"""Scores: independent of the batch, null where short; model files that are refused."""

from __future__ import annotations

import pathlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_texts import examples

from transforms.errors import InputError, UsageError
from transforms.synthetic.attacks import ATTACKS, attacked
from transforms.synthetic.classifier import LEAST_CHARS, MOST_CHARS, Model, load_classifier
from transforms.synthetic.examples import MACHINE

LONG = "The mill stood by the river, and nobody had fixed it since the winter. " * 8
TEXTS = st.lists(
    st.sampled_from([LONG, LONG[:249], "", "你好，世界。" * 60, "word " * 90, "...\n" * 99])
)


@settings(max_examples=25, deadline=None)
@given(TEXTS, st.integers(0, 3))
def test_a_score_does_not_depend_on_the_batch(texts: list[str], skipped: int) -> None:
    classifier = load_classifier()
    column = pa.array(["x", "y", "z", *texts], pa.string()).slice(skipped)
    scores = classifier.score(column)
    assert scores.type == pa.int16()
    alone = [classifier.score(pa.array([t], pa.string()))[0].as_py() for t in column.to_pylist()]
    assert scores.to_pylist() == alone


@pytest.mark.parametrize(
    ("text", "scored", "why"),
    [
        (LONG[:LEAST_CHARS], True, "long enough"),
        (LONG[: LEAST_CHARS - 1], False, "a character short"),
        ("", False, "nothing to read"),
        ("a" * 5000, False, "long, and a single word"),
        (" \n" * 400 + "Only these few words.", False, "white space is no text"),
    ],
)
def test_short_texts_have_no_score(text: str, scored: bool, why: str) -> None:
    assert load_classifier().score(pa.array([text])).is_valid().to_pylist() == [scored], why


def test_what_follows_the_part_that_is_read_changes_nothing() -> None:
    head = (LONG * 20)[:MOST_CHARS]
    first, second = (
        load_classifier().score(pa.array([head, head + "Other words. " * 50])).to_pylist()
    )
    assert first == second


@pytest.mark.parametrize("name", ["whitespace", "zero_width", "lower_case"])
def test_form_changes_nothing(name: str) -> None:
    texts = pa.array([LONG, *examples(40).text.to_pylist()])
    classifier = load_classifier()
    assert classifier.score(attacked(texts, name)).equals(classifier.score(texts))


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_an_attack_is_the_same_each_time(name: str) -> None:
    texts = pa.array([LONG, "", "one"])
    assert attacked(texts, name).equals(attacked(texts, name))
    assert attacked(texts, name)[2].as_py().strip() in {
        "one",
        "",
        "оne",
        "onе",
        "o\u200bne",
        "one\u200b",
    }


def test_manner_is_told_apart() -> None:
    given_texts = examples(200)
    scores = load_classifier().score(given_texts.text).to_numpy()
    machine = given_texts.label == MACHINE
    assert np.median(scores[machine]) > np.median(scores[~machine]) + 1000


def test_the_model_that_ships() -> None:
    classifier = load_classifier()
    assert {"eng_Latn", "deu_Latn", "rus_Cyrl"} <= classifier.languages
    assert len(classifier.digest) == 64
    assert load_classifier() is classifier


def model() -> Model:
    return load_classifier()._model


def test_a_model_survives_its_file() -> None:
    again = Model.from_bytes(model().to_bytes(), "again")
    assert (again.words == model().words).all()
    assert (again.edges == model().edges).all()
    assert (again.weights == model().weights).all()
    assert again.languages == model().languages


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"something else",
        model().to_bytes()[:-40],
        model().to_bytes().replace(b'"folding":1', b'"folding":9'),
        model().to_bytes().replace(b'"words":', b'"wordz":'),
        model().to_bytes().partition(b"\n{")[0] + b"\n",
    ],
)
def test_a_damaged_model_is_refused(blob: bytes, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(blob)
    with pytest.raises(InputError, match="holdfast train synthetic"):
        load_classifier(str(path))


def test_a_missing_model_is_told(tmp_path: pathlib.Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        load_classifier(str(tmp_path / "none.bin"))
