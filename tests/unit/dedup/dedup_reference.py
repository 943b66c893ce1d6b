"""What deduplication should do, written from its definitions in plain Python."""

from __future__ import annotations

import datetime
import itertools
import unicodedata
from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa

from transforms.dedup.rows import EDGE, LIGHT

Pair = tuple[int, int]

UNSPACED = ("CJK ", "IDEOGRAPHIC ", "HIRAGANA ", "KATAKANA", "THAI ", "LAO ", "KHMER ")
UNSPACED += ("MYANMAR ", "TIBETAN ")
"""How Unicode names begin of letters that are written without spaces between words."""

SAMPLES = {
    "english": "The Quick Brown fox, 3 times; can't jump over O'Neill’s lazy dog twice",
    "chinese": "人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心",
    "japanese": "すべての人間は、生まれながらにして自由であり、ヴァイオリンとデータ々",
    "thai": "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์ ๓๔ น้ำ",
    "arabic": "يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق، وقد وهبوا عقلًا",
    "hindi": "सभी मनुष्यों को गौरव और अधिकारों के विषय में जन्मजात स्वतन्त्रता १२ प्राप्त है",
    "korean": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다 한글",
    "greek": "ΟΔΟΣ ΣΟΦΟΣ όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια",
    "mixed": "Python 3.11 は速い! ﬁle №5 กข a\u0301b \u0301x 東京Tower２０２１年 l'été ½",
}
"""A sentence for each way of writing that the tokenizer must tell apart."""


def tokens(text: str) -> list[str]:
    """Runs of letters, marks and digits; each letter of an unspaced script with its marks."""
    found: list[str] = []
    joinable = alone = False
    for character in unicodedata.normalize("NFKC", text).lower():
        category = unicodedata.category(character)
        if category[0] == "M" and joinable:
            found[-1] += character
            continue
        if category[0] not in "LM" and category != "Nd":
            joinable = alone = False
            continue
        name = unicodedata.name(character)
        single = category[0] == "L" and name.startswith(UNSPACED)
        if joinable and not single and not alone:
            found[-1] += character
        else:
            found.append(character)
        joinable, alone = True, single
    return found


def shingles(text: str, n: int) -> set[tuple[str, ...]]:
    """The n-grams of tokens; one of all tokens when there are fewer; none without any."""
    words = tokens(text)
    if not words:
        return set()
    size = min(n, len(words))
    return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}


def similarity(one: set[object], other: set[object]) -> float:
    """Jaccard similarity; 0 for two empty sets."""
    return len(one & other) / len(one | other) if one | other else 0.0


def first_independent_set(
    order: Iterable[int], edges: Iterable[Pair]
) -> tuple[set[int], dict[int, set[int]]]:
    """Takes nodes in order; one stays unless a neighbour before it stays.

    Returns:
        What stays, and for each node that does not, the kept neighbours before it.
    """
    neighbours: dict[int, set[int]] = {}
    for u, v in edges:
        neighbours.setdefault(u, set()).add(v)
        neighbours.setdefault(v, set()).add(u)
    kept: set[int] = set()
    removed: dict[int, set[int]] = {}
    for node in order:
        before = neighbours.get(node, set()) & kept
        if before:
            removed[node] = before
        else:
            kept.add(node)
    return kept, removed


def survivor_sort_key(row: Mapping[str, object]) -> tuple[object, ...]:
    """Promise 2 as a Python sort key over a row of `light`: the least survives."""
    undated, unknown = row["date_day"] is None, row["p"] == -1
    chance = (False, 0) if row["tier"] == 0 else (unknown, row["p"])
    return (
        row["tier"],
        (undated, row["date_day"] or 0),
        chance,
        -int(str(row["n_chars"])),
        row["doc_id"],
    )


_DEFAULTS: dict[str, object] = {
    "date_day": datetime.date(2024, 1, 1).toordinal(),
    "tier": 2,
    "declared": False,
    "convicted": False,
    "excluded": False,
    "p": -1,
    "n_chars": 100,
    "size": 100,
    "lang": "eng_Latn",
    "mixed": False,
    "tail": False,
    "likely": 0,
    "bands": None,
}


def light_row(node: int, text: str = "", **fields: object) -> dict[str, object]:
    """A row of LIGHT; copies are rows of one `text`."""
    identity = {
        "node": node,
        "doc_id": (node * 0x9E3779B97F4A7C15 % 2**64).to_bytes(8, "big") + bytes(8),
        "text_hash": text.encode().ljust(16, b"."),
    }
    return _DEFAULTS | identity | fields


def light(rows: Iterable[Mapping[str, object]]) -> pa.Table:
    """Rows of LIGHT as a table."""
    return pa.Table.from_pylist(list(rows), schema=LIGHT)


def edge_table(pairs: Iterable[Pair], rank: Mapping[int, int]) -> pa.Table:
    """EDGE rows; the node of the lower rank is `u`. The witness is named by its number."""
    oriented = [sorted(pair, key=rank.__getitem__) for pair in pairs]
    rows = [
        {
            "u": u,
            "v": v,
            "u_hi": rank[u] >> 2,
            "u_lo": rank[u] & 3,
            "v_hi": rank[v] >> 2,
            "v_lo": rank[v] & 3,
            "similarity": 0.8 + (u + v) % 7 / 100,
            "witness": witness(u),
            "u_kept": False,
        }
        for u, v in oriented
    ]
    return pa.Table.from_pylist(rows, schema=EDGE)


def witness(node: int) -> bytes:
    """The doc_id that `edge_table` gives a node."""
    return int(node).to_bytes(16, "big")


def cut(table: pa.Table, column: str, partitions: int) -> list[pa.Table]:
    """A table in partitions by a column of integers, in an order unlike the given one."""
    index = table.column(column).to_numpy() % np.uint64(partitions)
    shuffled = table.take(np.arange(len(table))[::-1])
    return [shuffled.filter(pa.array(index[::-1] == np.uint64(k))) for k in range(partitions)]


def all_pairs(items: Iterable[int]) -> set[frozenset[int]]:
    """Every unordered pair."""
    return {frozenset(pair) for pair in itertools.combinations(items, 2)}
