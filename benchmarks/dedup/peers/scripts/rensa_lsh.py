"""Deduplication around rensa, in memory, in three ways.

`--way deduplicator` is what its README shows, with LSH. `--way lsh` takes each document
in turn, asks the LSH index, and keeps it unless a kept one is similar by signature.
Both use the full-set R-MinHash. `--way rho` asks the sampling rho sketch first, as rensa's
own benchmark does: its one-shot call flags every member of a pair, without saying which
belong together, so the deduplicator settles those that were flagged.
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
    """Rows that the rho sketch finds alone, and of the others those the deduplicator takes."""
    sets = (words.shingles(text) for text in texts)
    sketches = RMinHash.digest_matrix_from_token_sets_rho(sets, 128, 1)
    index = RMinHashLSH(threshold=0.8, num_perm=128, num_bands=8)
    flags = index.query_duplicate_flags_matrix_one_shot(sketches)
    flagged = [row for row, flag in enumerate(flags) if flag]
    fresh = by_deduplicator([texts[row] for row in flagged])
    alone = [row for row, flag in enumerate(flags) if not flag]
    return sorted([*alone, *(flagged[k] for k in fresh)])


if __name__ == "__main__":
    given = words.folders(way="deduplicator")
    table = words.read(given.input)
    find = {"deduplicator": by_deduplicator, "lsh": by_lsh, "rho": by_rho}[given.way]
    words.keep(table, find(table.column("text").to_pylist()), given.output)
