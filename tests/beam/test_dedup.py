"""`Deduplicate` as a whole, against every pair compared by brute force."""

import collections
import random

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.testing import test_pipeline
from dedup_corpus import (
    CONFIG,
    Staging,
    brute_force,
    documents,
    jaccard,
    shingles,
    stage,
    survivor_key,
)
from dedup_running import EXACT, EXCLUDED, NEAR, by_node, deduplicate
from keeping import Keep

from transforms.dedup.beam import Fingerprint
from transforms.dedup.config import DedupConfig
from transforms.dedup.fingerprint import fingerprint
from transforms.records import INGESTED


@pytest.fixture(scope="module")
def staging(tmp_path_factory):
    return stage(documents(), tmp_path_factory.mktemp("staging"), 5)


@pytest.fixture(scope="module")
def found(staging, tmp_path_factory):
    return deduplicate(staging, tmp_path_factory.mktemp("run"))


def test_keeps_what_brute_force_keeps(staging, found):
    kept, _, counters = found
    expected, _ = brute_force(staging)
    assert kept.keys() == expected
    assert "dedup/undecided_edges" not in counters
    removed = len(staging.documents) - len(kept)
    assert 350 < removed < len(staging.documents) - 60  # the test has something to decide


def test_every_removed_document_has_a_kept_witness_at_its_exact_similarity(staging, found):
    kept, fates, _ = found
    _, survivor = brute_force(staging)
    by_id = {staging.ids[node]: node for node in kept}
    assert {f["reason"] for f in fates.values()} == {EXACT, NEAR, EXCLUDED}
    for node, fate in fates.items():
        document = staging.documents[node]
        if document.excluded:
            assert (fate["reason"], fate["witness"], fate["similarity"]) == (EXCLUDED, None, None)
            continue
        witness = by_id[fate["witness"]]
        assert not staging.documents[witness].excluded
        assert survivor_key(staging, witness) < survivor_key(staging, node)
        if fate["reason"] == EXACT:
            assert witness == survivor[node]
            assert fate["similarity"] == 1.0
        else:
            exact = jaccard(shingles(document), shingles(staging.documents[witness]))
            assert fate["similarity"] == exact >= CONFIG.threshold


def test_no_anchor_goes_for_one_that_is_none_or_came_later(staging, found):
    kept, fates, _ = found
    by_id = {staging.ids[node]: node for node in kept}
    anchors = [n for n, f in fates.items() if f["tier"] < 2 and f["reason"] != EXCLUDED]
    assert len(anchors) > 50
    for node in anchors:
        witness = by_id[fates[node]["witness"]]
        assert kept[witness]["origin"] == 0
        assert kept[witness]["tier"] <= fates[node]["tier"]
        one, other = staging.documents[witness], staging.documents[node]
        if one.tier == other.tier and other.date_day is not None:
            assert one.date_day <= other.date_day


def test_copies_add_up(staging, found):
    kept, fates, _ = found
    stands_for = collections.Counter(f["witness"] for f in fates.values() if f["witness"])
    originals = collections.Counter(
        f["witness"] for f in fates.values() if f["witness"] and f["tier"] < 2
    )
    for node, row in kept.items():
        assert row["doc_id"] == staging.ids[node]
        assert row["copies"] == 1 + stands_for[row["doc_id"]]
        assert row["copies_original"] == (row["tier"] < 2) + originals[row["doc_id"]]


def test_days_are_those_of_all_that_a_document_stands_for(staging, found):
    kept, fates, _ = found
    days = collections.defaultdict(list)
    for node in staging.documents:
        of = kept[node]["doc_id"] if node in kept else fates[node]["witness"]
        day = staging.documents[node].date_day
        days[of] += [] if of is None or day is None else [day]
    for row in kept.values():
        seen = days[row["doc_id"]]
        span = (min(seen, default=None), max(seen, default=None))
        assert (row["first_day"], row["last_day"]) == span
    assert any(r["first_day"] != r["last_day"] for r in kept.values())


def test_a_boilerplate_with_a_number_in_it_leaves_one(staging, found):
    kept, _, _ = found
    left = [n for n in kept if staging.documents[n].tokens[:1] == ("notice0",)]
    assert len(left) == 1


def test_a_document_without_tokens_knows_exact_copies_only(staging, found):
    kept, fates, _ = found
    bare = [n for n, d in staging.documents.items() if not d.tokens and not d.excluded]
    assert len({staging.documents[n].text.strip() for n in bare if n in kept}) == 2
    assert {fates[n]["reason"] for n in bare if n in fates} == {EXACT}


@pytest.mark.parametrize(
    ("carrier", "scale", "batch_rows", "seed"),
    [("files", 1, 33, 1), ("shuffle", 1, 97, None), ("shuffle", 7, 1000, 2)],
)
def test_carrier_scale_batches_and_order_change_nothing(
    staging, found, tmp_path, carrier, scale, batch_rows, seed
):
    kept, fates, _ = deduplicate(
        staging, tmp_path, carrier, scale, batch_rows=batch_rows, seed=seed
    )
    assert kept == found[0]
    assert fates == found[1]


def by_record(staging, kept, fates):
    """Outcomes without where a record happened to lie."""

    def plain(node, row):
        return (staging.ids[node], *(v for k, v in sorted(row.items()) if k not in ("node", "by")))

    return [
        collections.Counter(plain(node, row) for node, row in rows.items())
        for rows in (kept, fates)
    ]


def test_files_and_places_of_the_records_change_nothing(staging, found, tmp_path):
    made = documents()
    random.Random(5).shuffle(made)
    (tmp_path / "other").mkdir()
    other = stage(made, tmp_path / "other", 2)
    kept, fates, _ = deduplicate(other, tmp_path)
    assert by_record(other, kept, fates) == by_record(staging, *found[:2])


def test_the_number_of_rounds_does_not_show_in_what_is_kept(staging, found, tmp_path):
    config = DedupConfig(rounds=0)
    kept, fates, _ = deduplicate(staging, tmp_path, config=config)
    assert kept.keys() == found[0].keys()
    assert {n: f["reason"] for n, f in fates.items()} == {
        n: f["reason"] for n, f in found[1].items()
    }


def test_what_is_too_much_to_solve_is_kept_and_counted(staging, found, tmp_path):
    # Without rounds, every edge is residue, and none may be solved.
    kept, fates, counters = deduplicate(
        staging, tmp_path, config=DedupConfig(rounds=0, residue_edges=0)
    )
    assert kept.keys() > found[0].keys()
    assert {f["reason"] for f in fates.values()} == {EXACT, EXCLUDED}
    assert counters["dedup/undecided_edges"] > 300


def test_nothing_in_gives_nothing_out(staging, tmp_path):
    empty = Staging({}, {}, staging.light.slice(0, 0), staging.parts)
    assert deduplicate(empty, tmp_path, config=DedupConfig(rounds=1))[:2] == ({}, {})


def test_fingerprint_in_a_pipeline_is_the_function(tmp_path):
    rows = [{"node": k, "text": f"Text {k} é"} for k in range(5)]
    batch = pa.RecordBatch.from_pylist(rows, schema=INGESTED)
    with test_pipeline.TestPipeline(runner="FnApiRunner") as pipeline:
        given = pipeline | beam.Create([batch.slice(2, 2)]).with_output_types(pa.RecordBatch)
        marked = given | Fingerprint(CONFIG)
        assert marked.element_type is pa.RecordBatch
        marked | beam.ParDo(Keep(str(tmp_path)))
    expected = fingerprint(batch, CONFIG)
    assert list(by_node(tmp_path, expected.schema)[0].values()) == expected.to_pylist()[2:4]
