import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.langid.prepare import fold

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


def folded(text: str) -> str:
    return fold(pa.array([text], pa.string()))[0].as_py()


@pytest.mark.parametrize(
    ("text", "expected", "why"),
    [
        ("", "", "nothing"),
        ("  A\n\tb\u00a0c\u3000 ", "a b c", "white space of every kind is one space"),
        ("Café", "cafe\u0301", "accents apart"),
        ("Hello, World! (yes)", "hello world yes", "sentence punctuation parts words"),
        ("don't re-use ‘okina", "don't re-use ‘okina", "apostrophes and hyphens are letters' kin"),
        ("in 1984 and x86", "in 0 and x0", "runs of digits are one zero"),
        ("see https://a.example/b?c=d or mail me@b.example now", "see or mail now", "links go"),
        ("www.example.org", "", "only a link"),
        ("你好，世界abc", "你 好 世 界 abc", "Han characters are words"),
        ("かな漢字", "かな 漢 字", "Kana is not"),
        ("a\ue000b\ufffdc\x00d", "a b c d", "private use, replacement, NUL"),
        ("if (x >= 2) { y[0] = 1; }", "if x >= 0 { y[0] = 0 }", "what tells code stays"),
        ("می‌خواهم", "می‌خواهم", "zero-width non-joiner is spelling"),
    ],
)
def test_fold(text: str, expected: str, why: str) -> None:
    assert folded(text) == expected, why


@given(TEXT)
def test_folded_text_is_words_parted_by_single_spaces(text: str) -> None:
    found = folded(text)
    assert found == found.strip(" ")
    assert "  " not in found
    assert "\n" not in found


@given(TEXT)
def test_canonically_equal_texts_fold_alike(text: str) -> None:
    # Compared without case: lower-casing goes by code points, and some exist only composed.
    decomposed = unicodedata.normalize("NFD", text)
    composed = unicodedata.normalize("NFC", text)
    assert folded(decomposed) == folded(composed)


def test_no_texts() -> None:
    assert len(fold(pa.array([], pa.string()))) == 0
