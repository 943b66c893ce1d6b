"""Registers are those of datasketch, and follow from the texts alone."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from datasketch import HyperLogLogPlusPlus
from hypothesis import given
from hypothesis import strategies as st
from shards_documents import document, published

from transforms.dedup.shingles import shingle_sets
from transforms.shards.sketch import NGRAM, STANDARD_ERROR, Sketch, sketch_rows

WORDS = st.lists(st.sampled_from("abcdefgh"), max_size=30).map(" ".join)


def sketched(texts: list[str], lang: str = "eng_Latn") -> Sketch:
    return sketch_rows(published(*(document(text, lang=lang) for text in texts)))


def test_registers_are_those_of_datasketch():
    texts = [" ".join(f"w{n * k % 97}" for n in range(60)) for k in range(1, 30)]
    theirs = HyperLogLogPlusPlus(p=16, hashfunc=int)
    hashes = shingle_sets(pa.array(texts), NGRAM).flatten().to_pylist()
    for value in hashes:
        theirs.update(value)
    made = sketched(texts)
    assert np.array_equal(made.ngrams, theirs.reg)
    distinct = len(set(hashes))
    assert abs(made.counts()["ngrams"] - distinct) <= 4 * STANDARD_ERROR * distinct


def test_the_estimate_is_as_good_as_it_says():
    # Texts without a common shingle: what is counted is known.
    texts = [" ".join(f"{k}x{n}" for n in range(2004)) for k in range(100)]
    count = sketched(texts).counts()["ngrams"]
    assert abs(count - 200_000) <= 4 * STANDARD_ERROR * 200_000


@given(st.lists(WORDS, max_size=6), st.lists(WORDS, max_size=6))
def test_a_union_is_of_all_texts_in_any_order(one: list[str], other: list[str]):
    both = sketched(one) | sketched(other)
    whole = sketched([*reversed(other), *one, *one])
    assert np.array_equal(both.ngrams, whole.ngrams)
    assert both.counts() == whole.counts()


def test_tail_text_is_counted_apart_and_repeats_change_nothing():
    rows = [document("one two three four five six"), document("moja mbili tatu", lang="swh_Latn")]
    made = sketch_rows(published(*rows))
    assert made.counts() == {"ngrams": 3, "tail_ngrams": 1}
    again = sketch_rows(
        published(*rows, rows[1] | {"repeat": 1}, rows[0] | {"text": "x", "repeat": 2})
    )
    assert again.counts() == made.counts()
    assert Sketch.empty().counts() == {"ngrams": 0, "tail_ngrams": 0}
    assert sketch_rows(published()).counts() == {"ngrams": 0, "tail_ngrams": 0}
