"""How many rare types survive a cut in holdfast's order, and how many a random one.

    python -m benchmarks.rare FILE [FILE ...] [--lang eng_Latn] [--planted 200]

Each FILE is JSON Lines (gzip or not) or Parquet, with `text` and, unless `--lang` says
which, `lang`. Of exact copies one is taken. Each language is cut alone, by characters:
documents go in by level and then by draw, or by draw alone, until one does not fit any
more. `expected` is what `survival` says of a random cut of the size that the levels led
to. Beside the types of a single document stand those that others vouch for: what is
wrong, and rare for that, is hardly among them.

`--planted` adds so many documents of random letters, and so many in which every seventh
word is misspelled, in the commonest language, and says what share of them gets in.
"""

from __future__ import annotations

import argparse
import dataclasses
import gzip
import io
import json
import pathlib
import random
import time
from collections import Counter

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.tables import print_lines, print_table
from transforms.dedup.fingerprint import text_hashes
from transforms.rare.count import count_types, sum_usual
from transforms.rare.level import LEVELS, rare_levels
from transforms.rare.local import LocalTypes
from transforms.rare.parts import held_types
from transforms.rare.rows import COMMON, HOLDER, PAIR
from transforms.rebalance.ranks import rank_keys

__all__ = ["Corpus", "main"]

_RATES = (10, 30, 50, 80)
_PIECE = 4_096
_LETTERS = "abcdefghijklmnopqrstuvwxyz"

Flags = npt.NDArray[np.bool_]
Texts = list[tuple[str, str, str]]
"""Text, language, and what it is: real or planted."""


def _read(path: pathlib.Path, lang: str | None) -> Texts:
    if path.suffix == ".parquet":
        names = ["text"] + ([] if lang else ["lang"])
        rows = pq.read_table(path, columns=names).to_pylist()
    else:
        data = path.read_bytes()
        plain = gzip.decompress(data) if path.suffix == ".gz" else data
        rows = [json.loads(line) for line in io.BytesIO(plain)]
    return [(row["text"], lang or row["lang"], "real") for row in rows if row["text"]]


def _misspelled(text: str, draw: random.Random) -> str:
    words = text.split()
    return " ".join(
        "".join(draw.sample(word, len(word))) if at % 7 == 0 else word
        for at, word in enumerate(words)
    )


def _planted(texts: Texts, count: int) -> Texts:
    draw = random.Random(5)
    lang = Counter(lang for _, lang, _ in texts).most_common(1)[0][0]
    own = [text for text, other, _ in texts if other == lang]
    found: Texts = []
    for _ in range(count):
        words = ("".join(draw.choices(_LETTERS, k=draw.randint(2, 9))) for _ in range(150))
        found.append((" ".join(words), lang, "noise"))
        found.append((_misspelled(draw.choice(own), draw), lang, "misspelled"))
    return found


@dataclasses.dataclass(frozen=True)
class Corpus:
    """Distinct texts, and the rare types among them.

    Attributes:
        lang: Language of each, by number.
        kind: Whether each is real or planted.
        size: In characters.
        level: As the plan gets it.
        draw: Order of a random cut.
        type: Rare types by number, as often as a document holds one.
        holder: The document of each entry of `type`.
        documents: By type: how many documents hold it.
        real: By type: whether a real text holds it.
        seconds: That counting took.
    """

    lang: npt.NDArray[np.int64]
    kind: npt.NDArray[np.str_]
    size: npt.NDArray[np.int64]
    level: npt.NDArray[np.int64]
    draw: npt.NDArray[np.uint64]
    type: npt.NDArray[np.int64]
    holder: npt.NDArray[np.int64]
    documents: npt.NDArray[np.int64]
    real: Flags
    seconds: float

    @classmethod
    def of(cls, texts: Texts) -> Corpus:
        """Counts the types of texts; of exact copies the first is taken."""
        hashes = text_hashes(pa.array([text for text, _, _ in texts])).to_pylist()
        first = {key: row for row, key in reversed(list(enumerate(hashes)))}
        rows = sorted(first.values())
        text, lang = (pa.array([texts[row][n] for row in rows]) for n in range(2))
        ids = pa.array([hashes[row] for row in rows], pa.binary())
        node = np.arange(len(rows), dtype=np.uint64)
        size = pc.utf8_length(text).cast(pa.int64())
        kept = pa.table({"node": node, "lang": lang, "size": size})
        holders, rare, usual, seconds = _counted(text, lang, node)
        level = rare_levels(kept, holders, rare, usual, "chars").to_numpy().astype(np.int64)
        known, number = np.unique(rare.column("type").to_numpy(), return_inverse=True)
        holder = rare.column("node").to_numpy().astype(np.int64)
        kind = np.array([texts[row][2] for row in rows])
        real = np.zeros(len(known), np.bool_)
        real[number[kind[holder] == "real"]] = True
        return cls(
            lang=lang.dictionary_encode().indices.to_numpy().astype(np.int64),
            kind=kind,
            size=kept.column("size").to_numpy(),
            level=level,
            draw=rank_keys(ids, 0),
            type=number,
            holder=holder,
            documents=np.bincount(number, minlength=len(known)),
            real=real,
            seconds=seconds,
        )

    def cut(self, percent: int, *, levels: bool) -> Flags:
        """Which documents a cut of each language to a part of its size leaves."""
        kept = np.zeros(len(self.size), np.bool_)
        first = self.level if levels else np.zeros_like(self.level)
        for lang in np.unique(self.lang):
            rows = np.flatnonzero(self.lang == lang)
            rows = rows[np.lexsort((self.draw[rows], -first[rows]))]
            quota = int(self.size[rows].sum()) * percent // 100
            kept[rows[np.cumsum(self.size[rows]) <= quota]] = True
        return kept

    def surviving(self, kept: Flags) -> Flags:
        """By type: whether a document that is left holds it."""
        found = np.zeros(len(self.documents), np.bool_)
        found[self.type[kept[self.holder]]] = True
        return found

    def expected(self, kept: Flags) -> float:
        """The share of types that a random cut of the same size in each language leaves."""
        whole = np.bincount(self.lang, self.size)
        left = 1 - np.bincount(self.lang, self.size * kept, len(whole)) / np.maximum(whole, 1)
        of = np.zeros(len(self.documents), np.int64)
        of[self.type] = self.lang[self.holder]
        chances = 1 - left[of] ** self.documents
        return float(chances[self.real].mean())


def _counted(
    text: pa.Array, lang: pa.Array, node: npt.NDArray[np.uint64]
) -> tuple[pa.Table, pa.Table, pa.Table, float]:
    """Rows of `HOLDER`, `RARE` and `USUAL`, and the seconds of this thread that they took."""
    warm = LocalTypes()
    warm.add(text[:1], lang[:1], node[:1])
    warm.rare()
    began, types, held = time.thread_time(), LocalTypes(), []
    for at in range(0, len(text), _PIECE):
        part = slice(at, at + _PIECE)
        held.append(types.add(text[part], lang[part], node[part]))
    found, nodes = types.rare()
    pairs = [pa.array(found), pa.array(nodes), lang.take(pa.array(nodes))]
    tables = {
        "pairs": pa.table(pairs, schema=PAIR),
        "common": pa.table([pa.array(types.common())], schema=COMMON),
    }
    holders = pa.table([pa.array(node), pa.array(np.concatenate(held))], schema=HOLDER)
    counted = dict(count_types(0, tables))
    originals = pa.table({"lang": lang, "size": pc.utf8_length(text).cast(pa.int64())})
    sums = pa.concat_tables([held_types(originals, holders.column("types")), counted["usual"]])
    ((_, usual),) = sum_usual(0, {"usual": sums})
    return holders, counted["rare"], usual, time.thread_time() - began


def _row(corpus: Corpus, percent: int) -> list[str]:
    shared = corpus.real & (corpus.documents > 1)
    chance, chosen = (corpus.cut(percent, levels=levels) for levels in (False, True))
    drawn, ordered = corpus.surviving(chance), corpus.surviving(chosen)
    figures = [drawn[corpus.real].mean(), corpus.expected(chosen), ordered[corpus.real].mean()]
    figures += [drawn[shared].mean(), ordered[shared].mean(), chance.mean(), chosen.mean()]
    planted = [kind for kind in ("noise", "misspelled") if (corpus.kind == kind).any()]
    figures += [kept[corpus.kind == kind].mean() for kind in planted for kept in (chance, chosen)]
    return [f"{percent} %", *(f"{figure:.3f}" for figure in figures)]


def main() -> None:
    """Prints what a random cut and one by levels leave of rare types."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=pathlib.Path, help="texts")
    parser.add_argument("--lang", help="language of all texts, such as eng_Latn")
    parser.add_argument("--planted", type=int, default=0, help="documents of noise")
    given = parser.parse_args()
    texts = [row for path in given.files for row in _read(path, given.lang)]
    corpus = Corpus.of(texts + _planted(texts, given.planted))
    count, chars = len(corpus.size), int(corpus.size.sum())
    levels = np.bincount(corpus.level, minlength=LEVELS + 1)
    print_lines(
        "Corpus",
        [
            ("documents", f"{count:,}", ""),
            ("characters a document", f"{chars / count:,.0f}", ""),
            ("rare types", f"{len(corpus.documents):,}", ""),
            ("  of a single document", f"{int((corpus.documents == 1).sum()):,}", ""),
            ("counting, microseconds a document", f"{corpus.seconds / count * 1e6:.1f}", ""),
            ("  of 2,500 characters", f"{corpus.seconds / chars * 2_500e6:.1f}", "30.0"),
            ("documents by level", " ".join(map(str, levels)), ""),
        ],
    )
    header = ["kept", "random", "expected", "levels", "shared: random", "shared: levels"]
    header += ["docs: random", "docs: levels"]
    if given.planted:
        header += ["noise: random", "noise: levels", "misspelled: random", "misspelled: levels"]
    print_table("Rare types that survive", header, [_row(corpus, rate) for rate in _RATES])


if __name__ == "__main__":
    main()
