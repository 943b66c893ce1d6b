"""Word lists: what is counted, and that the lists that ship fit the code."""

from __future__ import annotations

import importlib.resources

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.errors import InputError
from transforms.langid import words
from transforms.langid.labels import canonical
from transforms.langid.prepare import fold
from transforms.langid.tokens import word_hashes
from transforms.langid.words import WordList, WordLists, load_word_lists

LISTS = WordLists(
    [
        WordList("swh_Latn", 1, 0, 0, ("watu", "kila", "haki")),
        WordList("isl_Latn", 1, 0, 0, ("ekki", "það")),
    ]
)


def counted(label: str, *texts: str) -> list[tuple[int, int]]:
    places = np.repeat(LISTS.places([label]), len(texts))
    total, found = LISTS.count(pa.array(texts, pa.string()), places)
    return list(zip(total.tolist(), found.tolist(), strict=True))


def test_words_are_counted_on_the_labels_own_list():
    texts = ("kila watu wote", "ekki kila", "", "haki", "hakika watumwa")
    assert counted("swh_Latn", *texts) == [(3, 2), (2, 1), (0, 0), (1, 1), (2, 0)]
    assert counted("isl_Latn", *texts) == [(3, 0), (2, 1), (0, 0), (1, 0), (2, 0)]


def test_a_label_without_a_list_is_not_counted():
    assert LISTS.places(["eng_Latn", "isl_Latn"]).tolist() == [-1, 1]
    assert counted("eng_Latn", "kila watu") == [(0, 0)]


@settings(deadline=None)
@given(st.lists(st.text("abc漢é ", max_size=20), max_size=5))
def test_counts_are_those_of_a_set(texts: list[str]):
    lists = WordLists([WordList("x", 1, 0, 0, ("a", "ab", "漢", "éa"))])
    total, found = lists.count(pa.array(texts, pa.string()), np.zeros(len(texts), np.int64))
    split = [text.split() for text in texts]
    assert total.tolist() == [len(some) for some in split]
    assert found.tolist() == [sum(w in ("a", "ab", "漢", "éa") for w in some) for some in split]


def test_hashes_are_fnv():
    # The published vectors of FNV-1a, 64 bits.
    hashes = word_hashes(pa.array(["a foobar", "b"], pa.string()))
    assert hashes.tolist() == [0xAF63DC4C8601EC8C, 0x85944171F73967E8, 0xAF63DF4C8601F1A5]


def test_lists_that_ship_are_folded_and_of_known_languages():
    lists = load_word_lists().lists
    assert len(lists) > 300
    for label, one in lists.items():
        assert canonical(label) == label
        assert 0 < one.least <= 10_000
        assert one.miss + one.passes < 10_000, "a test that tells something"
        assert len(set(one.words)) == len(one.words) > 0
    some = [word for one in lists.values() for word in one.words[:20]]
    assert fold(pa.array(some, pa.string())).to_pylist() == some


def test_lists_that_ship_are_small():
    source = importlib.resources.files("transforms.data") / "words.tsv"
    assert len(source.read_bytes()) <= 2_000_000


def test_lists_of_another_preparation_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(words, "PREPARATION", 99)
    load_word_lists.cache_clear()
    with pytest.raises(InputError, match=r"build it again with scripts/build_words\.py"):
        load_word_lists()
    load_word_lists.cache_clear()
