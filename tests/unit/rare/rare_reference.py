"""What counting rare types should do, written from its definitions in plain Python."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from transforms.rare.count import count_types, follow_documents, follow_types, sum_usual
from transforms.rare.local import LocalTypes
from transforms.rare.parts import held_types
from transforms.rare.rows import COMMON, HOLDER, ORIGINAL, PAIR, TOLD
from transforms.rebalance.finalise import ASSIGNED

CODE = set("#$%&*+/<=>@\\^_`{|}~")
UNSPACED = ("CJK ", "IDEOGRAPHIC ", "HIRAGANA ", "KATAKANA", "THAI ", "LAO ")
SCRIPTS = {
    "Latn": ("LATIN ",),
    "Cyrl": ("CYRILLIC ",),
    "Arab": ("ARABIC ",),
    "Deva": ("DEVANAGARI ",),
    "Hang": ("HANGUL ", "CJK "),
    "Hans": ("CJK ",),
    "Jpan": ("CJK ", "HIRAGANA ", "KATAKANA"),
    "Thai": ("THAI ",),
}
Document = tuple[str, str]
"""A text and its language."""


def _tokens(normal: str) -> list[tuple[int, int, bool]]:
    """Where tokens begin and end, and whether each is a character of its own."""
    found: list[tuple[int, int, bool]] = []
    for at, character in enumerate(normal):
        category = unicodedata.category(character)
        touches = bool(found) and found[-1][1] == at
        if category[0] == "M" and touches:
            found[-1] = (found[-1][0], at + 1, found[-1][2])
        elif category[0] in "LM" or category == "Nd":
            name = unicodedata.name(character)
            single = category[0] == "L" and name.startswith(UNSPACED)
            if touches and not single and not found[-1][2]:
                found[-1] = (found[-1][0], at + 1, False)
            else:
                found.append((at, at + 1, single))
    return found


def _own(token: str, lang: str) -> bool:
    names = SCRIPTS[lang.partition("_")[2]]
    letters = [c for c in token if unicodedata.category(c)[0] != "M"]
    return all(
        unicodedata.category(c)[0] == "L" and unicodedata.name(c).startswith(names) for c in letters
    )


def types(text: str, lang: str) -> set[tuple[str, str]]:
    """The types of a text."""
    normal = unicodedata.normalize("NFKC", text).lower()
    found, stretches, ended = set(), [], -1
    for start, stop, single in _tokens(normal):
        token = normal[start:stop]
        if single:
            if _own(token, lang):
                if ended != start:
                    stretches.append([])
                stretches[-1].append(token)
                ended = stop
        elif _own(token, lang) and 2 <= len(token) <= 32:
            around = normal[start - 1 : start] if start else "", normal[stop : stop + 1]
            if not CODE & set(around):
                found.add(token)
    size = 2 if "CJK " in SCRIPTS[lang.partition("_")[2]] else 4
    for stretch in stretches:
        if len(stretch) > 1:
            n = min(size, len(stretch))
            found |= {"".join(stretch[k : k + n]) for k in range(len(stretch) - n + 1)}
    return {(token, lang) for token in found}


def holders(documents: Sequence[Document]) -> dict[tuple[str, str], set[int]]:
    """The documents that hold each type."""
    found = defaultdict(set)
    for number, (text, lang) in enumerate(documents):
        for one in types(text, lang):
            found[one].add(number)
    return dict(found)


def survivors(documents: Sequence[Document], published: set[int]) -> Counter[tuple[str, int, bool]]:
    """Rare types by language, number of documents, and whether one of these is published."""
    return Counter(
        (lang, len(held), bool(held & published))
        for (_, lang), held in holders(documents).items()
        if len(held) <= 5
    )


def originals(documents: Sequence[Document], node: Sequence[int]) -> pa.Table:
    """Rows of `ORIGINAL`; a document is as large as its text."""
    rows = [
        {"node": n, "lang": lang, "size": len(text)}
        for n, (text, lang) in zip(node, documents, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=ORIGINAL)


def read(rows: pa.Table, texts: Sequence[str], batch: int) -> dict[str, pa.Table]:
    """What reading one part gives, so many texts at a time."""
    found, held = LocalTypes(), [np.empty(0, np.int32)]
    node = rows.column("node").to_numpy()
    lang = rows.column("lang").combine_chunks()
    for at in range(0, len(texts), batch):
        some = slice(at, at + batch)
        held.append(found.add(pa.array(texts[some], pa.string()), lang[some], node[some]))
    count = pa.array(np.concatenate(held))
    hashes, nodes = found.rare()
    langs = lang.take(pa.array(np.searchsorted(node, nodes)))
    return {
        "holders": pa.table([rows.column("node"), count], schema=HOLDER),
        "usual": held_types(rows, pa.chunked_array([count])),
        "pairs": pa.table([pa.array(hashes), pa.array(nodes), langs], schema=PAIR),
        "common": pa.table([pa.array(found.common())], schema=COMMON),
    }


def cut(table: pa.Table, column: str, partitions: int) -> list[pa.Table]:
    """A table in partitions by a column of integers, in an order unlike the given one."""
    shuffled = table.take(np.arange(len(table))[::-1])
    index = shuffled.column(column).to_numpy() % np.uint64(partitions)
    return [shuffled.filter(pa.array(index == np.uint64(k))) for k in range(partitions)]


def run(
    documents: Sequence[Document], published: set[int], parts: int, batch: int, partitions: int
) -> dict[str, pa.Table]:
    """The whole count, spread over parts and partitions; the node of a document is its number."""
    numbers = [list(range(part, len(documents), parts)) for part in range(parts)]
    made = [
        (originals([documents[n] for n in some], some), [documents[n][0] for n in some])
        for some in numbers
    ]
    told = [read(rows, texts, batch) for rows, texts in made]
    gathered: dict[str, Any] = {
        name: pa.concat_tables([one[name] for one in told]) for name in told[0]
    }
    gathered["originals"] = pa.concat_tables([rows for rows, _ in made])
    pairs, common = (cut(gathered[name], "type", partitions) for name in ("pairs", "common"))
    counted = [
        dict(count_types(k, {"pairs": pairs[k], "common": common[k]})) for k in range(partitions)
    ]
    gathered["rare"] = pa.concat_tables([one["rare"] for one in counted])
    sums = [gathered["usual"], *(one["usual"] for one in counted)]
    ((_, gathered["usual"]),) = sum_usual(0, {"usual": pa.concat_tables(sums)})
    gathered["told"] = _followed(gathered, published, partitions)
    return gathered


def _followed(given: Mapping[str, pa.Table], published: set[int], partitions: int) -> pa.Table:
    zero = {field.name: b"" if field.type == pa.binary() else 0 for field in ASSIGNED}
    rows = [zero | {"node": n, "repeat": k} for n in sorted(published) for k in range(2)]
    given = {**given, "assigned": pa.Table.from_pylist(rows, schema=ASSIGNED)}
    pieces = {name: cut(given[name], "node", partitions) for name in ("originals", "rare")}
    pieces["assigned"] = cut(given["assigned"], "node", partitions)
    told, shared = [TOLD.empty_table()], []
    for k in range(partitions):
        for name, table in follow_documents(k, {n: pieces[n][k] for n in pieces}):
            (told if name == "told" else shared).append(table)
    for k, table in enumerate(cut(pa.concat_tables(shared), "type", partitions)):
        told += [rows for _, rows in follow_types(k, {"shared": table})]
    return pa.concat_tables(told)
