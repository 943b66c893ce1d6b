from typing import Any

import numpy as np
import pytest

from transforms.langid.confidence import FEATURES, Learned, features, logistic, score


def test_logistic_finds_the_function_that_made_the_data() -> None:
    rng = np.random.default_rng(1)
    rows = np.column_stack([np.ones(40_000), rng.normal(size=(40_000, FEATURES - 1))])
    truth = np.array([0.5, 1.0, -1.0, 0.0, 2.0, -0.3, 0.7, -0.6, 0.2])
    right = (rng.random(40_000) < 1 / (1 + np.exp(-rows @ truth))).astype(float)
    assert logistic(rows, right, np.ones(40_000)) == pytest.approx(truth, abs=0.1)


def test_logistic_of_one_answer_is_bounded() -> None:
    rows = np.ones((50, FEATURES))
    assert np.isfinite(logistic(rows, np.ones(50), np.ones(50))).all()


def learned(spoken: float = 0.4) -> Learned:
    one = np.ones(2)
    return Learned(one, one, np.full(2, spoken), np.linspace(-1, 1, FEATURES))


def of(nats: list[list[float]], grams: list[int], words: list[list[int]], known: Learned) -> Any:
    best = np.zeros(len(grams), np.int32)
    arrays = (np.array(nats, np.float64), np.array(grams, np.int32), np.array(words, np.int32))
    return features(known, best, *arrays)


def test_features_of_odd_texts_are_finite() -> None:
    nats = [[-3.0, -2.0], [0.0, 0.0], [9.0, -41.0]]
    for spoken in (0.0, 0.4, 1.0):
        found = of(nats, [1, 300, 10**6], [[0, 0], [1, 1], [9000, 0]], learned(spoken))
        assert found.shape == (3, FEATURES)
        assert np.isfinite(found).all()


def test_words_say_nothing_where_none_are_usual() -> None:
    few, many = of([[1.0, 0.0]] * 2, [300] * 2, [[50, 0], [50, 50]], learned(0.0))
    assert few.tolist() == many.tolist()


def test_a_text_without_words_is_as_usual() -> None:
    none, usual = of([[1.0, 0.0]] * 2, [300] * 2, [[0, 0], [1000, 400]], learned(0.4))
    assert none == pytest.approx(usual)


def test_fewer_frequent_words_than_usual_change_one_feature() -> None:
    few, usual = of([[1.0, 0.0]] * 2, [300] * 2, [[100, 5], [100, 40]], learned(0.4))
    assert np.flatnonzero(few != usual).tolist() == [6]
    assert few[6] < usual[6]


def test_the_lead_is_a_share_of_the_evidence() -> None:
    found = of(
        [[2.0, 1.0], [0.5, 0.25], [0.5, -2.0], [0.5, 0.5]], [300] * 4, [[0, 0]] * 4, learned()
    )
    assert found[:, 8].tolist() == [0.5, 0.5, 1.5, 0.0]


def test_the_score_weighs_the_features() -> None:
    known = learned()
    row = of([[0.9, 0.4]], [120], [[40, 9]], known)[0]
    found = score(known, 0, (0.9, 0.5), 120, np.array([40, 9], np.int32))
    assert found == pytest.approx(1 / (1 + np.exp(-row @ known.confidence)))
