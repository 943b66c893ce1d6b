"""Structures that make deduplication slow or wrong elsewhere, and unrelated text beside them.

Every generator writes `part-*.parquet` with `text`, `url` and `date`. Dates differ and
go up where order matters: the earliest document survives.
"""

from __future__ import annotations

import datetime
import itertools
import pathlib
import random
from collections.abc import Callable, Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.reference import jaccard, shingles

__all__ = ["STRUCTURES", "boilerplate", "books", "chain", "unrelated", "write"]

Documents = Iterator[str]

_SCHEMA = pa.schema([(name, pa.string()) for name in ("text", "url", "date")])
_ROWS = 50_000
_VOCABULARY = 50_000
_FIRST_DAY = datetime.date(1980, 1, 1)
_DAYS = 14_000
"""Days from the first one; a longer structure has several documents a day."""
_THRESHOLD = 0.8


def _words(draw: random.Random, count: int) -> list[str]:
    """Words of which some are frequent and most are rare."""
    return [f"w{int(_VOCABULARY ** draw.random())}" for _ in range(count)]


def write(documents: Documents, folder: pathlib.Path) -> int:
    """Writes documents in files of 50,000; returns how many there were."""
    folder.mkdir(parents=True)
    total = 0
    for number in itertools.count():
        texts = list(itertools.islice(documents, _ROWS))
        if not texts:
            return total
        rows = [
            {"text": text, "url": f"https://hot.example/{total + k}", "date": _day(total + k)}
            for k, text in enumerate(texts)
        ]
        table = pa.Table.from_pylist(rows, schema=_SCHEMA)
        pq.write_table(table, folder / f"part-{number:05d}.parquet", compression="zstd")
        total += len(texts)
    raise AssertionError("unreachable")


def _day(number: int) -> str:
    return (_FIRST_DAY + datetime.timedelta(days=number % _DAYS)).isoformat()


def unrelated(documents: int, words: int, seed: int = 7) -> Documents:
    """Texts of so many words that have nothing to do with each other."""
    draw = random.Random(seed)
    return (" ".join(_words(draw, words)) for _ in range(documents))


def boilerplate(documents: int, words: int = 100) -> Documents:
    """One text with a number in the middle: each is near each other (.9)."""
    text = _words(random.Random(1), words)
    head, tail = " ".join(text[: words // 2]), " ".join(text[words // 2 :])
    return (f"{head} number{k} {tail}" for k in range(documents))


def chain(documents: int, words: int = 104, step: int = 6) -> Documents:
    """A window that moves over one text: each is near the next, and to no other.

    Raises:
        SystemExit: Two neighbours are below the threshold, or two others at it, by exact
            Jaccard; every one is compared with the next two.
    """
    text = [f"w{k}x{k % 97}" for k in range(words + step * documents)]
    last: list[frozenset[tuple[str, ...]]] = []
    for k in range(documents):
        made = " ".join(text[step * k : step * k + words])
        last = [*last[-2:], shingles(made)]
        near = [jaccard(last[-1], other) >= _THRESHOLD for other in reversed(last[:-1])]
        if near not in ([], [True], [True, False]):
            raise SystemExit(f"the chain breaks at {k}: near the one and the two before: {near}")
        yield made


def books(documents: int, share: float, words: int = 500) -> Documents:
    """Texts with nothing in common but a header that is `share` of each."""
    draw = random.Random(3)
    header = " ".join(_words(draw, int(words * share)))
    rest = words - int(words * share)
    return (f"{header} {' '.join(_words(draw, rest))}" for _ in range(documents))


STRUCTURES: dict[str, tuple[int, int, Callable[[int], Documents], Callable[[int], int]]] = {
    "boilerplate": (1_000_000, 101, boilerplate, lambda _: 1),
    "chain": (10_000, 104, chain, lambda n: (n + 1) // 2),
    "books, header 20 %": (50_000, 500, lambda n: books(n, 0.2), lambda n: n),
    "books, header 40 %": (50_000, 500, lambda n: books(n, 0.4), lambda n: n),
    "books, header 60 %": (50_000, 500, lambda n: books(n, 0.6), lambda n: n),
}
"""By name: how many documents, words of each, their generator, and how many to keep."""
