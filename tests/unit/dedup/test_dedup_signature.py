"""Signatures equal datasketch's bit for bit, and bands are made of them."""

import numpy as np
import pyarrow as pa
import pytest
from datasketch import MinHash
from dedup_reference import SAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.dedup.config import DedupConfig
from transforms.dedup.normalize import letters
from transforms.dedup.shingles import shingle_sets
from transforms.dedup.signature import band_keys, signatures

CONFIGS = [
    DedupConfig(),
    DedupConfig(seed=7),
    DedupConfig(permutations=2, bands=1, seed=0),
    DedupConfig(permutations=256, bands=32, seed=2**32 - 1, ngram=2),
]
TEXTS = [*SAMPLES.values(), "one", "a b a b a b", " ".join(str(i) for i in range(3000)), "\x00 x"]


def by_datasketch(shingles: list[int], config: DedupConfig) -> bytes:
    sketch = MinHash(
        num_perm=config.permutations, seed=config.seed, scheme="affine32", hashfunc=lambda h: h
    )
    sketch.update_batch([h & 0xFFFFFFFF for h in shingles])
    return np.asarray(sketch.hashvalues, dtype="<u4").tobytes()


def signed(texts: list[str], config: DedupConfig) -> list[bytes | None]:
    return signatures(letters(pa.array(texts, pa.string())), config).to_pylist()


@pytest.mark.parametrize("config", CONFIGS, ids=lambda c: f"{c.permutations} of seed {c.seed}")
def test_equals_datasketch(config):
    sets = shingle_sets(pa.array(TEXTS), config.ngram).to_pylist()
    assert signed(TEXTS, config) == [by_datasketch(s, config) for s in sets]


@settings(max_examples=40, deadline=None, database=None)
@given(st.lists(st.text(max_size=30), max_size=4))
def test_equals_datasketch_on_any_text(texts):
    config = DedupConfig(permutations=6, bands=3)
    sets = shingle_sets(pa.array(texts, pa.string()), config.ngram).to_pylist()
    assert signed(texts, config) == [by_datasketch(s, config) if s else None for s in sets]


def test_a_text_without_tokens_has_none():
    found = signed(["", "words", " \n", "!?", "more"], DedupConfig())
    assert [s is None for s in found] == [True, False, True, True, False]
    assert {len(s) for s in found if s} == {4 * 126}
    assert signed(["", "?"], DedupConfig()) == [None, None]
    assert signed([], DedupConfig()) == []


def test_of_a_slice_is_the_slice_of_the_whole():
    normal = letters(pa.array(["", *TEXTS, "!"]))
    whole = signatures(normal, DedupConfig())
    for offset, length in ((0, 3), (1, 4), (5, 99), (len(normal), 0)):
        part = signatures(normal.slice(offset, length), DedupConfig())
        assert part.to_pylist() == whole.slice(offset, length).to_pylist()


def test_agreement_estimates_similarity():
    words = [f"w{i}" for i in range(1200)]
    config = DedupConfig(permutations=1024, bands=64, ngram=1)
    one, other = (
        np.frombuffer(s, "<u4")
        for s in signed([" ".join(words[:1000]), " ".join(words[200:])], config)
    )
    # Jaccard 800/1200; four standard deviations of 1,024 trials are 0.059.
    assert abs((one == other).mean() - 2 / 3) < 0.059


class TestBands:
    config = DedupConfig(permutations=12, bands=4)
    signature = np.arange(24, dtype=np.uint32).reshape(2, 12)

    def test_a_band_is_equal_exactly_where_its_rows_are(self):
        other = self.signature.copy()
        other[0, 4] += 1  # row 4 is in band 1 of 0..3
        equal = band_keys(self.signature, self.config) == band_keys(other, self.config)
        assert equal.tolist() == [[True, False, True, True], [True] * 4]

    def test_the_number_of_a_band_counts(self):
        # Else equal values in different places would make candidates.
        keys = band_keys(np.zeros((1, 12), dtype=np.uint32), self.config)
        assert len(set(keys[0].tolist())) == 4

    def test_the_order_of_rows_counts(self):
        swapped = self.signature[:, [1, 0, *range(2, 12)]]
        assert (band_keys(self.signature, self.config) == band_keys(swapped, self.config))[
            :, 0
        ].sum() == 0

    def test_no_documents_have_no_keys(self):
        assert band_keys(self.signature[:0], self.config).shape == (0, 4)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"permutations": 100, "bands": 21}, "use 84"),
        ({"permutations": 4, "bands": 8}, "use 8"),
        ({"threshold": 0.6}, "candidate_threshold=0.65 exceeds"),
        ({"ngram": 0}, "ngram"),
        ({"treshold": 0.8}, "treshold"),
    ],
)
def test_settings_that_cannot_work_are_refused(values, says):
    with pytest.raises(ValueError, match=says):
        DedupConfig(**values)
