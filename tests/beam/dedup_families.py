"""Families of near-duplicates around the threshold, and what may be kept of them."""

import itertools
import random

import numpy as np
from dedup_corpus import Document, jaccard, shingles

from transforms.dedup.config import DedupConfig

EVERY_PAIR = DedupConfig(bands=126, pairs_bucket=1000, candidate_threshold=0.2, rounds=1)
"""Bands of one row, and no hot bucket: as good as every near pair is a candidate."""

CHAIN, FAN, CLUSTER = "chain", "fan", "cluster"


def family(kind, size, words, fresh):
    """Token lists of one family: 94 tokens, or 90 shingles, edits far enough apart.

    Two edits make 80 of 100 shingles common: a Jaccard of exactly .8. Three make
    75 of 105.

    Args:
        kind: `CHAIN`: each near the one before it and no other. `FAN`: all near the
            first, no two of the rest near each other. `CLUSTER`: all near each other.
        size: How many.
        words: 94 tokens.
        fresh: Draws a token that no other text has.
    """
    places = range(2, len(words) - 2, 6)  # 15 places, each with shingles of its own
    made = [tuple(words)]
    for number in range(1, size):
        if kind == CHAIN:
            # Two new edits a step: .8 to the one before, .65 to the one before that.
            at = [places[2 * number % len(places)], places[(2 * number + 1) % len(places)]]
            base = made[-1]
        elif kind == FAN:
            at = [places[2 * number % len(places)], places[(2 * number + 1) % len(places)]]
            base = made[0]
        else:
            at, base = [places[number % len(places)]], made[0]
        tokens = list(base)
        for place in at:
            tokens[place] = fresh()
        made.append(tuple(tokens))
    return made


def written(lists, between, draw, tiers=(None, None, "B", "A"), days=30):
    """Documents with evidence at random, so that any may be the better one."""
    return [
        Document(
            tokens,
            between.join(tokens),
            f"https://example.org/{number}",
            draw.choice(tiers),
            draw.choice([None, *range(737_000, 737_000 + days)]),
            draw.choice([None, 0.0, 0.5]),
        )
        for number, tokens in enumerate(lists)
    ]


def in_order(lists, between=" "):
    """Documents without a tier whose order is their survivor order."""
    return [
        Document(tokens, between.join(tokens), f"https://example.org/{k}", None, 730_000 + k)
        for k, tokens in enumerate(lists)
    ]


def shuffled(made, seed):
    """The same documents in another order."""
    made = list(made)
    random.Random(seed).shuffle(made)
    return made


def left_together(staging, kept, threshold):
    """Pairs of kept documents that share a band and are near-duplicates."""
    rows = {row["node"]: row for row in staging.light.to_pylist() if row["node"] in kept}
    bands = {n: np.frombuffer(r["bands"], "<u8") for n, r in rows.items() if r["bands"]}
    sets = {n: shingles(staging.documents[n]) for n in bands}
    return [
        (one, other)
        for one, other in itertools.combinations(sorted(bands), 2)
        if (bands[one] == bands[other]).any() and jaccard(sets[one], sets[other]) >= threshold
    ]
