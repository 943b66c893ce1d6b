from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.langid.bayes import BayesModel
from transforms.langid.bayes_file import write_bayes_model
from transforms.langid.config import LangidConfig
from transforms.langid.evaluate import BINS, Identifier, Report, evaluate, excerpt, identifier
from transforms.langid.identify import identify
from transforms.langid.model import load_model
from transforms.langid.registry import load_registry


def saying(answers: Sequence[str], scores: Sequence[float]) -> Identifier:
    return lambda _: (answers, np.array(scores))


def judged() -> Report:
    labels = ["a", "a", "a", "b", "b", "c", "zxx"]
    answers = ["a", "a", "b", "b", "und", "zxx", "zxx"]
    return evaluate([""] * 7, labels, saying(answers, [1.0, 0.9, 0.85, 0.3, 0.2, 0.0, 0.99]))


def test_figures_by_hand() -> None:
    report = judged()
    by_label = {row.label: row for row in report.rows}
    assert (by_label["a"].precision, by_label["a"].recall) == (1.0, pytest.approx(2 / 3))
    assert (by_label["b"].precision, by_label["b"].recall) == (0.5, 0.5)
    assert (by_label["c"].precision, by_label["c"].recall, by_label["c"].f1) == (0, 0, 0)
    assert by_label["b"].false_positive_rate == 1 / 5
    assert report.macro_f1 == pytest.approx((0.8 + 0.5 + 0 + 2 / 3) / 4)
    assert report.abstained == 2, "noise that is called noise is no abstention"
    assert report.coverage == pytest.approx(5 / 7)
    assert report.precision == pytest.approx(4 / 5)
    assert report.confused == (("a", "b", 1), ("b", "und", 1), ("c", "zxx", 1))


def test_reliability_counts_labels_given() -> None:
    bins = judged().bins
    assert [(part.low, part.texts, part.right) for part in bins if part.texts] == [
        (0.3, 1, 1),
        (0.8, 1, 0),
        (0.9, 2, 2),
    ]
    assert bins[9].mean_score == pytest.approx(0.95)
    assert judged().calibration_error == pytest.approx((0.7 + 0.85 + 0.1) / 4)
    assert (bins[0].low, bins[-1].high) == (BINS[0], BINS[-1])


def test_no_texts() -> None:
    report = evaluate([], [], saying([], []))
    assert (report.macro_f1, report.coverage, report.precision) == (0, 0, 0)
    assert report.calibration_error == 0


@given(st.lists(st.tuples(*[st.sampled_from(["a", "b", "und", "zxx"])] * 2, st.floats(0, 1))))
def test_counts_add_up_in_any_order(rows: list[tuple[str, str, float]]) -> None:
    labels, answers = [row[0] for row in rows], [row[1] for row in rows]
    scores = [row[2] for row in rows]
    report = evaluate([""] * len(rows), labels, saying(answers, scores))
    assert sum(row.texts for row in report.rows) == len(rows)
    assert sum(part.texts for part in report.bins) == sum(a in "ab" for a in answers)
    assert 0 <= report.macro_f1 <= 1
    back = evaluate([""] * len(rows), labels[::-1], saying(answers[::-1], scores[::-1]))
    assert back == report


@given(st.text("ab ", max_size=200), st.sampled_from([None, 10, 40, 100]))
def test_excerpts_are_within_the_text_and_the_length(text: str, length: int | None) -> None:
    found = excerpt(text, length)
    assert found in text
    assert length is None or len(found) <= length
    assert len(text) <= (length or 200) or len(found) >= (length or 0) // 2


def test_excerpts_do_not_begin_or_end_inside_a_word() -> None:
    text = " ".join(["watu", "wote", "wamezaliwa"] * 30)
    assert set(excerpt(text, 100).split()) == {"watu", "wote", "wamezaliwa"}
    assert len(excerpt("漢" * 200, 40)) == 40


def test_the_identifier_says_what_a_run_says(small_model: BayesModel, tmp_path: Path) -> None:
    path = tmp_path / "model.bayes"
    path.write_bytes(write_bayes_model(small_model))
    model, registry, config = load_model(str(path)), load_registry(), LangidConfig()
    texts = ["watu wote kwa haki", "", "the people"] * 700
    labels, scores = identifier(model, registry, config)(texts)
    found = identify(pa.array(texts[:3], pa.string()), model, registry, config)
    assert list(labels) == found.column("lang").to_pylist() * 700
    assert scores[:3] == pytest.approx(found.column("lang_score").to_numpy())
