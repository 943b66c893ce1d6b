"""Deduplication around datasketch's LSH, in memory.

Each document in turn asks the index; it is kept unless a kept one is found whose
signatures agree at the threshold. `--hash sha1` is datasketch as it comes, `xxhash`
what its users swap in. 21 bands of 6; the index takes 14 of 8 with `--bands 14`.
"""

from __future__ import annotations

import words
import xxhash
from datasketch import MinHash, MinHashLSH

_THRESHOLD = 0.8


def deduplicate(texts: list[str], hashing: str, bands: int) -> list[int]:
    """Rows without a similar kept one."""
    rows = {21: 6, 14: 8}[bands]
    told = {"num_perm": bands * rows}
    if hashing == "xxhash":
        told["hashfunc"] = xxhash.xxh32_intdigest
    index = MinHashLSH(num_perm=bands * rows, params=(bands, rows))
    kept: dict[int, MinHash] = {}
    bytes_of = ([s.encode() for s in words.shingles(text)] for text in texts)
    for row, sketch in enumerate(MinHash.generator(bytes_of, **told)):
        if not any(sketch.jaccard(kept[k]) >= _THRESHOLD for k in index.query(sketch)):
            index.insert(row, sketch, check_duplication=False)
            kept[row] = sketch
    return list(kept)


if __name__ == "__main__":
    given = words.folders(hash="sha1", bands="21")
    table = words.read(given.input)
    texts = table.column("text").to_pylist()
    words.keep(table, deduplicate(texts, given.hash, int(given.bands)), given.output)
