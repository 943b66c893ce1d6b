"""holdfast's kernel: from the text as read, from its normal form, from shingle hashes."""

import itertools

import numpy as np
import pyarrow as pa
import timing

from transforms.dedup.config import DedupConfig
from transforms.dedup.normalize import letters
from transforms.dedup.shingles import shingle_sets
from transforms.dedup.signature import minhash, permutations, signatures

config = DedupConfig()
texts, passes = timing.texts_and_passes()
column = pa.array(texts, pa.string())
normal = letters(column)
sets = shingle_sets(column, config.ngram)
ends, values = sets.offsets.to_numpy(), sets.values.to_numpy()
ready = [values[a:b] for a, b in itertools.pairwise(ends)]
a, b = permutations(config.permutations, config.seed)
room = np.empty(max(map(len, ready)), dtype=np.uint32)
out = np.empty(config.permutations, dtype=np.uint32)


def sign() -> None:
    """Signs every document."""
    for found in ready:
        minhash(found, len(found), a, b, room, out)


signatures(normal.slice(0, 1), config)
minhash(ready[0], len(ready[0]), a, b, room, out)
for step, run in (
    ("text", lambda: signatures(letters(column), config)),
    ("normal form", lambda: signatures(normal, config)),
    ("hashes", sign),
):
    timing.report("holdfast", step, run, len(texts), passes)
