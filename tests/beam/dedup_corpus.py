"""A corpus whose duplicates are known, and the answer by comparing every pair.

Documents are made of lists of tokens, so that their shingles are known without any
tokenizer, in scripts with spaces and without.
"""

import collections
import dataclasses
import random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from transforms.dedup.config import DedupConfig
from transforms.dedup.fingerprint import fingerprint
from transforms.dedup.light import light_rows
from transforms.dedup.rows import PART, TIERS
from transforms.records import INGESTED, PART_BITS

CONFIG = DedupConfig()
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


BEH, KA, GA, HAN, KO_KAI = (
    _span(0x628, 0x63A),
    _span(0x915, 0x928),
    _span(0xAC00, 0xD7A3),
    _span(0x4E00, 0x9FA0),
    _span(0xE01, 0xE2E),
)
SCRIPTS = {
    # name: (what is put between tokens, how a token is drawn)
    "latin": (" ", lambda draw: _word(draw, "abcdefghijklmnoprtuvß", 7)),
    "arabic": (" ", lambda draw: _word(draw, BEH, 6) + "\u064b"),
    "hindi": (" ", lambda draw: draw.choice(KA) + "\u093f" + _word(draw, "कमल", 3)),
    "korean": (" ", lambda draw: _word(draw, GA, 4)),
    "chinese": ("", lambda draw: draw.choice(HAN)),
    "thai": ("", lambda draw: draw.choice(KO_KAI) + draw.choice(["", "\u0e48"])),
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
    """The tokens as a text; white space and case are no difference. No letter is an s."""
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
            tokens,
            text,
            f"https://example.org/{number}",
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


def stage(made, folder, files, config=CONFIG):
    """Writes documents in their order to Parquet files of small row groups."""
    parts, light, by_node, ids = [], [], {}, {}
    size = -(-len(made) // files)
    for number, part in enumerate(made[at : at + size] for at in range(0, len(made), size)):
        rows = [
            {
                "node": (number << PART_BITS) + k,
                "text": d.text,
                "url": d.url,
                "date_day": d.date_day,
            }
            for k, d in enumerate(part)
        ]
        staged = pa.Table.from_batches(
            [fingerprint(pa.RecordBatch.from_pylist(rows, schema=INGESTED), config)]
        )
        for name, values, kind in (
            ("origin_tier", [d.tier for d in part], pa.string()),
            ("p_synthetic", [d.p for d in part], pa.float32()),
            ("lang", ["eng_Latn"] * len(part), pa.string()),
            ("mixed", [False] * len(part), pa.bool_()),
            ("tail", [False] * len(part), pa.bool_()),
            ("synthetic_tag", ["unverified"] * len(part), pa.string()),
            ("weight", [1_000_000] * len(part), pa.int32()),
        ):
            staged = staged.append_column(name, pa.array(values, kind))
        path = str(folder / f"part-{number}.parquet")
        pq.write_table(staged, path, row_group_size=50)
        parts.append({"part": number, "path": path, "rows": len(part), "first": 0})
        excluded = pa.array([d.excluded for d in part])
        convicted = pa.array([False] * len(part))
        light.append(light_rows(staged, excluded, convicted, "chars", config))
        by_node |= {row["node"]: d for row, d in zip(rows, part, strict=True)}
        ids |= {r["node"]: r["doc_id"] for r in staged.select(["node", "doc_id"]).to_pylist()}
    return Staging(by_node, ids, pa.concat_tables(light), pa.Table.from_pylist(parts, schema=PART))


def shingles(document):
    size = min(CONFIG.ngram, len(document.tokens))
    return (
        {document.tokens[k : k + size] for k in range(len(document.tokens) - size + 1)}
        if size
        else set()
    )


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
