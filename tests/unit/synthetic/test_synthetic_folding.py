"""The normal form of the classifier: form goes, words and punctuation stay."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.synthetic.folding import fold

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=120)


def folded(text: str) -> str:
    answer: str = fold(pa.array([text], pa.string()))[0].as_py()
    return answer


CASES = [
    ("Hello, World!", "hello , world !", "case goes, punctuation stands alone"),
    ("one.Two", "one . two", "a missing space after a full stop says nothing"),
    ("a \t b\n\n\nc", "a b c", "white space is one space"),
    ("It’s, it's", "it's , it's", "apostrophes are of one kind"),
    ("“fine” «fine» \"fine\" 'fine'", '" fine " fine " fine " fine', "so are quotation marks"),
    ("wait... wait… wait . . .", "wait … wait … wait …", "and ellipses"),
    ("what?!! no!!", "what ? ! no !", "a repeated mark is one"),
    ("word—word – word-word", "word word word word", "dashes are white space"),
    ("3,000.50 at 10:30", "0 at 0", "a number is a number"),
    ("10 20", "0 0", "two numbers are two"),
    ("It was 10. Then 20.", "it was 0 . then 0 .", "a full stop after a number ends a sentence"),
    ("1. First\n2) Second\n- Third\n* Fourth", "first second third fourth", "list markers go"),
    ("# Title\n**bold** `code` | cell", "title bold code cell", "so does markup"),
    ("See https://a.example/b?c and www.a.example now", "see and now", "and links"),
    ("Write me@there.example or @somebody now", "write me or now", "and addresses"),
    ("http is a word, https too", "http is a word , https too", "a scheme alone is a word"),
    ("ﬁrst ＡＢＣ Größe", "first abc große", "compatibility forms and accents go"),
    ("pаypаl сооl", "paypal cool", "look-alikes go where a word has Latin letters"),
    ("привет, мир", "привет , мир", "other alphabets stay"),
    ("in\u200bvisi\u00adble", "invisible", "what cannot be seen goes"),
    ("你好，世界。", "你 好 , 世 界 .", "an unspaced script has one letter a token"),
    ("🎉 yes 🎉", "yes", "symbols go"),
    ("", "", "nothing"),
    (" \n ", "", "nothing but space"),
    ("a", "a", "one letter"),
]


@pytest.mark.parametrize(("text", "form", "why"), CASES)
def test_form_goes(text: str, form: str, why: str) -> None:
    assert folded(text) == form, why


@settings(deadline=None)
@given(TEXT)
def test_tokens_have_one_space_between(text: str) -> None:
    form = folded(text)
    assert form == " ".join(form.split(" ")) == form.strip()
    assert "  " not in form
    assert "\n" not in form


@settings(deadline=None)
@given(TEXT)
def test_folding_again_changes_no_words(text: str) -> None:
    # Numbers at the start of a line are list markers only once.
    once = [token for token in folded(text).split(" ") if token.isalpha()]
    twice = [token for token in folded(folded(text)).split(" ") if token.isalpha()]
    assert [t for t in twice if t in once] == twice


@settings(deadline=None)
@given(st.lists(TEXT, max_size=6), st.integers(0, 5))
def test_rows_do_not_depend_on_each_other(texts: list[str], skipped: int) -> None:
    column = pa.array(["x", *texts], pa.string()).slice(min(skipped, len(texts) + 1))
    assert fold(column).to_pylist() == [folded(text) for text in column.to_pylist()]


@settings(deadline=None)
@given(TEXT)
def test_result_is_valid_text(text: str) -> None:
    fold(pa.array([text], pa.string())).validate(full=True)
