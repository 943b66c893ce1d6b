import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.langid.bayes import UNIT, BayesModel, gather
from transforms.langid.confidence import features
from transforms.langid.counts import fit, sample
from transforms.langid.grams import ORDERS, gram_codes

TEXTS = st.lists(st.text("abcäßд漢 -<", max_size=30).map(str.strip), max_size=5)


def strings(*texts: str) -> pa.StringArray:
    return pa.array(texts, pa.string())


def grams(text: str) -> list[str]:
    """The n-grams of a text of words without runs, as text."""
    words = [f"<{word}>" for word in text.split(" ") if word]
    return [
        word[at : at + order]
        for word in words
        for at in range(len(word))
        for order in ((2, *ORDERS) if word[at] >= "\u0800" else ORDERS)
        if at + order <= len(word)
    ]


@pytest.mark.parametrize(
    "text", ["", "a", "ab", "watu wote", "люди", "漢 字", "ሰው ሁሉ ነጻ", "a b c", "éa\u0301b"]
)
def test_n_grams_are_of_code_points_within_marked_words(text: str) -> None:
    assert len(gram_codes(strings(text))) == len(grams(text))


def test_equal_n_grams_have_equal_codes() -> None:
    one, other = gram_codes(strings("watu")), gram_codes(strings("x", "watu"))
    assert other[-len(one) :].tolist() == one.tolist()
    assert len(set(gram_codes(strings("abcdefgh")).tolist())) == len(grams("abcdefgh"))


def test_a_run_of_one_character_counts_like_a_short_one() -> None:
    assert len(gram_codes(strings("*" * 500))) <= 14
    short, long = (set(gram_codes(strings("-" * n)).tolist()) for n in (12, 400))
    assert short == long


def test_evidence_is_the_sum_of_what_the_n_grams_add(small_model: BayesModel) -> None:
    text = strings("watu wote zzqqx")
    found = gather(text, small_model, 5)
    codes = gram_codes(text)
    at = np.searchsorted(small_model.codes, codes)
    known = (at < len(small_model.codes)) & (
        small_model.codes[at % len(small_model.codes)] == codes
    )
    sums = known.sum() * small_model.unseen.astype(np.int64)
    for gram in at[known]:
        own = slice(small_model.starts[gram], small_model.starts[gram + 1])
        sums[small_model.places[own]] += (UNIT // 16) * small_model.weights[own].astype(np.int64)
    order = np.argsort(-sums, kind="stable")
    assert found.places[0].tolist() == order.tolist()
    assert found.nats[0] == pytest.approx(sums[order] / (UNIT * len(codes)))
    assert found.grams[0] == len(codes)
    assert small_model.labels[order[0]] == "swh_Latn"


def test_the_score_is_the_logistic_of_the_features(small_model: BayesModel) -> None:
    found = gather(strings("watu wote kwa haki", "the law of people"), small_model, 2)
    learned, best = small_model.learned, found.places[:, 0]
    rows = features(learned, best, found.nats, found.grams, found.words)
    expected = 1 / (1 + np.exp(-(rows * learned.confidence).sum(axis=1)))
    assert found.scores[:, 0] == pytest.approx(expected)
    behind = (found.nats[:, 0] - found.nats[:, 1]) * np.sqrt(found.grams) / 2
    assert found.scores[:, 1] == pytest.approx(expected * np.exp(-behind))


def test_frequent_words_of_the_best_label_are_counted(small_model: BayesModel) -> None:
    found = gather(strings("watu wote kwa zzqqx haki", "the law", ""), small_model, 2)
    assert small_model.labels[found.places[0, 0]] == "swh_Latn"
    assert found.words.tolist() == [[5, 4], [2, 2], [0, 0]]


def test_a_barred_label_is_not_given(small_model: BayesModel) -> None:
    text = strings("watu wote kwa haki", "watu wote kwa haki")
    best = small_model.labels.index("swh_Latn")
    found = gather(text, small_model, 2, np.array([best, -1], np.int32))
    assert found.places[0, 0] != best
    assert found.places[1, 0] == best


def test_a_text_of_unknown_n_grams_has_no_label(small_model: BayesModel) -> None:
    found = gather(strings("", "ꙮꙮꙮ"), small_model, 2)
    assert found.places.tolist() == [[-1, -1], [-1, -1]]
    assert found.scores.tolist() == [[0, 0], [0, 0]]


@settings(deadline=None)
@given(TEXTS)
def test_a_row_depends_on_its_text_alone(texts: list[str]) -> None:
    model = _tiny()
    together = gather(strings(*texts), model, 3)
    for row, text in enumerate(texts):
        alone = gather(strings(text), model, 3)
        for name in ("places", "scores", "nats", "grams", "words"):
            assert getattr(alone, name)[0].tolist() == getattr(together, name)[row].tolist()
    assert ((together.scores >= 0) & (together.scores <= 1)).all()
    assert (np.diff(together.scores, axis=1) <= 0).all()
    assert not any(math.isnan(score) for score in together.nats.ravel().tolist())


def _tiny() -> BayesModel:
    if not hasattr(_tiny, "model"):
        made: Any = fit({"a_Latn": sample(["abc abcä"]), "b_Latn": sample(["cab 漢д"])})
        _tiny.model = made  # type: ignore[attr-defined]
    return _tiny.model  # type: ignore[attr-defined,no-any-return]
