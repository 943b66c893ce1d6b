"""The normal form, on which exact copies are found."""

import unicodedata

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from transforms.dedup.fingerprint import text_hashes
from transforms.dedup.normalize import fold_space, letters, normal_form

TRICKY = st.sampled_from(
    "aZ09 \t\n\x1c\x85\xa0\u2028\u3000\u200b\x00"  # white space of all kinds, and none
    "ßİIıΣσς"  # lower case that depends on context or changes length
    "ﬁ㍍ｶﾞ２½Å"  # compatibility forms
    "e\u0301\u0323\u0345\u093c"  # marks that compose and reorder
    "\u1100\u1161\u11a8한가"  # Hangul, apart and together
    "שׁלאلإ𝔘😀"
)
TEXTS = st.lists(st.text() | st.text(TRICKY, max_size=12), max_size=8)


def expected(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("", ""),
        (" \t\n ", ""),
        ("  The  Cat\r\nsat ", "the cat sat"),
        ("a\xa0b\u2028c\u3000d\u2009e\x85f\x1fg", "a b c d e f g"),
        ("a\u200bb\ufeffc", "a\u200bb\ufeffc"),  # zero width is no white space
        ("\xa0lead", "lead"),  # NFKC makes a plain space of it, at the end of the text
        ("a\x00b \x00", "a\x00b \x00"),
        ("ﬁne ﬃ", "fine ffi"),
        ("Ｆｕｌｌ　Ｗｉｄｔｈ", "full width"),
        ("ΟΔΟΣ ΣΟΦΟΣ", "οδος σοφος"),  # final sigma
        ("cafe\u0301", "caf\xe9"),
        ("\u1112\u1161\u11ab\u1100\u1173\u11af", "한글"),
        ("ｶﾞ", "ガ"),
        ("q\u0307\u0323", "q\u0323\u0307"),  # marks in canonical order
        ("İ", "i\u0307"),
        ("x\u00b4y", "x \u0301y"),  # a spacing accent decomposes to a space and a mark
    ],
)
def test_table(text, normal):
    assert expected(text) == normal
    assert normal_form(pa.array([text])).to_pylist() == [normal]


@settings(max_examples=300, deadline=None, database=None)
@given(TEXTS)
@example(["plain", "naïve", "", " ASCII  again "])
def test_is_what_python_makes_of_the_text(texts):
    assert normal_form(pa.array(texts, pa.string())).to_pylist() == [expected(t) for t in texts]


@settings(max_examples=100, deadline=None, database=None)
@given(TEXTS, st.integers(0, 8), st.integers(0, 8))
def test_of_a_slice_is_the_slice_of_the_whole(texts, offset, length):
    part = pa.array(texts, pa.string()).slice(min(offset, len(texts)), length)
    assert normal_form(part).to_pylist() == [expected(t) for t in part.to_pylist()]
    assert fold_space(part).to_pylist() == [" ".join(t.split()) for t in part.to_pylist()]
    alone = pa.array(part.to_pylist(), pa.string())
    assert text_hashes(part).equals(text_hashes(alone))


@pytest.mark.parametrize(
    "empty",
    [
        pa.array([], pa.string()),
        pa.array(["gone"]).slice(1),
        pa.array(["é", "gone"]).slice(1, 0),
    ],
    ids=["made empty", "end of ASCII", "middle"],
)
def test_nothing_gives_nothing(empty):
    for function in (letters, fold_space, normal_form, text_hashes):
        assert function(empty).to_pylist() == []


def test_leaves_white_space_for_the_tokenizer():
    # Positions must not move before shingling: letters() alone does not fold.
    assert letters(pa.array(["A \t B\u3000"])).to_pylist() == ["a \t b "]


def test_keeps_what_is_long():
    text = "ＡB\u3000 " * 50_000
    assert normal_form(pa.array([text, "x"])).to_pylist() == [expected(text), "x"]


@settings(max_examples=100, deadline=None, database=None)
@given(st.text(TRICKY, max_size=20), st.sampled_from(" \t\n\u2028\u3000"))
def test_copies_that_differ_in_space_have_one_hash(text, space):
    folded = expected(text)
    spaced = space + folded.replace(" ", space * 2) + space
    one, other = text_hashes(pa.array([folded, spaced])).to_pylist()
    assert len(one) == 16
    assert one == other
