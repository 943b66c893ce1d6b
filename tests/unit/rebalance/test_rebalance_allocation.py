"""Who is cut and who is repeated: by language, by band, by source."""

import collections

import numpy as np
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rebalance_simulation import lay, rows, simulate
from test_rebalance_shards import check

from transforms.errors import InfeasibleError
from transforms.rebalance.allocation import share_out
from transforms.rebalance.concentration import concentrated, holdings
from transforms.rebalance.config import RebalanceConfig

PARTS = st.lists(
    st.tuples(st.integers(1, 10**9), st.integers(0, 10**6), st.integers(0, 10**6)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(PARTS, st.floats(0, 1))
def test_what_is_shared_out_adds_up_and_is_proportional_between_the_bounds(parts, part):
    weights = [weight for weight, _, _ in parts]
    lows = [low for _, low, _ in parts]
    highs = [low + more for _, low, more in parts]
    quantity = sum(lows) + int(part * (sum(highs) - sum(lows)))
    shared = share_out(quantity, weights, lows, highs)
    assert sum(shared) == quantity
    assert all(low <= x <= high for low, x, high in zip(lows, shared, highs, strict=True))
    # There is one level: whoever is above its low is no further up than whoever is below its high.
    down = [(x - 1) / w for w, low, x in zip(weights, lows, shared, strict=True) if x > low]
    up = [(x + 1) / w for w, x, high in zip(weights, shared, highs, strict=True) if x < high]
    assert max(down, default=0) <= min(up, default=np.inf)


def corpus(n=4000, **more):
    """Three languages: 80 %, 15 % and 5 % of the text, all of it original."""
    names = ["eng_Latn", "deu_Latn", "swh_Latn"]
    lang = np.repeat(names, [n * 80 // 100, n * 15 // 100, n * 5 // 100])
    sizes = np.random.default_rng(1).integers(50, 150, n)
    return rows(sizes, np.ones(n, bool), lang == "swh_Latn", lang=lang, **more)


def published(table, outcome):
    """Size and mean number of appearances by language."""
    lang = dict(zip(table["doc_id"].to_pylist(), table["lang"].to_pylist(), strict=True))
    size, documents = collections.Counter(), collections.defaultdict(collections.Counter)
    for doc, more in zip(
        *(outcome.assigned[n].to_pylist() for n in ("doc_id", "size")), strict=True
    ):
        size[lang[doc]] += more
        documents[lang[doc]][doc] += 1
    return size, {key: np.mean(list(seen.values())) for key, seen in documents.items()}


def config(**more):
    return RebalanceConfig(floors={"original": 0.5}, shard_size=20_000, **more)


def test_a_cut_is_proportional_or_falls_on_large_languages_first():
    table, target = corpus(), 200_000
    outcome = simulate(table, config(target=target), 3)
    check(table, config(), outcome)
    size, _ = published(table, outcome)
    assert size["swh_Latn"] == pytest.approx(0.05 * target, rel=0.1)
    even = simulate(table, config(target=target, allocation="unimax"), 3)
    check(table, config(), even)
    size, _ = published(table, even)
    # All 20,000 of the smallest, all 60,000 of the next, the rest of the largest.
    assert size["swh_Latn"] > 19_000
    assert size["deu_Latn"] > 57_000
    between = simulate(table, config(target=target, allocation="temperature", temperature=0.8), 3)
    size, _ = published(table, between)
    assert 11_000 < size["swh_Latn"] < 19_500


def test_all_text_comes_once_before_the_small_languages_come_again():
    table = corpus()
    asked = config(target=480_000, allocation="unimax")
    outcome = simulate(table, asked, 2)
    check(table, asked, outcome)
    _, times = published(table, outcome)
    assert times["swh_Latn"] == pytest.approx(4, abs=0.1)
    assert times["eng_Latn"] == pytest.approx(1, abs=0.05)


def test_where_the_allocation_comes_first_repeats_come_before_all_text_is_used():
    table = corpus()
    asked = config(target=240_000, allocation="unimax", objective="allocation")
    outcome = simulate(table, asked, 2)
    check(table, asked, outcome)
    size, times = published(table, outcome)
    # A third each: the smallest has 4 x 20,000, the next more than 80,000 with repeats.
    for lang in ("swh_Latn", "deu_Latn", "eng_Latn"):
        assert size[lang] == pytest.approx(80_000, rel=0.06)
    assert times["eng_Latn"] == 1


def test_rare_types_are_cut_last_and_shards_still_look_alike():
    rare = np.arange(4000) % 4 == 0
    table = corpus(rare=rare.astype(int))
    # Documents are small beside these shards, so that they are dealt in order of the line.
    asked = RebalanceConfig(floors={"original": 0.5}, shard_size=60_000, target=200_000)
    outcome = simulate(table, asked, 2)
    check(table, asked, outcome)
    taken = np.isin(np.arange(4000), outcome.assigned["node"].to_numpy())
    assert taken[rare].mean() > 0.98
    assert 0.25 < taken[~rare].mean() < 0.4
    shards = outcome.assigned["shard"].to_numpy()
    held = np.bincount(shards, rare[outcome.assigned["node"].to_numpy().astype(int)])
    assert held.min() > 0.8 * held.max()


def test_copies_count_where_they_are_asked_for():
    copies = np.where(np.arange(4000) % 2 == 0, 8, 1)
    table = corpus(copies=copies)
    asked = config(target=600_000, rehydrate=True)
    outcome = simulate(table, asked, 2)
    check(table, asked, outcome)
    node = outcome.assigned["node"].to_numpy().astype(int)
    times = np.bincount(node, minlength=4000)
    assert times[copies == 8].mean() > times[copies == 1].mean() + 0.7
    assert times.min() >= 1


SOURCES = ["bible"] * 50 + ["news"] * 25 + ["wiki"] * 15 + ["web"] * 10


def tail(n=4000):
    source = np.where(np.arange(n) % 2 == 0, np.array(SOURCES)[np.arange(n) // 2 % 100], "web")
    lang = np.where(np.arange(n) % 2 == 0, "yor_Latn", "eng_Latn")
    sizes = np.random.default_rng(2).integers(50, 150, n)
    return rows(sizes, tail=np.arange(n) % 2 == 0, lang=lang, source=source)


def shares(table, outcome, by="source"):
    light = {row["doc_id"]: row for row in table.to_pylist()}
    found = collections.Counter()
    for doc in outcome.assigned["doc_id"].to_pylist():
        if light[doc]["tail"]:
            found[light[doc][by]] += light[doc]["size"]
    return {key: size / sum(found.values()) for key, size in found.items()}


def test_no_source_holds_more_of_the_tail_than_it_may():
    table = tail()
    asked = RebalanceConfig(
        floors={"tail": 0.2}, concentration={"tail/source": 0.3}, shard_size=20_000
    )
    outcome = simulate(table, asked, 3)
    check(table, asked, outcome)
    found = shares(table, outcome)
    assert max(found.values()) <= 0.3
    assert found["bible"] > 0.28
    # What the cap on one lets another come near has a rule, too.
    groups = concentrated(holdings(table, asked), asked)
    assert [group.attribute for group in groups] == [
        "source:bible",
        "source:news",
        "source:wiki",
    ]


def test_a_tail_of_one_source_is_refused_with_the_share_that_would_do():
    table = tail().slice(0, 20)
    asked = RebalanceConfig(concentration={"tail/source": 0.4}, shard_size=20_000)
    with pytest.raises(InfeasibleError, match=r"needs 3 of them, and there are 1 .*tail/source=1"):
        simulate(table, asked)


def test_a_concentration_that_the_floor_cannot_live_with_is_named():
    asked = RebalanceConfig(
        floors={"tail": 0.5}, concentration={"tail/source": 0.3}, shard_size=300_000, repeat_cap=1
    )
    with pytest.raises(InfeasibleError, match=r"cap source:bible=0\.3 of tail"):
        lay(tail(), asked)


def test_floors_and_caps_on_languages_sources_and_hosts():
    n = 3000
    rng = np.random.default_rng(5)
    lang = rng.choice(["eng_Latn", "swh_Latn", "yor_Latn"], n, p=[0.9, 0.06, 0.04])
    host = rng.choice(["a.example", "b.example"], n, p=[0.7, 0.3])
    source = rng.choice(["crawl", "library"], n, p=[0.8, 0.2])
    table = rows(rng.integers(50, 150, n), lang=lang, host=host, source=source)
    floors = {"lang:swh_Latn": 0.08, "lang:yor_Latn": 0.05, "source:library": 0.2}
    asked = RebalanceConfig(floors=floors, caps={"host:a.example": 0.5}, shard_size=30_000)
    outcome = simulate(table, asked, 2)
    light = {row["doc_id"]: row for row in table.to_pylist()}
    for shard in range(outcome.plan.shards):
        mine = outcome.assigned.filter(np.equal(outcome.assigned["shard"].to_numpy(), shard))
        documents = [light[doc] for doc in mine["doc_id"].to_pylist()]
        total = sum(d["size"] for d in documents)
        for name, share in floors.items():
            field, _, value = name.partition(":")
            assert sum(d["size"] for d in documents if d[field] == value) >= share * total
        assert sum(d["size"] for d in documents if d["host"] == "a.example") <= 0.5 * total
    assert outcome.size >= 0.98 * outcome.plan.total


@pytest.mark.parametrize("chance", [2_000, 5_000, 9_000])
def test_what_is_likely_machine_made_counts_towards_the_cap_in_part(chance):
    n = 4000
    likely = np.where(np.arange(n) % 2 == 0, chance, 0)
    synthetic = np.arange(n) % 20 == 1
    table = rows([100] * n, synthetic=synthetic, likely=likely)
    asked = RebalanceConfig(caps={"synthetic": 0.1}, shard_size=20_000)
    outcome = simulate(table, asked, 2)
    node = outcome.assigned["node"].to_numpy().astype(int)
    for shard in range(outcome.plan.shards):
        mine = node[outcome.assigned["shard"].to_numpy() == shard]
        expected = np.where(synthetic[mine], 10_000, likely[mine]).sum()
        assert expected <= 0.1 * 10_000 * len(mine)
    assert outcome.size > 100 * n * 0.4


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"concentration": {"tail": 0.5}}, ["'tail' is not ATTRIBUTE/FIELD", "tail/source"]),
        ({"concentration": {"tail/lang": 0.5}}, ["tail/lang"]),
        ({"concentration": {"tail/source": 0}}, ["leaves no text of tail"]),
        ({"floors": {"lang:swahili": 0.1}}, ["lang:swahili", "lang:swh_Latn"]),
        ({"floors": {"source:": 0.1}}, ["names no source"]),
        ({"floors": {"hots:a.example": 0.1}}, ["did you mean 'host:NAME'"]),
    ],
)
def test_what_cannot_be_meant_is_refused(settings, words):
    with pytest.raises(pydantic.ValidationError) as error:
        RebalanceConfig(**settings)
    assert all(word in str(error.value) for word in words)
