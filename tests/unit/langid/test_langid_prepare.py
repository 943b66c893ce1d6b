import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.langid.prepare import WHOLE, excerpts, fold

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


def halves(text: str, max_chars: int) -> tuple[str, str]:
    head, tail = excerpts(pa.array([text], pa.string()), max_chars)
    head.validate(full=True)
    tail.validate(full=True)
    return head[0].as_py(), tail[0].as_py()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=WHOLE), st.integers(0, 400))
def test_a_short_text_is_its_own_excerpt(text: str, more: int) -> None:
    assert halves(text, WHOLE + more) == (text, "")


@given(
    st.text("aé漢😀 ", min_size=1, max_size=30),
    st.integers(1, 100),
    st.integers(20, 800).map(lambda n: 2 * n),
)
def test_excerpts_are_parts_of_the_text_within_the_limit(unit: str, times: int, limit: int) -> None:
    text = unit * times
    head, tail = halves(text, limit)
    assert head in text
    assert tail in text
    assert len(head) + len(tail) <= limit
    if len(text) > limit:
        assert head or tail


def test_a_text_within_the_limit_is_cut_in_its_middle_without_loss() -> None:
    text = "word " * 100
    head, tail = halves(text, 600)
    assert head + tail == text
    assert head.endswith(" ")


def test_excerpts_of_a_long_text_come_from_both_halves() -> None:
    text = "a" * 10_000 + "b" * 10_000
    assert halves(text, 600) == ("a" * 300, "b" * 300)


def test_excerpts_start_after_a_space_when_one_is_near() -> None:
    head, tail = halves("words " * 2000, 600)
    assert head.startswith("words")
    assert tail.startswith("words")


def test_excerpts_do_not_depend_on_the_batch() -> None:
    texts = pa.array(["x " * 900, "", "é" * 1000, "漢字" * 700, "y"], pa.string())
    heads, tails = excerpts(texts, 600)
    for row, text in enumerate(texts.to_pylist()):
        assert halves(text, 600) == (heads[row].as_py(), tails[row].as_py())
    part, _ = excerpts(texts.slice(2, 2), 600)
    assert part.equals(heads.slice(2, 2))


def test_no_texts() -> None:
    empty = pa.array([], pa.string())
    assert [len(part) for part in excerpts(empty, 600)] == [0, 0]
    assert len(fold(empty)) == 0
