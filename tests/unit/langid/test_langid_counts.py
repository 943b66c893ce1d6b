import numpy as np
import pyarrow as pa
import pytest

from transforms.langid import counts
from transforms.langid.counts import Sample, fit, join, mix, sample, tally
from transforms.langid.tokens import list_seed, word_hashes


def test_shares_sum_to_one_and_codes_ascend() -> None:
    found = tally(["watu wote", "haki na watu"])
    assert found.shares.sum() == pytest.approx(1)
    assert (np.diff(found.codes.astype(np.int64)) > 0).all()


def test_text_without_its_diacritics_counts_a_little() -> None:
    whole, bare = tally(["ọmọ"]), tally(["omo"])
    assert set(bare.codes.tolist()) <= set(whole.codes.tolist())
    plain = whole.shares[np.isin(whole.codes, bare.codes)].sum()
    assert 0.1 < plain < 0.3


def test_a_source_weighs_as_the_root_of_its_size() -> None:
    small, large = tally(["watu"]), tally(["haki"] * 100)
    found = mix([small, large])
    assert found.shares[np.isin(found.codes, small.codes)].sum() == pytest.approx(1 / 11)
    assert found.size == small.size + large.size


def test_a_model_knows_its_labels_and_their_words() -> None:
    model = fit({"swh_Latn": sample(["watu wote"] * 30), "eng_Latn": sample(["the people"] * 30)})
    assert model.labels == ("eng_Latn", "swh_Latn")
    assert model.starts[-1] == len(model.places)
    assert (model.unseen < 0).all()
    assert (np.diff(model.codes.astype(np.int64)) > 0).all()


def test_the_order_of_the_labels_does_not_matter() -> None:
    samples = {label: sample([word] * 30) for label, word in (("a", "watu"), ("b", "haki"))}
    one, other = fit(samples), fit(dict(reversed(samples.items())))
    assert one.labels == other.labels
    assert one.weights.tolist() == other.weights.tolist()


def test_a_label_keeps_what_says_most_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MOST_GRAMS", 6)
    model = fit({"a": sample(["watu"] * 50 + ["haki sheria"]), "b": sample(["people rights law"])})
    kept = np.repeat(model.codes, np.diff(model.starts))[model.places == 0]
    assert set(kept.tolist()) == set(tally(["watu"]).codes.tolist())


def test_a_label_keeps_its_most_frequent_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "_FREQUENT", 2)
    texts = ["na na na watu watu", "haki"]
    model = fit({"a": sample(texts), "b": sample(["law"])})
    own = word_hashes(pa.array(["na watu"], pa.string())) ^ list_seed(0)
    other = word_hashes(pa.array(["law"], pa.string())) ^ list_seed(1)
    assert model.frequent.tolist() == sorted([*own.tolist(), *other.tolist()])


def test_samples_are_joined_as_their_parts_are() -> None:
    one, other = sample(["watu wote"]), sample(["haki na watu"])
    found: Sample = join([one, other])
    assert found.grams.shares.tolist() == mix([one.grams, other.grams]).shares.tolist()
    assert found.words.codes.tolist() == mix([one.words, other.words]).codes.tolist()
