"""Selection equals the lexicographically first maximal independent set."""

import itertools

import pyarrow as pa
import pytest
from dedup_reference import cut, edge_table, first_independent_set, witness
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.dedup.near.select import decide, propagate, solve
from transforms.dedup.rows import EDGE, REMOVED, STATUS

Removals = dict[int, dict[str, object]]


def gather(apply, partitions, schemas):
    """Runs a partition function over partitions that hold rows, as `Exchange` does."""
    out = {name: [schema.empty_table()] for name, schema in schemas.items()}
    for number, tables in enumerate(partitions):
        if any(len(table) for table in tables.values()):
            for name, table in apply(number, tables):
                assert table.schema == schemas[name]
                out[name].append(table)
    return {name: pa.concat_tables(made) for name, made in out.items()}


def select(edges: pa.Table, rounds: int, partitions: int) -> Removals:
    """The rounds and the last step, wired as in the job."""
    removed = []
    for _ in range(rounds):
        into = [{"edges": part} for part in cut(edges, "v", partitions)]
        decided = gather(decide, into, {"removed": REMOVED, "edges": EDGE, "status": STATUS})
        removed += decided["removed"].to_pylist()
        out_of = zip(
            cut(decided["edges"], "u", partitions),
            cut(decided["status"], "node", partitions),
            strict=True,
        )
        told = [{"edges": e, "status": s} for e, s in out_of]
        edges = gather(propagate, told, {"edges": EDGE})["edges"]
    removed += gather(solve, [{"edges": edges}], {"removed": REMOVED})["removed"].to_pylist()
    nodes = [row["node"] for row in removed]
    assert len(nodes) == len(set(nodes)), "a document was removed twice"
    return {row["node"]: row for row in removed}


def check(order, pairs, found):
    """`found` is the set, each removal by a kept neighbour before it and by its edge."""
    rank = {node: k for k, node in enumerate(order)}
    kept, removed = first_independent_set(order, pairs)
    similarity = {(r["u"], r["v"]): r["similarity"] for r in edge_table(pairs, rank).to_pylist()}
    assert found.keys() == removed.keys()
    for node, row in found.items():
        assert row["by"] in kept
        assert row["by"] in removed[node]
        assert row["witness"] == witness(row["by"])
        assert row["similarity"] == similarity[row["by"], node]


@st.composite
def graphs(draw):
    size = draw(st.integers(2, 14))
    # Numbers of nodes say nothing about their order, as in the job.
    order = draw(st.permutations(range(size)))
    possible = list(itertools.combinations(range(size), 2))
    pairs = draw(st.lists(st.sampled_from(possible), unique=True, max_size=3 * size))
    return order, pairs


@settings(max_examples=250, deadline=None, database=None)
@given(graphs(), st.integers(0, 4), st.integers(1, 5))
def test_random_graphs(graph, rounds, partitions):
    order, pairs = graph
    edges = edge_table(pairs, {node: k for k, node in enumerate(order)})
    found = select(edges, rounds, partitions)
    check(order, pairs, found)
    # Which witness, too, depends on neither partitions nor the order of rows.
    assert found == select(
        edges.take(pa.array(range(len(edges) - 1, -1, -1), pa.int64())), rounds, 1
    )


def star(size):
    return [(0, k) for k in range(1, size)]


def chain(size):
    return list(itertools.pairwise(range(size)))


def clique(size):
    return list(itertools.combinations(range(size), 2))


@pytest.mark.parametrize("rounds", range(5))
@pytest.mark.parametrize("partitions", [1, 3])
@pytest.mark.parametrize(
    ("pairs", "order", "kept"),
    [
        # The best in the middle removes all leaves.
        (star(8), range(8), {0}),
        # The worst in the middle is removed; leaves are not neighbours of each other.
        (star(8), range(7, -1, -1), set(range(1, 8))),
        # The middle comes second: one leaf removes it, and so saves the others.
        (star(8), [5, 0, 1, 2, 3, 4, 6, 7], set(range(1, 8))),
        (clique(9), [4, 0, 1, 2, 3, 5, 6, 7, 8], {4}),
        (chain(9), range(9), {0, 2, 4, 6, 8}),
        # a~b, b~c but not a~c: c is not removed on a's account.
        ([(0, 1), (1, 2)], range(3), {0, 2}),
        # Two components, and one between whose neighbours are all removed.
        ([(0, 1), (3, 4), (1, 5), (4, 5)], range(6), {0, 2, 3, 5}),
    ],
    ids=["best hub", "worst hub", "second hub", "clique", "chain", "path of three", "freed"],
)
def test_shapes(pairs, order, kept, rounds, partitions):
    order = list(order)
    edges = edge_table(pairs, {node: k for k, node in enumerate(order)})
    found = select(edges, rounds, partitions)
    check(order, pairs, found)
    assert set(order) - found.keys() == kept


@pytest.mark.parametrize(("rounds", "partitions"), [(0, 1), (3, 4), (4, 7)])
def test_a_long_chain_keeps_exactly_every_second(rounds, partitions):
    size = 1000
    edges = edge_table(chain(size), {k: k for k in range(size)})
    assert sorted(select(edges, rounds, partitions)) == list(range(1, size, 2))


def test_rounds_settle_ordinary_clusters_by_themselves():
    # A clique needs one round: nothing may be left for the single worker.
    edges = edge_table(clique(12), {k: k for k in range(12)})
    first = dict(propagate(0, {"edges": edges, "status": STATUS.empty_table()}))["edges"]
    assert first.column("u_kept").to_pylist() == [True] * len(edges)  # no status: none before
    decided = dict(decide(0, {"edges": edges}))
    told = dict(propagate(0, {"edges": decided["edges"], "status": decided["status"]}))["edges"]
    again = dict(decide(0, {"edges": told}))
    assert len(again["removed"]) == 11
    assert len(again["edges"]) == 0


@pytest.mark.parametrize("apply", [decide, propagate, solve])
def test_no_edges_remove_nobody(apply):
    tables = {"edges": EDGE.empty_table(), "status": STATUS.empty_table()}
    assert sum(len(table) for _, table in apply(0, tables)) == 0


def test_the_witness_is_the_best_kept_neighbour():
    edges = edge_table([(0, 2), (1, 2)], {0: 1, 1: 0, 2: 2})
    for rounds in (0, 1, 2):
        assert select(edges, rounds, 2)[2]["by"] == 1
