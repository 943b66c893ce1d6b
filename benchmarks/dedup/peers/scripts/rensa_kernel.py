"""rensa's sketches: R-MinHash and C-MinHash of the full set, and the sampling rho.

R-MinHash and C-MinHash read every shingle: their signature is that of the set. Rho
samples positions; it is listed to be known for what it is.
"""

import array
import itertools

import timing
import words
from rensa import CMinHash, RMinHash

_PERMUTATIONS = 126

texts, passes = timing.texts_and_passes()
ready = [words.shingles(text) for text in texts]
hashed = RMinHash.hash_token_sets(ready)
flat = array.array("Q", itertools.chain.from_iterable(hashed))
ends = array.array("Q", itertools.accumulate(map(len, hashed), initial=0))

for name, sketch, from_hashes in (
    (
        "rensa R-MinHash (exact)",
        RMinHash.digest_matrix_from_token_sets,
        lambda: RMinHash.digest_matrix_from_flat_token_hashes(flat, ends, _PERMUTATIONS, 1),
    ),
    (
        "rensa C-MinHash (exact)",
        CMinHash.digests64_from_token_sets,
        lambda: CMinHash.digests64_from_token_hash_sets(hashed, _PERMUTATIONS, 1),
    ),
    (
        "rensa rho (samples tokens)",
        RMinHash.digest_matrix_from_token_sets_rho,
        lambda: RMinHash.digest_matrix_from_flat_token_hashes_rho(flat, ends, _PERMUTATIONS, 1),
    ),
):
    for step, run in (
        ("text", lambda s=sketch: s([words.shingles(t) for t in texts], _PERMUTATIONS, 1)),
        ("shingles", lambda s=sketch: s(ready, _PERMUTATIONS, 1)),
        ("hashes", from_hashes),
    ):
        timing.report(name, step, run, len(texts), passes)
