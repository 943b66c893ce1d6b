"""Hot buckets: what is kept must be maximal there as well.

A bucket of more than `pairs_bucket` documents is too large to compare pair by pair.
Whatever is done instead, no two documents that share a band and are near-duplicates
may both be kept, and every removed one must have a kept witness. The documents here
share most of their text, so that they meet in the same buckets; the parts in which
they differ decide.
"""

import random

import pytest
from dedup_corpus import brute_force, stage
from dedup_families import CHAIN, CLUSTER, FAN, family, in_order, left_together, shuffled
from dedup_running import check_removals, deduplicate

from transforms.dedup.config import DedupConfig

pytestmark = pytest.mark.slow

HEADER = [f"header{k}" for k in range(364)]
"""360 shingles that all texts share: most bands come from them alone."""


class Fresh:
    """Tokens that no other text has."""

    def __init__(self):
        self.count = 0

    def __call__(self):
        self.count += 1
        return f"fresh{self.count}"


def interleaved(families):
    """One of each family in turn."""
    longest = max(map(len, families))
    return [f[k] for k in range(longest) for f in families if k < len(f)]


def headed(*parts):
    """A text of the header and of parts: (name, tokens) each."""
    return (*HEADER, *(f"{name}x{k}" for name, length in parts for k in range(length)))


def chain(length):
    """A window that moves behind the header: each is near the next (.85) and to no other (.74)."""
    words = [f"link{k}" for k in range(64 + 30 * length)]
    return [(*HEADER, *words[30 * k : 30 * k + 64]) for k in range(length)]


def decided(made, folder, most, files=3):
    """Kept nodes of documents, after what must hold of any answer was checked."""
    config = DedupConfig(pairs_bucket=most)
    staging = stage(made, folder, files, config)
    kept, fates, counters = deduplicate(staging, folder, config=config, scale=3)
    check_removals(staging, kept, fates)
    assert "dedup/undecided_edges" not in counters
    return staging, kept


def maximal(made, folder, most):
    """Asserts that nothing is kept beside a near-duplicate that shares a band with it."""
    staging, kept = decided(made, folder, most)
    assert left_together(staging, kept, 0.8) == []
    return staging, kept


@pytest.mark.parametrize("most", [2, 8, 48])
@pytest.mark.parametrize("seed", [1, 2])
def test_three_interleaved_families_that_share_bands(tmp_path, most, seed):
    # Each family is 20 pairs. A pair has 384 shingles in common and 30 to 50 of each one's
    # own: .8 and above, or just below. Of two pairs of a family, .8 at most; of two
    # families, .77.
    draw = random.Random(seed)
    families = []
    for name in ("amber", "birch", "cedar"):
        pairs = [((name, 8), (f"{name}{k // 2}pair", 16), f"{name}{k}own") for k in range(40)]
        draw.shuffle(pairs)
        sizes = [draw.choice([30, 36, 46, 48, 50]) for _ in pairs]
        families.append(
            [headed(*parts, (own, n)) for (*parts, own), n in zip(pairs, sizes, strict=True)]
        )
    made = in_order(interleaved(families))
    assert len(made) == 120
    staging, _ = maximal(made, tmp_path, most)
    expected, _ = brute_force(staging)
    assert 60 < len(expected) < 100  # there is something to decide


@pytest.mark.parametrize("most", [2, 48])
@pytest.mark.parametrize("order", ["dates", "mixed"])
def test_a_chain_inside_a_hot_bucket(tmp_path, most, order):
    links = chain(150)
    made = in_order(links if order == "dates" else shuffled(links, 4))
    staging, kept = decided(made, tmp_path, most)
    if order == "dates":
        assert {staging.documents[n].tokens for n in kept} == set(links[::2])
    assert left_together(staging, kept, 0.8) == []


@pytest.mark.parametrize("most", [2, 8, 48])
def test_pairs_far_apart_in_order_under_one_header(tmp_path, most):
    # 100 texts under one header, then a near copy of each (.82), 100 places later. No two
    # others are near (.74), and nearly all bands that a pair shares belong to all.
    texts = [headed((f"own{k}", 22), (f"first{k}", 38)) for k in range(100)]
    copies = [headed((f"own{k}", 22), (f"second{k}", 38)) for k in range(100)]
    staging, kept = decided(in_order([*texts, *copies]), tmp_path, most)
    assert brute_force(staging)[0] == {
        n for n, d in staging.documents.items() if d.tokens in set(texts)
    }
    assert left_together(staging, kept, 0.8) == []


@pytest.mark.parametrize("most", [2, 8, 48])
def test_a_fan_whose_middle_comes_last(tmp_path, most):
    # Outer texts have a third of the middle one's own words (.81), and nothing but the
    # header in common (.75): all of them stay.
    outer, middles = [], []
    for name in (f"fan{k}" for k in range(40)):
        parts = [(f"{name}part{k}", 20) for k in range(3)]
        middles.append(headed(*parts))
        outer.append([headed(part, (f"{name}own{k}", 40)) for k, part in enumerate(parts)])
    made = in_order([*interleaved(outer), *middles])
    staging, kept = maximal(made, tmp_path, most)
    assert {d.tokens for n, d in staging.documents.items() if n not in kept} == set(middles)


@pytest.mark.parametrize("most", [2, 8, 48])
def test_mixed_families_in_any_order(tmp_path, most):
    fresh = Fresh()
    families = [
        family(kind, 14, [f"{kind}{n}word{k}" for k in range(94)], fresh)
        for n in range(3)
        for kind in (CHAIN, FAN, CLUSTER)
    ]
    short = [(*HEADER[:20], *tokens) for tokens in interleaved(families)]
    maximal(in_order(shuffled(short, most)), tmp_path, most)


def test_one_boilerplate_leaves_one(tmp_path):
    words = [f"notice{k}" for k in range(100)]
    made = in_order([(*words[:50], str(k), *words[50:]) for k in range(300)])
    staging, kept = maximal(made, tmp_path, 48)
    assert [staging.documents[n].tokens[50] for n in kept] == ["0"]


def test_the_order_of_the_input_does_not_show_in_hot_buckets(tmp_path):
    made = in_order(shuffled(chain(120), 3))
    kept = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        staging, nodes = decided(shuffled(made, number), folder, 8, files=1 + 2 * number)
        kept.append({staging.ids[n] for n in nodes})
    assert kept[0] == kept[1]


def test_unrelated_texts_under_one_header_all_stay(tmp_path):
    made = in_order([headed((f"own{k}", 64)) for k in range(150)])
    _, kept = maximal(made, tmp_path, 48)
    assert len(kept) == 150
