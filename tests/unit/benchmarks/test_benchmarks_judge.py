"""The judge of deduplication, itself held against every pair compared one by one."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.dedup.judge import Found, Texts, Truth, find_truth, judge
from benchmarks.dedup.languages import LANGUAGES, documents
from benchmarks.dedup.structures import STRUCTURES, books, chain
from benchmarks.reference import jaccard, shingles

WORDS = st.lists(st.sampled_from("abcdefgh"), max_size=14)


def truth_of(texts, threshold):
    return find_truth(Texts(texts.__getitem__), len(texts), threshold)


def as_pairs(truth):
    rows = zip(truth.pairs.tolist(), truth.similarity.tolist(), strict=True)
    return {(min(pair), max(pair)): similarity for pair, similarity in rows}


@settings(max_examples=200, deadline=None, database=None)
@given(st.lists(WORDS, max_size=12), st.sampled_from([0.3, 0.5, 0.8, 1.0]))
def test_finds_every_pair_once(lists, threshold):
    texts = [" ".join(words) for words in lists]
    truth = truth_of(texts, threshold)
    sets = list(map(shingles, texts))
    expected = {}
    for a, b in itertools.combinations(range(len(texts)), 2):
        # Without a token, only the same text is a copy.
        similarity = jaccard(sets[a], sets[b]) if sets[a] or sets[b] else 1.0
        if similarity >= threshold:
            expected[a, b] = similarity
    assert as_pairs(truth) == expected
    assert len(truth.pairs) == len(expected)


def test_texts_without_tokens_are_copies_of_equal_ones_only():
    assert as_pairs(truth_of(["…!", "!…", "…! ", "word"], 0.8)) == {(0, 2): 1.0}


def test_scripts_without_spaces_are_told_apart():
    texts = ["人人生而自由在尊严和权利上一律平等", "an ordinary sentence of words", "…"]
    assert truth_of(texts, 0.8).unspaced.tolist() == [True, False, False]


def test_judges_what_was_kept():
    pairs = np.array([[0, 1], [1, 2], [3, 4]])
    truth = Truth(pairs, np.array([0.9, 0.8, 1.0]), np.zeros(6, np.bool_))
    kept = np.array([True, False, True, True, True, False])
    # 1 is near 0 and 2; 5 is near nobody; 3 and 4 were left together.
    assert judge(truth, kept) == Found(pairs=3, hit=2, removed=2, right=1)
    assert judge(truth, kept, np.array([False, False, True])).hit == 0
    # A chain removed as a whole has nobody left to stand for its end.
    assert judge(truth, np.array([True, False, False, True, False, True])).right == 2


@pytest.mark.parametrize("name", sorted(LANGUAGES))
def test_written_texts_have_near_and_far_pairs(name):
    texts = documents(LANGUAGES[name], 30)
    found = truth_of(texts, 0.5).similarity
    assert sum(found == 1.0) >= 6
    assert sum((found > 0.8) & (found < 1.0)) > 8
    assert sum(found < 0.8) > 2
    assert texts == documents(LANGUAGES[name], 30)


def test_a_chain_is_near_its_neighbours_only():
    texts = list(chain(40))
    assert set(as_pairs(truth_of(texts, 0.8))) == set(itertools.pairwise(range(40)))
    with pytest.raises(SystemExit, match="breaks at 1"):
        list(chain(5, step=20))


@pytest.mark.parametrize("name", sorted(STRUCTURES))
def test_structures_are_what_they_say(name):
    _, words, make, expected = STRUCTURES[name]
    texts = list(make(12))
    assert {abs(len(text.split()) - words) <= 1 for text in texts} == {True}
    truth = truth_of(texts, 0.8)
    kept: list[int] = []
    near = as_pairs(truth)
    for row in range(12):
        kept += [] if any((other, row) in near for other in kept) else [row]
    assert len(kept) == expected(12)


def test_headers_take_their_share():
    one, other = (set(text.split()[:200]) for text in itertools.islice(books(2, 0.4), 2))
    assert one == other
