"""Words: tokens, windows, evidence, and the training of their table."""

from __future__ import annotations

import gzip
import json
import math
import pathlib
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.errors import InputError
from transforms.synthetic.labelled import Labelled, fold_of, read_labelled
from transforms.synthetic.words import WINDOW, WordTable, load_words, presence
from transforms.synthetic.words_train import train_words


def table(base: int = -5, **words: int) -> WordTable:
    given_ = {"languages": {"eng_Latn": {"base": base, "words": words}}}
    return WordTable.from_json(json.dumps(given_).encode(), "a table")


def score(made: WordTable, *texts: str, lang: str = "eng_Latn") -> list[int | None]:
    column = pa.array(texts, pa.string())
    return made.score(column, pa.array([lang] * len(texts), pa.string())).to_pylist()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("The cat's hat, 2 hats!", {"the", "cat", "s", "hat", "2", "hats"}),
        ("Größe — “Äpfel”", {"größe", "äpfel"}),  # punctuation of more than one byte
        ("Привет, мир", {"привет", "мир"}),
        ("今天天气，好", {"今天", "天天", "天气"}),  # neighbours, not across punctuation
        ("我用play店", {"我用", "play"}),
        ("नमस्ते दुनिया", {"नमस्ते", "दुनिया"}),  # marks stay in their word
        ("a😀b", {"a", "b"}),
        ("", set()),
    ],
)
def test_tokens(text: str, tokens: set[str]):
    # Long enough for a window; the tokens of interest come first.
    (windows,) = presence([f"{text} " + "x " * WINDOW])
    assert windows[0] - {"x"} == tokens if tokens else windows[0] == {"x"}


def test_a_word_counts_once_a_window_and_windows_are_averaged():
    made = table(base=-5, delve=900)
    filler = "x " * (WINDOW - 2)
    assert score(made, f"delve Delve {filler}") == [895]
    # A second window without the word: (895 - 5) / 2.
    assert score(made, f"delve delve {filler}" + "x " * WINDOW) == [445]
    # Two windows with it.
    assert score(made, f"delve x {filler}delve x {filler}") == [895]


def test_short_texts_and_other_languages_have_no_score():
    made = table(delve=900)
    assert score(made, "x " * 15, "x " * 16, "") == [None, -5, None]
    assert score(made, "x " * 40, lang="deu_Latn") == [None]
    assert score(made) == []
    # A rest of fewer than 16 tokens is no window.
    assert score(made, "x " * WINDOW + "delve " * 15) == [-5]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=120), max_size=6))
def test_the_kernel_agrees_with_plain_python(texts: list[str]):
    words = {"the": 300, "a": -200, "of": 77, "и": 500, "的一": 650}
    made = table(base=-11, **words)
    texts = [text + " the a of и 的一 b" * 4 for text in texts]
    expected = []
    for windows in presence(text.lower() for text in texts):
        sums = [-11 + sum(words.get(word, 0) for word in window) for window in windows]
        expected.append(math.floor(sum(sums) / len(sums)) if sums else None)
    lower = [text.lower() for text in texts]
    if all(pa.compute.utf8_lower(pa.array([t]))[0].as_py() == t for t in lower):
        assert score(made, *lower) == expected


def test_rows_do_not_depend_on_their_batch():
    made = load_words()
    texts = ["Furthermore, it delves into the intricate tapestry of life. " * k for k in (1, 3, 9)]
    column, lang = pa.array(["", *texts, "x"]), pa.array(["eng_Latn"] * 5)
    inner = made.score(column.slice(1, 3), lang.slice(1, 3)).to_pylist()
    assert inner == [value for text in texts for value in score(made, text)]


def test_what_ships_knows_the_favourites_of_chat_systems():
    made = load_words()
    (machine,) = score(
        made, "A testament to the vibrant and intricate tapestry of resilience. " * 4
    )
    (human,) = score(made, "He said he got back at ten past six and it was raining again. " * 4)
    assert machine is not None
    assert human is not None
    assert machine > 1000 > human


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b'{"languages": {"x": {}}}', b'{"languages": {"x": {"base": 1, "words": [1]}}}'],
)
def test_what_is_no_table_is_refused(data: bytes):
    with pytest.raises(InputError, match="a file is no table of words"):
        WordTable.from_json(data, "a file")


def test_too_many_words_are_refused():
    with pytest.raises(InputError, match="more than"):
        table(**{f"w{i}": 1 for i in range(3000)})


def write(path: pathlib.Path, rows: list[dict[str, Any]]) -> pathlib.Path:
    data = "\n".join(json.dumps(row) for row in rows).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def labelled(text: str, label: str, **more: str) -> dict[str, Any]:
    return {"text": text, "label": label, "lang": "eng_Latn"} | more


def test_reading_labelled_texts(tmp_path: pathlib.Path):
    path = write(
        tmp_path / "set.v1.jsonl.gz",
        [
            labelled("a", "human"),
            labelled("b", "machine", generator="bot"),
            labelled("c", "mixed"),
            labelled("d", "machine", generator="gpt2-xl"),  # continues, and was never tuned
        ],
    )
    found = list(read_labelled([path]))
    assert found == [
        Labelled("a", "eng_Latn", False, "set", "unknown"),
        Labelled("b", "eng_Latn", True, "set", "bot"),
    ]
    assert [text.kind for text in found] == ["set", "set/bot"]
    plain = write(tmp_path / "plain.jsonl", [{"text": "x", "lang": "swh_Latn"}])
    assert [text.machine for text in read_labelled([plain], "machine")] == [True]


@pytest.mark.parametrize(
    "row", [{"text": "x"}, {"text": "x", "label": "human", "lang": "english"}, ["x"]]
)
def test_lines_that_are_no_labelled_text_are_named(tmp_path: pathlib.Path, row: Any):
    path = write(tmp_path / "bad.jsonl", [labelled("x", "human"), row])
    with pytest.raises(InputError, match=r"bad.jsonl, line 2: .*label \(human or machine\)"):
        list(read_labelled([path]))


def texts_of(source: str, favourite: str, topic: tuple[str, str]) -> list[Labelled]:
    """Human and machine texts: a favourite word of the machine's, and a topic of each side."""
    made = []
    for k in range(60):
        filler = " ".join(f"w{(k * 7 + i) % 50}" for i in range(60))
        made.append(Labelled(f"{topic[0]} {filler} {k}", "eng_Latn", False, source, "human"))
        made.append(Labelled(f"{favourite} {topic[1]} {filler} {k}", "eng_Latn", True, source, "b"))
    return made


def test_training_learns_what_sets_agree_on(tmp_path: pathlib.Path):
    texts = [
        *texts_of("one", "delve", ("river", "stone")),
        *texts_of("two", "delve", ("stone", "river")),
    ]
    out = tmp_path / "words.json"
    assert train_words(texts, out)["eng_Latn"] > 0
    words = json.loads(out.read_bytes())["languages"]["eng_Latn"]["words"]
    assert words["delve"] > 500
    # A topic that changes sides from set to set is no evidence.
    assert "river" not in words
    assert "stone" not in words
    again = tmp_path / "again.json"
    train_words(texts[::-1], again)
    assert again.read_bytes() == out.read_bytes()
    made = load_words(str(out))
    assert score(made, "delve " + "w1 w2 " * 16)[0] > score(made, "w3 " + "w1 w2 " * 16)[0]  # type: ignore[operator]


def test_training_without_both_kinds_is_refused(tmp_path: pathlib.Path):
    human = [text for text in texts_of("one", "x", ("a", "b")) if not text.machine]
    with pytest.raises(InputError, match="no language"):
        train_words(human, tmp_path / "words.json")


def test_halves_do_not_depend_on_what_else_is_read():
    halves = [fold_of(f"text {k}") for k in range(400)]
    assert set(halves) == {0, 1}
    assert 150 < sum(halves) < 250
