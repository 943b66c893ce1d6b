"""Words, measures and buckets against slow and plain ways to count them."""

from __future__ import annotations

import statistics

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.synthetic.features import BUCKETS, features_of
from transforms.synthetic.folding import fold
from transforms.synthetic.manner import CLASSES, MEASURES, edges_of, measures_of
from transforms.synthetic.wording import BITS, vocabulary_table, words_of

TOKENS = st.lists(
    st.sampled_from(
        [
            "the",
            "a",
            "of",
            "running",
            "walking",
            "ran",
            "it's",
            "0",
            ",",
            ".",
            "?",
            "…",
            '"',
            "язык",
        ]
    )
)
FOLDED = st.lists(TOKENS.map(" ".join), min_size=1, max_size=5)


def words(*texts: str) -> list[int]:
    hashes, _ = words_of(pa.array(texts, pa.string()))
    return [int(word) for word in hashes]


def buckets(text: str, common: str = "the a of") -> set[int]:
    table = vocabulary_table(np.array(words(common), np.uint64))
    edges = np.zeros((len(MEASURES), CLASSES - 1), np.int32)
    found, _ = features_of(pa.array([text]), table, edges)
    sequences = [int(bucket) for bucket in found if bucket < 1 << BITS]
    assert len(set(sequences)) == len(sequences)
    assert len(found) - len(sequences) == len(MEASURES)
    return set(sequences)


@settings(deadline=None)
@given(FOLDED)
def test_one_hash_a_token(texts: list[str]) -> None:
    hashes, bounds = words_of(pa.array(texts, pa.string()))
    assert np.diff(bounds).tolist() == [len(text.split()) for text in texts]
    by_token = dict(zip(" ".join(texts).split(), hashes.tolist(), strict=True))
    assert len(set(by_token.values())) == len(by_token)


def test_rare_words_are_known_by_their_ending() -> None:
    assert buckets("the walking of") == buckets("the running of")
    assert buckets("the walking of") != buckets("the walked of")
    assert buckets("the oak of") == buckets("the elm of"), "a short word has no ending"
    assert buckets("the a of") != buckets("the oak of"), "a common word is itself"
    assert not buckets("ng") & buckets("running"), "an ending is no word"


def test_sequences_of_one_to_three() -> None:
    assert len(buckets("the a of")) == 6
    assert len(buckets("the the the")) == 3
    assert buckets("") == set()
    assert buckets("the a") < buckets("the a of")


def test_order_matters() -> None:
    assert buckets("the a") != buckets("a the")


@settings(deadline=None)
@given(FOLDED)
def test_features_do_not_depend_on_the_batch(texts: list[str]) -> None:
    table = vocabulary_table(np.array(words("the a of"), np.uint64))
    edges = edges_of(measures_of(pa.array(["the a .", "running , it's 0 walking"])))
    found, bounds = features_of(pa.array(texts, pa.string()), table, edges)
    assert ((found >= 0) & (found < BUCKETS)).all()
    for row, text in enumerate(texts):
        alone, _ = features_of(pa.array([text], pa.string()), table, edges)
        assert found[bounds[row] : bounds[row + 1]].tolist() == alone.tolist()


@pytest.mark.parametrize("n", [0, 4097])
def test_vocabulary_has_bounds(n: int) -> None:
    with pytest.raises(ValueError, match="1 to 4096"):
        vocabulary_table(np.arange(1, n + 1, dtype=np.uint64))


def reference(tokens: list[str]) -> dict[str, float]:
    """The measures by plain Python, before they are cut to integers."""
    marks = {",", ".", '"', "0", "(", "?", "!", "…", ":", ")", ";"}
    plain = [token for token in tokens if token not in marks]
    sizes = [len(token) for token in plain]
    sentences, length = [], 0
    for token in [*tokens, "."]:
        length += token not in marks
        if token in {".", "?", "!", "…"} and length:
            sentences.append(length)
            length = 0
    mean = statistics.fmean(sentences)
    return {
        "word_letters": 100 * statistics.fmean(sizes),
        "word_letters_deviation": 100 * statistics.pstdev(sizes),
        "variety_100": 1000 * len(set(plain[:100])) / len(plain[:100]),
        "variety_40": 1000 * len(set(plain[:40])) / len(plain[:40]),
        "sentence_words": 10 * mean,
        "sentence_words_deviation": 1000 * statistics.pstdev(sentences) / mean,
        "commas": 1000 * tokens.count(",") / len(plain),
        "full_stops": 1000 * tokens.count(".") / len(plain),
        "quotation_marks": 1000 * tokens.count('"') / len(plain),
        "numbers": 1000 * tokens.count("0") / len(plain),
        "apostrophes": 1000 * sum(token.count("'") for token in plain) / len(plain),
        "question_marks": 1000 * tokens.count("?") / len(plain),
        "ellipses": 1000 * tokens.count("…") / len(plain),
    }


@settings(deadline=None)
@given(TOKENS.filter(lambda tokens: any(token.isalpha() for token in tokens)))
def test_measures_are_what_they_are_called(tokens: list[str]) -> None:
    (found,) = measures_of(pa.array([" ".join(tokens)]))
    named = dict(zip(MEASURES, found.tolist(), strict=True))
    for name, value in reference(tokens).items():
        assert value - 1.001 <= named[name] <= value + 1e-6, name


def test_a_text_without_words_measures_nothing() -> None:
    assert not measures_of(fold(pa.array(["", "...", "12, 13"]))).any(axis=1)[[0]].any()


def test_edges_ascend_and_part_the_texts() -> None:
    measures = np.arange(1600, dtype=np.int32).reshape(100, 16)
    edges = edges_of(measures)
    assert edges.shape == (len(MEASURES), CLASSES - 1)
    assert (np.diff(edges, axis=1) > 0).all()
