import numpy as np
import pyarrow as pa
import pytest

from transforms.langid.bayes import FEATURES, BayesModel, gather
from transforms.langid.calibrate import features, logistic


def test_logistic_finds_the_function_that_made_the_data() -> None:
    rng = np.random.default_rng(1)
    rows = np.column_stack([np.ones(40_000), rng.normal(size=(40_000, FEATURES - 1))])
    truth = np.array([0.5, 1.0, -1.0, 0.0, 2.0, -0.3])
    right = (rng.random(40_000) < 1 / (1 + np.exp(-rows @ truth))).astype(float)
    assert logistic(rows, right, np.ones(40_000)) == pytest.approx(truth, abs=0.1)


def test_logistic_of_one_answer_is_bounded() -> None:
    rows = np.ones((50, FEATURES))
    assert np.isfinite(logistic(rows, np.ones(50), np.ones(50))).all()


def test_features_of_odd_texts_are_finite() -> None:
    found = features(
        np.array([-3.0, 0.0, 9.0]),
        np.array([-1.0, 0.0, 50.0]),
        np.ones(3),
        np.array([1, 300, 10**6]),
    )
    assert found.shape == (3, FEATURES)
    assert np.isfinite(found).all()


def test_usual_evidence_is_positive_and_every_label_has_one(small_model: BayesModel) -> None:
    assert (small_model.usual > 0).all()
    assert len(small_model.usual) == len(small_model.labels)


def test_a_known_language_scores_higher_than_an_unknown_one(small_model: BayesModel) -> None:
    known = "the people have the right to freedom and no person may be without law"
    unknown = "os homens nascem livres e iguais em dignidade e em direitos na terra"
    found = gather(pa.array([known, unknown], pa.string()), small_model, 2)
    assert small_model.labels[found.places[0, 0]] == "eng_Latn"
    assert found.scores[0, 0] > found.scores[1, 0]
