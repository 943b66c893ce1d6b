"""What the run says of each label, worked out by hand."""

from __future__ import annotations

import statistics
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_langid_verdict import columns

from transforms.langid import policy
from transforms.langid.config import LangidConfig
from transforms.langid.rates import Rates, load_rates, precision, rogan_gladen
from transforms.langid.words import load_word_lists
from transforms.staging.survey.decisions import Policy, decide_rows

CONFIG = LangidConfig()


def decided(*rows: dict[str, Any], **given_: Any) -> dict[str, dict[str, Any]]:
    config = LangidConfig(**{"enough_score": 0.9, **given_})
    batch = pa.record_batch(columns(*rows))
    one = Policy(
        "x", policy.KEYS, policy.READS, lambda table: policy.count(table, config),
        lambda counted: policy.decide(counted, config), (), lambda table, _: table,
    )  # fmt: skip
    table = decide_rows([batch], one)["x"]
    assert table.schema == policy.DECISION
    return {row["label"]: row for row in table.to_pylist()}


def scores(*values: float, **more: Any) -> list[dict[str, Any]]:
    return [{"lang_score": value} | more for value in values]


@pytest.mark.parametrize(
    ("values", "least", "why"),
    [
        ((0.95, 0.97, 0.96, 0.99), 0.9, "sure scores: what is enough for any"),
        ((0.1, 0.2, 0.9), 0.5, "wild scores: what any needs"),
        ((0.75,), 0.75, "one document: its own score, in hundredths"),
        ((0.6, 0.6, 0.8), 0.51, "the median .605 less a deviation of .094, in hundredths"),
    ],
)
def test_the_least_score_is_the_median_less_a_deviation(
    values: tuple[float, ...], least: float, why: str
):
    assert decided(*scores(*values))["swh_Latn"]["least_score"] == round(least * 10_000), why


@settings(deadline=None, max_examples=50)
@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=40))
def test_the_least_score_is_near_the_formula_in_floats(values: list[int]):
    found = decided(*scores(*(v / 10_000 for v in values)))["swh_Latn"]["least_score"] / 10_000
    exact = statistics.median_low(values) / 10_000 - statistics.pstdev(values) / 10_000
    assert found == pytest.approx(max(0.5, min(0.9, exact)), abs=0.0201)
    assert 3000 <= round(found * 10_000) <= 9000


def test_a_threshold_that_is_set_is_not_computed():
    rows = scores(0.95, 0.97)
    assert decided(*rows, thresholds={"swh": 0.5})["swh_Latn"]["least_score"] == 5000
    assert (
        decided(*rows, thresholds={"swh": 0.5, "swh_Latn": 0.951})["swh_Latn"] | {}
        == decided(*rows, thresholds={"swh_Latn": 0.96})["swh_Latn"]
    )


def test_every_document_with_language_is_counted_once():
    rows = [
        *scores(0.95, 0.95, 0.95), *scores(0.4), *scores(0.95, script_share=0.1),
        *scores(0.95, lang_margin=0.0), *scores(0.9, lang_other="eng_Latn", lang_other_score=0.9),
        *scores(0.9, lang_best="zxx"), *scores(0.9, lang_best="eng_Latn"),
    ]  # fmt: skip
    found = decided(*rows, min_margin=0.1)
    assert set(found) == {"swh_Latn", "eng_Latn"}
    swahili = found["swh_Latn"]
    names = ("mixed", "accepted", "other_script", "below_score", "small_margin", "without_words")
    assert [swahili[name] for name in names] == [1, 3, 1, 1, 1, 0]
    assert swahili["documents"] == 7


def test_words_are_required_where_most_texts_fail_them():
    listed = load_word_lists().lists["isl_Latn"]
    good, bad = ({"lang_best": "isl_Latn", "lang_words": share} for share in (0.5, 0.0))
    found = decided(*([good] * 3 + [bad] * 7))["isl_Latn"]
    assert (found["tested"], found["failed"], found["words_required"]) == (10, 7, True)
    assert found["least_words"] == listed.least
    assert (found["accepted"], found["without_words"]) == (3, 7)
    miss, passes = Fraction(listed.miss, 10_000), Fraction(listed.passes, 10_000)
    exact = (Fraction(7, 10) - miss) / (1 - passes - miss)
    assert found["contamination"] == round(exact * 10_000)
    assert found["contamination_left"] < 500 < found["contamination"]


def test_words_are_not_required_where_few_fail_or_the_language_is_no_tail():
    few = [{"lang_best": "isl_Latn", "lang_words": share} for share in (0.5,) * 19 + (0.0,)]
    assert not decided(*few)["isl_Latn"]["words_required"]
    head = [{"lang_best": "deu_Latn", "lang_words": 0.0}] * 9
    assert not decided(*head)["deu_Latn"]["words_required"]
    assert decided(*head, tail={"deu": True})["deu_Latn"]["words_required"]
    assert not decided(*head, tail={"deu": True}, max_contamination=1.0)["deu_Latn"][
        "words_required"
    ]


def test_a_label_without_a_list_is_unknown():
    found = decided({"lang_best": "khm_Khmr", "script": "Khmr"})["khm_Khmr"]
    assert found["contamination"] is found["contamination_left"] is None


def test_rows_follow_the_decision():
    rows = [
        {"lang_best": "isl_Latn", "lang_words": 0.5, "lang_score": 0.95},
        {"lang_best": "isl_Latn", "lang_words": 0.0, "lang_score": 0.95},
        {"lang_best": "isl_Latn", "lang_words": 0.5, "lang_score": 0.5},
        {"lang_best": "eng_Latn", "lang_score": 0.95},
        {"lang_best": "sme_Latn", "lang_score": 0.95},
    ]
    table = pa.table(columns(*rows)).append_column("lang", pa.array(["x"] * 5))
    table = table.append_column("mixed", pa.array([True] * 5)).append_column(
        "tail", pa.array([True] * 5)
    )
    decision = pa.table(
        {"label": ["isl_Latn", "eng_Latn"], "least_score": [9000, 5000], "least_words": [300, 0]}
    )  # fmt: skip
    found = policy.apply(table, decision, CONFIG)
    # Nobody decided on Sami: such a label is not accepted.
    assert found.column("lang").to_pylist() == ["isl_Latn", "und", "und", "eng_Latn", "und"]
    assert found.column("tail").to_pylist() == [True, False, False, False, False]
    assert found.column("mixed").to_pylist() == [False] * 5
    assert found.schema.names == table.schema.names


@pytest.mark.parametrize(
    ("positive", "sensitivity", "false", "expected", "why"),
    [
        (0.5, 1, 0, 0.5, "a perfect test"),
        (0.1, 0.9, 0.1, 0, "only false alarms"),
        (0.9, 0.9, 0.1, 1, "everything"),
        (0.05, 0.9, 0.1, 0, "fewer than false alarms alone would be"),
        (0.5, 0.9, 0.1, 0.5, "half way"),
        (0.4, 0.3, 0.3, 0.4, "a test that tells nothing is taken by its word"),
    ],
)
def test_rogan_gladen(positive: float, sensitivity: float, false: float, expected: float, why: str):
    exact = [Fraction(str(value)) for value in (positive, sensitivity, false)]
    assert rogan_gladen(*exact) == Fraction(str(expected)), why


def test_precision_falls_with_prevalence():
    rates = Rates(tested=100, right=95, others=10_000, wrong=10)
    common, rare, rarest = (precision(n, 1_000_000, rates) for n in (500_000, 3_000, 500))
    assert common > Fraction(99, 100)
    assert Fraction(1, 2) < rare < Fraction(3, 4)
    assert rarest == 0, "fewer than the errors of others would make"


@given(st.integers(1, 1000), st.integers(0, 1000), st.integers(0, 50), st.integers(0, 50))
def test_precision_is_a_share(labelled: int, more: int, right: int, wrong: int):
    assert 0 <= precision(labelled, labelled + more, Rates(50, right, 900, wrong)) <= 1


def test_rates_are_of_labels_that_the_registry_knows():
    rates = load_rates()
    assert len(rates) > 400
    assert all(one.right <= one.tested and one.wrong <= one.others for one in rates.values())
