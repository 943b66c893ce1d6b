"""All steps together, on random corpora: every promise, recomputed from the rows."""

import collections

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from rebalance_simulation import Outcome, lay, rows, simulate
from test_rebalance_plan import optimum

from transforms.errors import InfeasibleError
from transforms.rebalance.cells import Rules, cells_of
from transforms.rebalance.config import RebalanceConfig
from transforms.rebalance.finalise import finalise_shard
from transforms.rebalance.place import PLACED
from transforms.rebalance.ranks import split_large

NAMES = ("original", "tail", "synthetic")


def corpus(seed, n, kind, shares, *, config, overlap=False):
    rng = np.random.default_rng(seed)
    mean = config.shard_size
    sizes = {
        "lognormal": lambda: rng.lognormal(0, 1, n),
        "zipf": lambda: np.minimum(rng.zipf(1.8, n), 10**4).astype(float),
        "uniform": lambda: rng.random(n),
        "equal": lambda: np.ones(n),
        "giant": lambda: np.where(np.arange(n) == 0, n, rng.lognormal(0, 1, n)),
    }[kind]()
    scale = 1000 if mean > 10**4 else 1
    sizes = np.clip(sizes * scale, 1, config.largest_document).astype(np.int64)
    drawn = [rng.random(n)] * 2 if overlap else [rng.random(n), rng.random(n)]
    names = ["eng_Latn", "deu_Latn", "swh_Latn", "yor_Latn"]
    langs = rng.choice(names, n, p=[0.8, 0.15, 0.04, 0.01])
    table = rows(
        sizes,
        drawn[0] < shares[0],
        drawn[1] < shares[1],
        rng.random(n) < shares[2],
        lang=langs,
        seed=seed,
    )
    return split_large(table, config)[0]


def check(table: pa.Table, config: RebalanceConfig, outcome: Outcome) -> None:
    """Recomputes every promise from the rows that came out."""
    plan, out = outcome.plan, outcome.assigned.to_pydict()
    assert set(out["doc_id"]) | set(outcome.trimmed["doc_id"].to_pylist()) <= set(
        table["doc_id"].to_pylist()
    )
    repeats, homes = collections.defaultdict(list), collections.defaultdict(list)
    for doc, repeat, shard in zip(out["doc_id"], out["repeat"], out["shard"], strict=True):
        repeats[doc].append(repeat)
        homes[doc].append(shard)
    assert all(sorted(seen) == list(range(len(seen))) for seen in repeats.values())
    light = {row["doc_id"]: row for row in table.to_pylist()}
    for doc, seen in repeats.items():
        served = any(light[doc][name] for name, share in config.floors.items() if share)
        assert len(seen) <= (config.repeat_cap if served else 1)
    if max(map(len, homes.values())) <= plan.shards:
        doubled = sum(len(set(home)) < len(home) for home in homes.values())
        assert doubled == 0
    for shard in range(plan.shards):
        mine = [i for i, s in enumerate(out["shard"]) if s == shard]
        assert [out["position"][i] for i in mine] == list(range(len(mine)))
        documents = [light[out["doc_id"][i]] for i in mine]
        check_shard(documents, config)


def check_shard(documents, config):
    total = sum(d["size"] for d in documents)
    assert total > 0
    largest = max(d["size"] for d in documents)
    sizes = np.array([d["size"] for d in documents], dtype=np.int64)
    floors = {name: share for name, share in config.floors.items() if share}
    for name in NAMES:
        inside = sum(d["size"] for d in documents if d[name])
        assert inside * 10**6 >= round(config.floors.get(name, 0) * 10**6) * total
        assert inside * 10**6 <= round(config.caps.get(name, 1) * 10**6) * total
    for name, share in floors.items():
        member = np.array([d[name] for d in documents])
        surplus = np.cumsum([0.0, *np.where(member, sizes * (1 - share), -sizes * share)])
        drop = np.max(np.maximum.accumulate(surplus) - surplus)
        assert drop <= (1 + len(floors)) * largest + 1


@st.composite
def settings_and_rows(draw, documents, per_shard):
    floors = draw(
        st.dictionaries(
            st.sampled_from(["original", "tail", "original", "tail", "synthetic"]),
            st.sampled_from([0.02, 0.1, 0.3, 0.6]),
            max_size=3,
        )
    )
    caps = draw(
        st.dictionaries(
            st.sampled_from(["synthetic", "synthetic", "tail"]),
            st.sampled_from([0.05, 0.2, 0.5]),
            max_size=2,
        )
    )
    caps = {name: share for name, share in caps.items() if share >= floors.get(name, 0)}
    kind = draw(st.sampled_from(["lognormal", "zipf", "uniform", "equal", "giant"]))
    n = draw(st.integers(*documents))
    shares = [draw(st.sampled_from([0.02, 0.1, 0.3, 0.7, 1.0])) for _ in range(2)]
    shares.append(draw(st.sampled_from([0.0, 0.05, 0.3])))
    unit = {"lognormal": 1648, "zipf": 1880, "uniform": 500, "equal": 1000, "giant": 1648}[kind]
    config = RebalanceConfig(
        floors=floors,
        caps=caps,
        shard_size=unit * draw(st.integers(*per_shard)),
        repeat_cap=draw(st.sampled_from([1, 2, 4, 4])),
        rotation=draw(st.integers(0, 3)),
    )
    table = corpus(
        draw(st.integers(0, 10**6)), n, kind, shares, config=config, overlap=draw(st.booleans())
    )
    return table, config


def sizes_by_cell(table, config):
    cells = cells_of(table, Rules.of(config))
    sizes = table["size"].to_numpy()
    return {int(c): int(sizes[cells == c].sum()) for c in np.unique(cells)}


def stricter(config, margin):
    """Every floor up and every cap down by a margin, as far as they go."""
    return config.model_copy(
        update={
            "floors": {k: round(min(1.0, v + margin), 6) for k, v in config.floors.items()},
            "caps": {k: round(max(0.0, v - margin), 6) for k, v in config.caps.items()},
        }
    )


@settings(max_examples=60, deadline=None, derandomize=True)
@given(settings_and_rows((1200, 6000), (1000, 1500)))
def test_shards_of_a_thousand_documents(drawn):
    table, config = drawn
    need = min(config.shard_size, int(table["size"].to_numpy().sum()))
    sizes = sizes_by_cell(table, config)
    try:
        plan, _ = lay(table, config)
    except InfeasibleError:
        event("refused")
        assert optimum(sizes, config) < need * (1 + 1e-6) + 2
        return
    try:
        outcome = simulate(table, config, 3)
    except InfeasibleError:
        # Only what whole documents cannot do: floors with hardly any play.
        event("too coarse")
        largest = int(table["size"].to_numpy().max())
        margin = 6 * largest * plan.shards / plan.total
        assert (optimum(sizes, stricter(config, margin)) or 0) < need
        return
    event("published")
    check(table, config, outcome)
    # A giant can hold more of a floor than a shard needs, and takes it from the others.
    largest = int(table["size"].to_numpy().max())
    if largest * 20 <= config.shard_size and len(Rules.of(config).constraints) <= 3:
        assert outcome.size >= plan.total * 0.995


@settings(max_examples=60, deadline=None)
@given(settings_and_rows((100, 400), (20, 60)))
def test_shards_of_forty_documents(drawn):
    table, config = drawn
    try:
        outcome = simulate(table, config, 2)
    except InfeasibleError:
        event("refused")
        return
    event("published")
    check(table, config, outcome)


@settings(max_examples=8, deadline=None)
@given(settings_and_rows((500, 1500), (40, 200)), st.integers(0, 2**32 - 1))
def test_partitions_and_order_of_input_do_not_show(drawn, seed):
    table, config = drawn
    results = []
    for partitions in (1, 2, 7):
        shuffled = table.take(np.random.default_rng(seed + partitions).permutation(len(table)))
        try:
            outcome = simulate(shuffled, config, partitions)
            tables = (outcome.assigned, outcome.trimmed, outcome.summaries)
            results.append(tuple(t.combine_chunks().to_pydict() for t in tables))
        except InfeasibleError as refused:
            results.append(str(refused))
    assert results[0] == results[1] == results[2]


def example(seed=0, n=300, target=None, **shares):
    """Three hundred documents as in the examples: shards of forty."""
    config = RebalanceConfig(
        floors={"original": 0.3, "tail": 0.1},
        caps={"synthetic": 0.2},
        shard_size=40 * 1648,
        target=target,
    )
    return corpus(seed, n, "lognormal", [0.35, 0.15, 0.1], config=config), config


def test_a_document_stands_once_in_a_shard():
    table, config = example()
    plan, _ = lay(table, config)
    twice = pa.concat_tables([table, table.filter(table["original"]).slice(0, 1)])
    n = len(twice)
    dealt = {
        "shard": np.zeros(n, np.int64),
        "cell": cells_of(twice, Rules.of(config)),
        "v": np.arange(n, dtype=np.uint64),
        "repeat": np.append(np.zeros(n - 1, np.int32), 1).astype(np.int32),
        **{name: twice[name] for name in ("node", "doc_id", "size")},
    }
    kept, rest, _ = finalise_shard(0, pa.table(dealt, schema=PLACED), plan)
    assert len(set(kept["node"].to_pylist())) == len(kept)
    assert twice["node"].to_pylist()[-1] in rest["node"].to_pylist()


@pytest.mark.parametrize("seed", range(5))
def test_a_small_corpus_is_hardly_trimmed(seed):
    table, config = example(seed)
    outcome = simulate(table, config)
    check(table, config, outcome)
    assert outcome.size >= outcome.plan.total * 0.97
    assert int(outcome.summaries["trimmed_size"].to_numpy().sum()) <= outcome.plan.total * 0.02


@pytest.mark.parametrize("share", [0.4, 0.7, 0.95])
def test_a_target_is_met_from_below(share):
    config = RebalanceConfig(floors={"original": 0.3}, shard_size=1_000_000)
    table = corpus(1, 6000, "lognormal", [0.2, 0.1, 0.1], config=config)
    feasible = lay(table, config)[0].feasible
    target = int(feasible * share)
    outcome = simulate(table, config.model_copy(update={"target": target}), 2)
    check(table, config, outcome)
    assert target * 0.995 <= outcome.size <= target


def test_a_target_of_protected_text_only():
    config = RebalanceConfig(floors={"original": 1.0}, shard_size=1_000_000, target=3_000_000)
    table = corpus(1, 3000, "lognormal", [0.6, 0.1, 0.1], config=config)
    outcome = simulate(table, config)
    check(table, config, outcome)
    assert 3_000_000 * 0.995 <= outcome.size <= 3_000_000


def test_all_original_needs_nothing():
    config = RebalanceConfig(floors={"original": 0.3}, shard_size=100_000)
    table = corpus(2, 2000, "lognormal", [1.0, 0.1, 0.1], config=config)
    outcome = simulate(table, config)
    check(table, config, outcome)
    assert outcome.size == int(table["size"].to_numpy().sum())
    assert outcome.trimmed.num_rows == 0
    assert len(outcome.assigned) == len(table)


def test_without_rules_everything_is_published():
    config = RebalanceConfig(shard_size=100_000)
    table = corpus(5, 700, "lognormal", [0.2, 0.1, 0.1], config=config)
    outcome = simulate(table, config, 2)
    check(table, config, outcome)
    assert outcome.trimmed.num_rows == 0
    assert len(outcome.assigned) == len(table)


def test_no_original_is_refused():
    config = RebalanceConfig(floors={"original": 0.3}, shard_size=100_000)
    table = corpus(2, 500, "lognormal", [0.0, 0.1, 0.1], config=config)
    with pytest.raises(InfeasibleError, match="No size is feasible"):
        simulate(table, config)


def test_one_in_ten_thousand_original_is_refused_with_arithmetic():
    config = RebalanceConfig(floors={"original": 0.3}, shard_size=1_000_000)
    n = 10_000
    table = rows(np.full(n, 1000), np.arange(n) == 77)
    with pytest.raises(InfeasibleError, match=r"have 4,000 chars .* need 300,000.*target 13333"):
        simulate(table, config)


def test_a_tail_of_three_documents():
    # 3 documents x 4 appearances serve at most 12 shards.
    config = RebalanceConfig(floors={"tail": 0.01}, shard_size=100_000)
    n = 1500
    tail = np.arange(n) < 3
    table = rows(np.where(tail, 5000, 1000), tail=tail, lang=np.where(tail, "yor_Latn", "eng_Latn"))
    outcome = simulate(table, config)
    check(table, config, outcome)
    assert outcome.plan.shards <= 12
    assert outcome.size >= outcome.plan.total * 0.97


def test_a_tail_too_coarse_for_the_shards_is_refused_with_their_number():
    # One document holds nearly all of the floor's text; the others hold a crumb.
    config = RebalanceConfig(floors={"tail": 0.01}, shard_size=100_000, repeat_cap=1)
    n = 1000
    tail = np.arange(n) < 2
    sizes = np.where(tail, 1, 1000)
    sizes[0] = 12_000
    try:
        outcome = simulate(rows(sizes, tail=tail), config)
    except InfeasibleError as refused:
        assert "--shard-size" in str(refused)  # noqa: PT017
    else:
        check(rows(sizes, tail=tail), config, outcome)


def test_one_stratum_is_nearly_everything():
    config = RebalanceConfig(floors={"tail": 0.004}, shard_size=500_000)
    n = 5000
    tail = np.arange(n) % 1000 == 0
    sizes = np.random.default_rng(3).integers(1, 2000, n)
    table = rows(sizes, tail=tail, lang=np.where(tail, "yor_Latn", "eng_Latn"))
    outcome = simulate(table, config)
    check(table, config, outcome)


def test_another_rotation_takes_other_documents():
    config = RebalanceConfig(floors={"original": 0.3}, shard_size=100_000, target=300_000)
    table = corpus(4, 2000, "lognormal", [0.3, 0.1, 0.1], config=config)
    first = simulate(table, config)
    second = simulate(table, config.model_copy(update={"rotation": 1}))
    taken = [set(o.assigned["doc_id"].to_pylist()) for o in (first, second)]
    assert len(taken[0] & taken[1]) < 0.6 * len(taken[0])
