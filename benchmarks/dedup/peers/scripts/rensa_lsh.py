"""Deduplication around rensa, in memory: its deduplicator, or its LSH by hand, twice.

`--way deduplicator` is what its README shows, with LSH. `--way lsh` takes each document
in turn, asks the LSH index, and keeps it unless a kept one is similar by signature.
Both use the full-set R-MinHash. `--way rho` is the second with the rho sketch, which
samples tokens; its one-shot call would flag every member of a pair, without saying which
belong together, so each document is asked for by itself.
"""

from __future__ import annotations

from collections.abc import Iterator

import words
from rensa import RMinHash, RMinHashDeduplicator, RMinHashLSH

_BATCH = 2000


def _batches(texts: list[str]) -> Iterator[tuple[int, list[list[str]]]]:
    for first in range(0, len(texts), _BATCH):
        yield first, [words.shingles(text) for text in texts[first : first + _BATCH]]


def by_deduplicator(texts: list[str]) -> list[int]:
    """Rows that the deduplicator takes for new."""
    index = RMinHashDeduplicator(threshold=0.8, num_perm=128, use_lsh=True)
    kept: list[int] = []
    for first, sets in _batches(texts):
        fresh = index.add_pairs((str(first + i), s) for i, s in enumerate(sets))
        kept += [first + i for i, new in enumerate(fresh) if new]
    return kept


def by_lsh(texts: list[str]) -> list[int]:
    """Rows without a similar kept one: 21 bands of 6."""
    index = RMinHashLSH(threshold=0.8, num_perm=126, num_bands=21)
    kept: dict[int, RMinHash] = {}
    for first, sets in _batches(texts):
        sketches = RMinHash.from_token_sets(sets, num_perm=126, seed=1)
        for row, sketch in enumerate(sketches, first):
            if not any(index.is_similar(sketch, kept[k]) for k in index.query(sketch)):
                index.insert(row, sketch)
                kept[row] = sketch
    return list(kept)


def by_rho(texts: list[str]) -> list[int]:
    """Rows that share no band of their rho sketch with a kept one: 21 bands of 6."""
    index = RMinHashLSH(threshold=0.8, num_perm=126, num_bands=21)
    kept: list[int] = []
    for row, text in enumerate(texts):
        sketch = RMinHash.digest_matrix_from_token_sets_rho([words.shingles(text)], 126, 1)
        if index.insert_matrix_and_query_duplicate_flags(sketch, row)[0]:
            index.remove(row)
        else:
            kept.append(row)
    return kept


if __name__ == "__main__":
    given = words.folders(way="deduplicator")
    table = words.read(given.input)
    find = {"deduplicator": by_deduplicator, "lsh": by_lsh, "rho": by_rho}[given.way]
    words.keep(table, find(table.column("text").to_pylist()), given.output)
