"""Tokens and shingles, against a reference that reads Unicode's names and categories."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from dedup_reference import SAMPLES, shingles, similarity, tokens
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.dedup.shingles import jaccard, shingle_sets

# Words and separators of every kind, so that random texts share shingles.
PIECES = [
    "the",
    "CAT",
    "sat",
    "on",
    "7",
    " ",
    " ",
    ", ",
    "-",
    "_",
    "\n",
    "\u200d",
    "が",
    "か\u3099",
]
PIECES += ["人", "権", "データ", "ー", "น้ำ", "ก", "๓", "ລາວ", "ខ្មែរ", "မြန်", "བོད་", "كتاب", "ـ"]
PIECES += ["हिन्दी", "한", "\u1112\u1161", "\u0301", "\u0e31", "ﬁ", "２", "½", "é", "e\u0301", "ß"]
TEXT = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)


def sets(texts: list[str], n: int) -> list[set[int]]:
    return [set(values) for values in shingle_sets(pa.array(texts, pa.string()), n).to_pylist()]


def pairs_agree(texts: list[str], n: int) -> None:
    found, wanted = sets(texts, n), [shingles(text, n) for text in texts]
    assert [len(s) for s in found] == [len(s) for s in wanted]
    for i, j in itertools.combinations(range(len(texts)), 2):
        assert len(found[i] & found[j]) == len(wanted[i] & wanted[j]), (texts[i], texts[j])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't stop", ["don", "t", "stop"]),
        ("x_y 3.11", ["x", "y", "3", "11"]),
        ("人生7年", ["人", "生", "7", "年"]),  # a digit beside Han is a token, not joined
        ("abc人def", ["abc", "人", "def"]),
        ("น้ำ", ["น\u0e49\u0e4d", "า"]),  # NFKC parts sara am; the mark stays with its letter
        ("١٢٣ كتاب", ["١٢٣", "كتاب"]),
        ("أحرارًا", ["أحرارًا"]),  # marks do not break Arabic words
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),  # nor those of Hindi
        ("한글 자유", ["한글", "자유"]),  # Korean writes spaces
        ("\u0301 x", ["\u0301", "x"]),  # a mark without a letter begins a run
        ("\u0301x", ["\u0301x"]),
        ("か\u3099き", ["が", "き"]),
        ("ー・々", ["ー", "々"]),
        ("!? ...\u200b", []),
    ],
)
def test_reference_reads_the_definition_as_we_do(text, expected):
    # The reference is only worth something if its own reading is pinned down.
    assert tokens(text) == expected
    whole, joined = sets([text, " ".join(expected)], 1)
    assert whole == joined
    assert len(whole) == len(set(expected))


@pytest.mark.parametrize("script", SAMPLES)
@pytest.mark.parametrize("n", [1, 2, 5])
def test_each_script_shingles_as_the_reference_does(script, n):
    text = SAMPLES[script]
    words = tokens(text)
    variants = [text, text.upper(), text[: len(text) // 2], text[len(text) // 3 :]]
    variants += [" ".join(words), " ".join(words[:4]), "".join(reversed(text)), text + " " + text]
    pairs_agree([*variants, *SAMPLES.values()], n)


@settings(max_examples=150, deadline=None, database=None)
@given(st.lists(TEXT, min_size=1, max_size=4), st.integers(1, 7))
def test_random_texts_agree_pair_by_pair(texts, n):
    pairs_agree(texts, n)


@settings(max_examples=60, deadline=None, database=None)
@given(st.lists(TEXT, max_size=6), st.integers(0, 6), st.integers(0, 6))
def test_of_a_slice_is_the_slice_of_the_whole(texts, offset, length):
    offset = min(offset, len(texts))
    whole = shingle_sets(pa.array(texts, pa.string()), 3)
    part = shingle_sets(pa.array(texts, pa.string()).slice(offset, length), 3)
    assert part.to_pylist() == whole.slice(offset, length).to_pylist()


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", 0),
        ("… — !", 0),
        ("one", 1),
        ("one two three four", 1),  # fewer tokens than n: all of them are the one shingle
        ("one two three four five", 1),
        ("one two three four five six", 2),
        ("a a a a a a a a a", 1),  # a set: repeats do not count
    ],
)
def test_number_of_shingles(text, size):
    assert len(sets([text], 5)[0]) == size


def test_short_texts_differ_from_the_prefix_of_longer_ones():
    # "a b" alone is a shingle of two tokens: not to be taken for a part of "a b c".
    short, longer, other = sets(["a b", "a b c d e", "b a"], 5)
    assert not short & longer
    assert not short & other


def test_sets_ascend_without_repeats():
    for values in shingle_sets(pa.array([*SAMPLES.values(), "b a b a b a"]), 2).to_pylist():
        assert values == sorted(set(values))


def test_case_width_and_composition_do_not_count():
    spellings = ["Ａ CAFÉ Ⅳ", "a cafe\u0301 iv", "A  Café\n IV"]
    assert len({frozenset(s) for s in sets(spellings, 2)}) == 1


@settings(max_examples=100, deadline=None, database=None)
@given(st.lists(st.sets(st.integers(0, 2**64 - 1) | st.integers(0, 9), max_size=9), min_size=1))
def test_jaccard_is_that_of_sets(groups):
    values = np.array([x for group in groups for x in sorted(group)], dtype=np.uint64)
    stops = np.cumsum([len(group) for group in groups])
    starts = np.concatenate([[0], stops[:-1]])
    left, right = (index.ravel() for index in np.indices((len(groups), len(groups))))
    out = np.full(len(left), np.nan)
    jaccard(values, starts, stops, left, right, out)
    assert out.tolist() == [
        similarity(groups[i], groups[j]) for i, j in zip(left, right, strict=True)
    ]
