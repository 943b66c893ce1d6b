"""Fetching vectors from staging, and comparing pairs by them."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dedup_reference import SAMPLES, shingles, similarity

from transforms.dedup.config import DedupConfig
from transforms.dedup.fingerprint import fingerprint
from transforms.dedup.near.compare import (
    SETS,
    SIGNATURES,
    compare_sets,
    compare_signatures,
    fetch_sets,
    fetch_signatures,
)
from transforms.dedup.rows import EDGE, ESTIMATED, NODE, PAIR, PART, REQUEST
from transforms.dedup.shingles import shingle_sets
from transforms.errors import InputError
from transforms.records import INDEX_PART, INGESTED, PART_BITS

CONFIG = DedupConfig()
PARTS = (0, 3, 2**40 - 1)
"""Numbers of parts: of the first, of one after a gap, and the highest there can be."""


@pytest.fixture(scope="module")
def staging(tmp_path_factory):
    """Texts by node, their staged rows by node, and the PART rows of three files."""
    folder = tmp_path_factory.mktemp("staging")
    texts, staged, parts = {}, {}, []
    for part in PARTS:
        rows = []
        for number, sample in enumerate([*SAMPLES.values(), "", "?"]):
            node = (part << PART_BITS) + number
            texts[node] = f"{sample} {part}" if sample and number % 2 else sample
            rows.append({"node": node, "text": texts[node], "url": str(node)})
        batch = fingerprint(pa.RecordBatch.from_pylist(rows, schema=INGESTED), CONFIG)
        tail = pa.array([row["node"] % 3 == 0 for row in rows])
        batch = batch.append_column("tail", tail)
        staged |= {row["node"]: row for row in batch.to_pylist()}
        path = str(folder / f"part {part}.parquet")
        pq.write_table(pa.Table.from_batches([batch]), path, row_group_size=3)
        parts.append({"part": part, "path": path, "rows": len(rows), "first": 0})
    return texts, staged, pa.Table.from_pylist(parts, schema=PART)


def requests(wanted):
    return pa.Table.from_pylist([{"node": n, "dest": d} for n, d in wanted], schema=REQUEST)


def ask(staging, fetch, wanted, **options):
    """Answers by (node, dest); every request once."""
    rows = []
    for name, table in fetch(0, {"requests": requests(wanted), "parts": staging[2]}, **options):
        assert name == "vectors"
        rows += table.to_pylist()
    assert sorted((r["node"], r["dest"]) for r in rows) == sorted(wanted)
    return {(r["node"], r["dest"]): r for r in rows}


def wanted_of(nodes):
    """Requests in no order, some documents for several destinations, most row groups gapped."""
    chosen = [n for k, n in enumerate(nodes) if k % 3 != 1]
    return [(n, 2) for n in reversed(chosen)] + [(n, 0) for n in chosen[::2]] + [(chosen[4], 7)]


def test_signatures_come_from_their_rows(staging):
    texts, staged, _ = staging
    answers = ask(staging, fetch_signatures, wanted_of(list(texts)))
    for (node, _), row in answers.items():
        assert row["vector"] == staged[node]["signature"]
        assert row["doc_id"] == staged[node]["doc_id"]


def test_sets_come_from_their_rows(staging):
    texts, staged, _ = staging
    answers = ask(staging, fetch_sets, wanted_of(list(texts)), ngram=2)
    for (node, _), row in answers.items():
        assert row["tail"] is staged[node]["tail"]
        assert row["vector"] == shingle_sets(pa.array([texts[node]]), 2).to_pylist()[0]


@pytest.mark.parametrize("at", [0, 2, 3, 10])
def test_single_rows_at_the_ends_of_row_groups(staging, at):
    node = (3 << PART_BITS) + at
    assert set(ask(staging, fetch_signatures, [(node, 1)])) == {(node, 1)}


def test_a_part_may_begin_within_a_file(staging):
    _, staged, parts = staging
    old = INDEX_PART + 2
    first = parts.to_pylist()[1]
    within = pa.Table.from_pylist([{**first, "part": old, "rows": 5, "first": 4}], schema=PART)
    wanted = requests([((old << PART_BITS) + row, 0) for row in range(5)])
    tables = {"requests": wanted, "parts": within}
    found = [row for _, table in fetch_signatures(0, tables) for row in table.to_pylist()]
    assert len(found) == 5
    for row in found:
        there = staged[(PARTS[1] << PART_BITS) + row["node"] - (old << PART_BITS) + 4]
        assert (row["doc_id"], row["vector"]) == (there["doc_id"], there["signature"])


def test_no_requests_read_nothing(staging):
    assert ask(staging, fetch_signatures, []) == {}
    # A partition may hold parts and no requests; then files are not even opened.
    gone = pa.table({"part": [0], "path": ["gone"], "rows": [1], "first": [0]}, schema=PART)
    assert list(fetch_sets(0, {"requests": requests([]), "parts": gone}, ngram=5)) == []


def test_a_shard_of_an_earlier_run_that_is_gone_answers_nothing(staging):
    old = INDEX_PART + 5
    wanted = [(1, 0), ((old << PART_BITS) + 3, 0)]
    answers = list(fetch_sets(0, {"requests": requests(wanted), "parts": staging[2]}, ngram=5))
    assert [row["node"] for _, table in answers for row in table.to_pylist()] == [1]
    gone = {"part": 0, "path": "gone.parquet", "rows": 9, "first": 0}
    missing = pa.Table.from_pylist([gone], schema=PART)
    with pytest.raises(InputError, match=r"gone\.parquet"):
        list(fetch_sets(0, {"requests": requests([(1, 0)]), "parts": missing}, ngram=5))


def pair_table(pairs, schema=PAIR):
    rows = [{"u": u, "v": v, "dest": 4, "estimate": 0.9, "witness": b"%016d" % u} for u, v in pairs]
    return pa.Table.from_pylist(rows, schema=schema)


def compared(pairs, rows, threshold=0.8, tail_threshold=None):
    """Edges by pair, after a look at the documents that are said to be beaten."""
    halves = [pa.Table.from_pylist(half, schema=SETS) for half in (rows[:2], rows[2:])]
    # In two chunks, as pieces come from several parts.
    tables = {"pairs": pair_table(pairs, ESTIMATED), "vectors": pa.concat_tables(halves)}
    options = {"threshold": threshold, "tail_threshold": tail_threshold or threshold}
    out = dict(compare_sets(4, tables, **options))
    assert {name: table.schema for name, table in out.items()} == {"edges": EDGE, "beaten": NODE}
    edges = {(e["u"], e["v"]): e for e in out["edges"].to_pylist()}
    assert out["beaten"].column("node").to_pylist() == sorted({v for _, v in edges})
    return edges


def vectors_of(pairs):
    return sorted({node for pair in pairs for node in pair}, reverse=True)


@pytest.mark.parametrize(
    ("least", "left"), [(0.0, {2, 3, 4}), (0.5, {3, 4}), (0.75, {4}), (1.0, {4})]
)
def test_estimates_drop_distant_pairs(least, left):
    values = {1: [1, 2, 3, 4], 2: [5, 6, 7, 8], 3: [1, 2, 7, 8], 4: [1, 2, 3, 4]}
    pairs = [(1, 2), (1, 3), (1, 4)]
    rows = [
        {
            "dest": 4,
            "node": n,
            "doc_id": b"%d" % n,
            "vector": np.array(values[n], "<u4").tobytes(),
        }
        for n in vectors_of(pairs)
    ]
    tables = {"pairs": pair_table(pairs), "vectors": pa.Table.from_pylist(rows, schema=SIGNATURES)}
    out = dict(compare_signatures(4, tables, least=least))
    assert set(out["pairs"].column("v").to_pylist()) == left
    assert out["pairs"].schema == ESTIMATED
    estimates = {2: 0.0, 3: 0.5, 4: 1.0}
    for row in out["pairs"].to_pylist():
        assert (row["estimate"], row["witness"]) == (estimates[row["v"]], b"1")
    assert set(out["requests"].column("node").to_pylist()) == {1} | left
    assert set(out["requests"].column("dest").to_pylist()) == {4}


@pytest.mark.parametrize("threshold", [0.2, 0.5, 0.8, 1.0])
def test_edges_are_the_pairs_at_or_above_the_threshold(threshold):
    words = " ".join(f"w{k}" for k in range(40))
    texts = {
        10: words,
        11: words.replace("w20", "x"),  # 31 of 41 shingles are left
        12: words.replace("w39", "x"),  # 35 of 37
        13: " ".join(words.split()[:20]),
        14: words.upper().replace(" ", ", "),  # 1.0
        15: "other words altogether, and more of them",
    }
    pairs = [(u, v) for u in texts for v in texts if u < v]
    made = shingle_sets(pa.array(list(texts.values())), 5).to_pylist()
    sets = dict(zip(texts, made, strict=True))
    rows = [{"dest": 4, "node": n, "tail": False, "vector": sets[n]} for n in vectors_of(pairs)]
    found = compared(pairs, rows, threshold)
    exact = {(u, v): similarity(shingles(texts[u], 5), shingles(texts[v], 5)) for u, v in pairs}
    assert found.keys() == {pair for pair, s in exact.items() if s >= threshold}
    for pair, edge in found.items():
        assert edge["similarity"] == exact[pair]
        assert edge["witness"] == b"%016d" % pair[0]
        assert edge["u_kept"] is False


def test_exactly_the_threshold_is_near_enough():
    # 4 of 5 single-token shingles: 0.8 must not be lost to rounding.
    sets = shingle_sets(pa.array(["a b c d", "a b c d e"]), 1).to_pylist()
    rows = [{"dest": 4, "node": n, "tail": False, "vector": s} for n, s in enumerate(sets)]
    assert compared([(0, 1)], rows)[0, 1]["similarity"] == 0.8


@pytest.mark.parametrize(("tails", "removed"), [((0, 0), 1), ((1, 0), 1), ((0, 1), 0), ((1, 1), 0)])
def test_a_threshold_of_its_own_guards_the_tail_document_that_would_go(tails, removed):
    sets = shingle_sets(pa.array(["a b c d", "a b c d e"]), 1).to_pylist()
    rows = [{"dest": 4, "node": n, "tail": bool(tails[n]), "vector": sets[n]} for n in (0, 1)]
    assert len(compared([(0, 1)], rows, tail_threshold=0.9)) == removed


def test_the_estimate_stands_in_for_the_text_of_an_earlier_run():
    old = (INDEX_PART << PART_BITS) + 7
    sets = shingle_sets(pa.array(["a b c d", "a b c d e", "x y z"]), 1).to_pylist()
    rows = [{"dest": 4, "node": n, "tail": False, "vector": s} for n, s in enumerate(sets)]
    found = compared([(old, 0), (0, 1), (old + 1, 1), (0, 2)], rows)
    assert {p: (e["similarity"], e["u_kept"]) for p, e in found.items()} == {
        (old, 0): (0.9, True),
        (0, 1): (0.8, False),
        (old + 1, 1): (0.9, True),
    }
    assert compared([(old, 0)], rows, threshold=0.95) == {}


def test_no_pairs_make_no_edges():
    tables = {"pairs": ESTIMATED.empty_table(), "vectors": SETS.empty_table()}
    assert list(compare_sets(0, tables, threshold=0.8, tail_threshold=0.8)) == []
    tables = {"pairs": PAIR.empty_table(), "vectors": SIGNATURES.empty_table()}
    assert list(compare_signatures(0, tables, least=0.65)) == []
