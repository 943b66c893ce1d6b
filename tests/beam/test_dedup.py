"""`Deduplicate` as a whole, against every pair compared by brute force.

Documents are made of lists of tokens, so that their shingles are known without any
tokenizer, in scripts with spaces and without.
"""

import collections
import dataclasses
import pathlib
import random
import tempfile

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.testing import test_pipeline

from transforms.dedup.beam import Deduplicate, Fingerprint, Scale
from transforms.dedup.config import DedupConfig
from transforms.dedup.fingerprint import fingerprint
from transforms.dedup.light import light_rows
from transforms.dedup.rows import FATE, KEPT, PART, TIERS, reason_code
from transforms.exchange import Spool
from transforms.records import INGESTED, PART_BITS

CONFIG = DedupConfig()
EXACT, NEAR, EXCLUDED = map(reason_code, ("exact_duplicate", "near_duplicate", "excluded"))
BOILERPLATES = 300


@dataclasses.dataclass
class Document:
    """What is known of a document before it is staged."""

    tokens: tuple[str, ...]
    text: str
    url: str
    tier: str | None = None
    date_day: int | None = None
    p: float | None = None
    excluded: bool = False


def _word(draw, letters, longest):
    return "".join(draw.choice(letters) for _ in range(draw.randint(2, longest)))


def _span(first, last):
    return [chr(point) for point in range(first, last + 1)]


SCRIPTS = {
    # name: (what is put between tokens, how a token is drawn)
    "latin": (" ", lambda draw: _word(draw, "abcdefghijklmnoprstuvß", 7)),
    "arabic": (" ", lambda draw: _word(draw, _span(0x628, 0x63A), 6) + "\u064b"),
    "hindi": (" ", lambda draw: draw.choice(_span(0x915, 0x928)) + "\u093f" + _word(draw, "कमल", 3)),
    "korean": (" ", lambda draw: _word(draw, _span(0xAC00, 0xD7A3), 4)),
    "chinese": ("", lambda draw: draw.choice(_span(0x4E00, 0x9FA0))),
    "thai": ("", lambda draw: draw.choice(_span(0xE01, 0xE2E)) + draw.choice(["", "\u0e48"])),
}


def _edited(draw, tokens, token, edits):
    made = list(tokens)
    for at in draw.sample(range(len(made)), edits):
        made[at] = token(draw)
    return tuple(made)


def _family(draw, token):
    """A text, its exact copies, near copies at many distances, and a chain of edits."""
    base = tuple(token(draw) for _ in range(draw.randint(60, 150)))
    yield from [base] * draw.randint(0, 2)
    yield from (_edited(draw, base, token, edits) for edits in (1, 1, 2, 3, 4, 6, 9))
    link = base
    for _ in range(4):
        link = _edited(draw, link, token, 2)
        yield from [link] * draw.randint(1, 2)


def _written(draw, tokens, between):
    """The tokens as a text; white space and case are no difference."""
    text = between.join(tokens)
    text = draw.choice([text, text.upper().replace("SS", "ß"), f"\u3000{text}\n"])
    return text.replace(" ", draw.choice([" ", "  ", "\n"])) if between else text


def documents():
    """A few hundred documents; the same at every call."""
    draw = random.Random(11)
    texts = []
    for between, token in SCRIPTS.values():
        for _ in range(3):
            family = [*_family(draw, token)]
            texts += [(tokens, _written(draw, tokens, between)) for tokens in family]
    notice = [f"notice{k}" for k in range(200)]
    for number in range(BOILERPLATES):
        tokens = (*notice[:90], str(number), *notice[90:])
        texts.append((tokens, " ".join(tokens)))
    texts += [((), text) for text in ("", "…!", "…!", " ")]
    made = [
        Document(
            tokens, text, f"https://example.org/{number}",
            draw.choice([None, None, None, "A", "B"]),
            draw.choice([None, *range(737_000, 737_040)]),
            draw.choice([None, 0.0, 0.25, 1.0]),
            draw.random() < 0.03,
        )
        for number, (tokens, text) in enumerate(texts)
    ]
    # Records equal in every field are interchangeable.
    return [*made, *made[:3], made[0]]


def own_evidence(group, tier, date_day, declared, convicted):
    return np.where(tier < 2, 0, 1).astype(np.int8), tier


@dataclasses.dataclass
class Staging:
    """Where documents were put, and which node is which."""

    documents: dict[int, Document]
    ids: dict[int, bytes]
    light: pa.Table
    parts: pa.Table


def stage(made, folder, files):
    """Writes documents in their order to Parquet files of small row groups."""
    parts, light, by_node, ids = [], [], {}, {}
    size = -(-len(made) // files)
    for number, part in enumerate(made[at : at + size] for at in range(0, len(made), size)):
        rows = [
            {"node": (number << PART_BITS) + k, "text": d.text, "url": d.url, "date_day": d.date_day}
            for k, d in enumerate(part)
        ]
        staged = pa.Table.from_batches(
            [fingerprint(pa.RecordBatch.from_pylist(rows, schema=INGESTED), CONFIG)]
        )
        for name, values, kind in (
            ("origin_tier", [d.tier for d in part], pa.string()),
            ("p_synthetic", [d.p for d in part], pa.float32()),
            ("lang", ["eng_Latn"] * len(part), pa.string()),
            ("tail", [False] * len(part), pa.bool_()),
        ):
            staged = staged.append_column(name, pa.array(values, kind))
        path = str(folder / f"part-{number}.parquet")
        pq.write_table(staged, path, row_group_size=50)
        parts.append({"part": number, "path": path, "rows": len(part)})
        excluded = pa.array([d.excluded for d in part])
        convicted = pa.array([False] * len(part))
        light.append(light_rows(staged, excluded, convicted, "chars", CONFIG))
        by_node |= {row["node"]: d for row, d in zip(rows, part, strict=True)}
        ids |= {r["node"]: r["doc_id"] for r in staged.select(["node", "doc_id"]).to_pylist()}
    return Staging(by_node, ids, pa.concat_tables(light), pa.Table.from_pylist(parts, schema=PART))


class Keep(beam.DoFn):
    """Writes batches down, so that a test can read what a PCollection held."""

    def __init__(self, folder):
        self._folder = folder

    def process(self, batch):
        handle, path = tempfile.mkstemp(".arrow", dir=self._folder)
        with open(handle, "wb") as sink, pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        return [pathlib.Path(path).name]


def kept_rows(folder, schema):
    batches = []
    for path in folder.iterdir():
        with pa.ipc.open_stream(path.read_bytes()) as reader:
            batches.extend(reader)
    table = pa.Table.from_batches(batches, schema=schema)
    return {row["node"]: row for row in table.to_pylist()}, len(table)


def deduplicate(staging, folder, carrier="files", scale=4, config=CONFIG, batch_rows=64, seed=None):
    """Kept rows and fates by node, and the counters."""
    light = staging.light
    if seed is not None:
        light = light.take(np.random.default_rng(seed).permutation(len(light)))
    batches = light.combine_chunks().to_batches(max_chunksize=batch_rows)
    folder = pathlib.Path(tempfile.mkdtemp(dir=folder))
    spool = Spool(carrier, str(folder / "spool"), str(folder / "outcome"))
    pipeline = test_pipeline.TestPipeline(runner="FnApiRunner")
    given = {
        "documents": pipeline | "Documents" >> beam.Create(batches).with_output_types(pa.RecordBatch),
        "parts": pipeline
        | "Parts"
        >> beam.Create(staging.parts.to_batches(max_chunksize=1)).with_output_types(pa.RecordBatch),
    }
    settled = given | Deduplicate(config, own_evidence, Scale(scale, scale), spool)
    for name, rows in settled.items():
        assert rows.element_type is pa.RecordBatch
        (folder / name).mkdir()
        rows | f"Keep {name}" >> beam.ParDo(Keep(str(folder / name)))
    result = pipeline.run()
    kept, n_kept = kept_rows(folder / "kept", KEPT)
    fates, n_fates = kept_rows(folder / "fates", FATE)
    # Every document read has exactly one fate.
    assert n_kept + n_fates == len(staging.documents)
    assert kept.keys() | fates.keys() == staging.documents.keys()
    counters = {c.key.metric.name: c.committed for c in result.metrics().query()["counters"]}
    return kept, fates, counters


def shingles(document):
    size = min(CONFIG.ngram, len(document.tokens))
    return {document.tokens[k : k + size] for k in range(len(document.tokens) - size + 1)} if size else set()


def survivor_key(staging, node):
    """Survivor order (promise 2); `node` only tells equal records apart."""
    d = staging.documents[node]
    chance = 0 if d.tier == "A" else 2 if d.p is None else d.p
    undated = 10**9 if d.date_day is None else d.date_day
    return (TIERS.index(d.tier), undated, chance, -len(d.text), staging.ids[node], node)


def brute_force(staging):
    """What must be kept, and the survivor of each document's group of exact copies."""
    groups = collections.defaultdict(list)
    for node, d in staging.documents.items():
        groups[d.tokens or " ".join(d.text.split())].append(node)
    survivor, best = {}, []
    for nodes in groups.values():
        eligible = [n for n in nodes if not staging.documents[n].excluded]
        first = min(eligible, key=lambda n: survivor_key(staging, n), default=None)
        survivor |= dict.fromkeys(nodes, first)
        best += [] if first is None else [first]
    sets = {n: shingles(staging.documents[n]) for n in best}
    kept = []
    for node in sorted(best, key=lambda n: survivor_key(staging, n)):
        if all(jaccard(sets[node], sets[other]) < CONFIG.threshold for other in kept):
            kept.append(node)
    return set(kept), survivor


def jaccard(one, other):
    return len(one & other) / len(one | other) if one and other else 0.0


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
    [("files", 1, 1000, 1), ("files", 7, 33, 2), ("shuffle", 1, 97, None), ("shuffle", 7, 1000, 3)],
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
        return (staging.ids[node], *(v for k, v in sorted(row.items()) if k != "node"))

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


@pytest.mark.parametrize("rounds", [0, 6])
def test_the_number_of_rounds_does_not_show_in_what_is_kept(staging, found, tmp_path, rounds):
    config = DedupConfig(rounds=rounds)
    kept, fates, _ = deduplicate(staging, tmp_path, config=config)
    assert kept.keys() == found[0].keys()
    assert {n: f["reason"] for n, f in fates.items()} == {n: f["reason"] for n, f in found[1].items()}


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
    assert deduplicate(empty, tmp_path)[:2] == ({}, {})


def test_fingerprint_in_a_pipeline_is_the_function(tmp_path):
    rows = [{"node": k, "text": f"Text {k} é"} for k in range(5)]
    batch = pa.RecordBatch.from_pylist(rows, schema=INGESTED)
    with test_pipeline.TestPipeline(runner="FnApiRunner") as pipeline:
        given = pipeline | beam.Create([batch.slice(2, 2)]).with_output_types(pa.RecordBatch)
        marked = given | Fingerprint(CONFIG)
        assert marked.element_type is pa.RecordBatch
        marked | beam.ParDo(Keep(str(tmp_path)))
    expected = fingerprint(batch, CONFIG)
    assert list(kept_rows(tmp_path, expected.schema)[0].values()) == expected.to_pylist()[2:4]
