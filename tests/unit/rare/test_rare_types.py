"""What counts as a type, against a reference that reads Unicode's names and categories."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rare_reference import SCRIPTS, types

from transforms.rare.local import LocalTypes

PIECES = ["the", "CAT", "sat", "7", " ", " ", ", ", "-", "_", "/", "\n", "ﬁ", "２", "é", "e\u0301"]
PIECES += ["人", "権", "データ", "が", "ー", "น้ำ", "กั", "๓", "ลา", "كتاب", "ـ", "हिन्दी", "한글"]
PIECES += ["\u0301", "ß", "мир", "ёж", "x" * 31, "@", "'", "’", "\u200d"]
TEXT = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)
LANG = st.sampled_from([f"xxx_{script}" for script in SCRIPTS])


def hashes(documents: list[tuple[str, str]]) -> list[set[int]]:
    """The hashes of each document's types, each counted as if it were alone."""
    found = []
    for text, lang in documents:
        one = LocalTypes()
        held = one.add(pa.array([text]), pa.array([lang]), np.zeros(1, np.uint64))
        rare = set(one.rare()[0].tolist())
        assert held.tolist() == [len(rare)]
        found.append(rare)
    return found


@pytest.mark.parametrize(
    ("text", "lang", "expected"),
    [
        ("The cat, the CAT", "eng_Latn", {"the", "cat"}),
        ("a I x", "eng_Latn", set()),  # single letters
        ("room 101, covid19, 1st", "eng_Latn", {"room"}),  # a digit makes an id
        ("don't well-known", "eng_Latn", {"don", "well", "known"}),
        ("snake_case a/b/cd me@site <div>", "eng_Latn", set()),  # code and markup
        ("see www.example.com", "eng_Latn", {"see", "www", "example", "com"}),  # like joined text
        ("Wort слово", "deu_Latn", {"wort"}),  # words of another script
        ("Wort слово", "rus_Cyrl", {"слово"}),
        ("латinица", "rus_Cyrl", set()),  # and words of two
        ("x" * 32 + " " + "y" * 33, "eng_Latn", {"x" * 32}),
        ("हिन्दी भाषा", "hin_Deva", {"हिन्दी", "भाषा"}),
        ("人人生而。自由", "cmn_Hans", {"人人", "人生", "生而", "自由"}),
        ("人。生 Wort", "cmn_Hans", set()),  # one character is no type
        ("データの", "jpn_Jpan", {"デー", "ータ", "タの"}),
        ("กขคงจ กข", "tha_Thai", {"กขคง", "ขคงจ", "กข"}),  # sounds, and a short stretch
        ("한글 자유", "kor_Hang", {"한글", "자유"}),
    ],
)
def test_what_a_type_is(text: str, lang: str, expected: set[str]):
    assert types(text, lang) == {(token, lang) for token in expected}
    assert len(hashes([(text, lang)])[0]) == len(expected)


@given(st.lists(st.tuples(TEXT, LANG), min_size=1, max_size=4))
def test_types_are_those_of_the_definition(documents: list[tuple[str, str]]):
    found, wanted = hashes(documents), [types(text, lang) for text, lang in documents]
    assert [len(one) for one in found] == [len(one) for one in wanted]
    for i, j in itertools.combinations(range(len(documents)), 2):
        assert len(found[i] & found[j]) == len(wanted[i] & wanted[j]), (documents[i], documents[j])


def test_one_string_in_two_languages_is_two_types():
    english, german = hashes([("hand in hand", "eng_Latn"), ("hand in hand", "deu_Latn")])
    assert len(english) == len(german) == 2
    assert not english & german


def test_a_language_whose_script_nobody_knows_has_no_types():
    assert hashes([("some words", "und"), ("some words", "xxx_Qaaa")]) == [set(), set()]
