"""From scores to a label: what fails is `und`, never a guess."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.langid.config import LangidConfig
from transforms.langid.registry import load_registry
from transforms.langid.verdict import READS, by_row_alone, fixed, mark, verdict
from transforms.records import LANGUAGE

GOOD: dict[str, Any] = {
    "lang_best": "swh_Latn",
    "lang_score": 0.8,
    "lang_margin": 0.5,
    "script": "Latn",
    "script_share": 1.0,
    "lang_other": None,
    "lang_other_score": None,
    "lang_words": None,
}


def columns(*rows: dict[str, Any]) -> dict[str, pa.Array]:
    filled = [GOOD | row for row in rows]
    return {n: pa.array([row[n] for row in filled], LANGUAGE.field(n).type) for n in READS}


def said(
    row: dict[str, Any], least: float = 0.3, words: int = 0, **settings: Any
) -> tuple[str, bool]:
    config = LangidConfig(**settings)
    marks = mark(columns(row), config)
    ones = np.ones(len(marks.labels), np.int64)
    lang, mixed = verdict(marks, round(least * 10_000) * ones, words * ones, config)
    return lang[0].as_py(), bool(mixed[0])


FOREIGN = {"lang_other": "eng_Latn", "lang_other_score": 0.9}


@pytest.mark.parametrize(
    ("row", "how", "lang", "mixed", "why"),
    [
        ({}, {}, "swh_Latn", False, "nothing speaks against it"),
        ({"lang_score": 0.3}, {}, "swh_Latn", False, "just enough"),
        ({"lang_score": 0.2999}, {}, "und", False, "just not enough"),
        ({}, {"least": 0.81}, "und", False, "the run asks for more"),
        ({"script_share": 0.4999}, {}, "und", False, "the letters are another script's"),
        ({"script_share": 0.5}, {}, "swh_Latn", False, "half of the letters are its script's"),
        ({"script_share": 0.6}, {"min_script_share": 0.7}, "und", False, "by configuration"),
        ({"lang_margin": 0.1}, {"min_margin": 0.2}, "und", False, "too close to the second"),
        ({"lang_margin": None}, {"min_margin": 0.2}, "swh_Latn", False, "there is no second"),
        ({"lang_words": 0.02}, {"words": 200}, "swh_Latn", False, "words prove it"),
        ({"lang_words": 0.0199}, {"words": 200}, "und", False, "too few of its words"),
        ({"lang_words": None}, {"words": 1}, "und", False, "untested is not passed"),
        ({"lang_words": 0.0}, {}, "swh_Latn", False, "no words are asked for"),
        ({"lang_best": "zxx"}, {}, "zxx", False, "the model sees no language"),
        ({"lang_best": None, "script": None}, {}, "zxx", False, "nothing to read"),
        ({"lang_best": None}, {}, "und", False, "too few letters to read"),
        ({"script": None}, {}, "zxx", False, "a label without a letter"),
        (FOREIGN, {}, "swh_Latn", True, "a segment is surely in English"),
        (FOREIGN | {"lang_score": 0.4}, {"least": 0.9}, "swh_Latn", True, "a mean over both"),
        (FOREIGN | {"lang_score": 0.25}, {}, "swh_Latn", True, "half the least of any label"),
        (FOREIGN | {"lang_score": 0.2499}, {}, "und", False, "below half the least of any label"),
        (FOREIGN | {"lang_other_score": 0.84}, {}, "swh_Latn", False, "not sure of the other"),
        ({"lang_best": "bos_Latn", "lang_other": "hrv_Latn", "lang_other_score": 0.99}, {},
         "bos_Latn", False, "members of one macrolanguage"),
        ({"lang_best": "srp_Latn", "lang_other": "srp_Cyrl", "lang_other_score": 0.99}, {},
         "srp_Latn", False, "one language in two scripts"),
    ],
)  # fmt: skip
def test_verdicts(row: dict[str, Any], how: dict[str, Any], lang: str, mixed: bool, why: str):
    assert said(row, **how) == (lang, mixed), why


def test_what_is_staged_follows_no_setting_but_the_registry():
    rows = ({}, {"lang_best": "eng_Latn"}, FOREIGN, {"lang_score": 0.1}, {"lang_best": "zxx"})
    found = by_row_alone(columns(*rows), load_registry())
    assert found["lang"].to_pylist() == ["swh_Latn", "eng_Latn", "swh_Latn", "und", "zxx"]
    assert found["mixed"].to_pylist() == [False, False, True, False, False]
    assert found["tail"].to_pylist() == [True, False, False, False, False]


def test_no_rows():
    found = by_row_alone(columns(), load_registry())
    assert [(name, len(column)) for name, column in found.items()] == [
        ("lang", 0), ("mixed", 0), ("tail", 0),
    ]  # fmt: skip


@given(st.lists(st.integers(0, 10_000)))
def test_fixed_point_survives_single_precision(values: list[int]):
    stored = pa.array(np.array(values, np.int64) / 10_000, pa.float32())
    assert fixed(stored).tolist() == values


ROWS = st.fixed_dictionaries(
    {
        "lang_best": st.sampled_from(["swh_Latn", "eng_Latn", "zxx", None]),
        "lang_score": st.sampled_from([0.0, 0.3, 0.5, 1.0]),
        "script": st.sampled_from(["Latn", None]),
        "script_share": st.sampled_from([0.0, 0.5, 1.0]),
        "lang_other": st.sampled_from(["isl_Latn", "swh_Latn"]),
        "lang_other_score": st.sampled_from([0.1, 0.9]),
        "lang_words": st.sampled_from([None, 0.0, 0.5]),
    }
)


@given(st.lists(ROWS, max_size=6))
def test_a_label_is_the_best_one_or_none(rows: list[dict[str, Any]]):
    found = by_row_alone(columns(*rows), load_registry())
    for row, lang, mixed, tail in zip(rows, *(found[n].to_pylist() for n in found), strict=True):
        assert lang in (row["lang_best"], "und", "zxx")
        assert tail <= (lang == "swh_Latn" and not mixed)
        assert mixed <= (lang not in ("und", "zxx"))
