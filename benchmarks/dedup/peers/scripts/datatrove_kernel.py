"""datatrove's signature step, 21 buckets of 6: its tokenizer, shingles and MinHash."""

import tempfile

import timing
from datatrove.pipeline.dedup import MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import MinhashConfig

texts, passes = timing.texts_and_passes()
config = MinhashConfig(n_grams=5, num_buckets=21, hashes_per_bucket=6)
with tempfile.TemporaryDirectory() as folder:
    step = MinhashDedupSignature(folder, config)
    hashed = [step.get_shingles(text) for text in texts]
    timing.report(
        "datatrove",
        "text",
        lambda: [step.get_signature(step.get_shingles(t)) for t in texts],
        len(texts),
        passes,
    )
    timing.report(
        "datatrove", "hashes", lambda: [step.get_signature(h) for h in hashed], len(texts), passes
    )
