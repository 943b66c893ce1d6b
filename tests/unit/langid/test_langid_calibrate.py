import pyarrow as pa

from transforms.langid.bayes import BayesModel, gather


def test_usual_evidence_is_positive_and_every_label_has_one(small_model: BayesModel) -> None:
    assert (small_model.learned.usual > 0).all()
    assert len(small_model.learned.usual) == len(small_model.labels)


def test_what_is_usual_is_within_bounds(small_model: BayesModel) -> None:
    learned = small_model.learned
    assert ((learned.apart > 0) & (learned.apart <= 1)).all()
    assert ((learned.spoken >= 0) & (learned.spoken <= 1)).all()
    words = dict(zip(small_model.labels, learned.spoken.tolist(), strict=True))
    assert words["swh_Latn"] > 0.5, "all its words are frequent"


def test_a_known_language_scores_higher_than_an_unknown_one(small_model: BayesModel) -> None:
    known = "the people have the right to freedom and no person may be without law"
    unknown = "os homens nascem livres e iguais em dignidade e em direitos na terra"
    found = gather(pa.array([known, unknown], pa.string()), small_model, 2)
    assert small_model.labels[found.places[0, 0]] == "eng_Latn"
    assert found.scores[0, 0] > found.scores[1, 0]
