"""datasketch's MinHash by its batch call, with the hash it comes with and with xxhash."""

import timing
import words
import xxhash
from datasketch import MinHash
from datasketch.hashfunc import sha1_hash32

_PERMUTATIONS = 126

texts, passes = timing.texts_and_passes()
ready = [[s.encode() for s in words.shingles(text)] for text in texts]


def sketches(sets, hashing):
    """Sketches every document; how many there were."""
    return sum(1 for _ in MinHash.generator(sets, num_perm=_PERMUTATIONS, hashfunc=hashing))


for name, hashing in (
    ("datasketch, xxhash", xxhash.xxh32_intdigest),
    ("datasketch, as it comes", sha1_hash32),
):
    timing.report(
        name,
        "text",
        lambda h=hashing: sketches(([s.encode() for s in words.shingles(t)] for t in texts), h),
        len(texts),
        passes,
    )
    timing.report(name, "shingles", lambda h=hashing: sketches(ready, h), len(texts), passes)
hashed = [[xxhash.xxh32_intdigest(s) for s in found] for found in ready]
timing.report(
    "datasketch, xxhash", "hashes", lambda: sketches(hashed, lambda h: h), len(texts), passes
)
