"""Properties of `Deduplicate` on corpora drawn at random, in many scripts.

Candidates are as good as complete here (`EVERY_PAIR`), so the answer is the brute-force
one: in survivor order, a document stays unless a near-duplicate before it stays.
"""

import itertools
import pathlib
import random
import tempfile

import pytest
from dedup_corpus import SCRIPTS, brute_force, jaccard, shingles, stage
from dedup_families import CHAIN, CLUSTER, EVERY_PAIR, FAN, family, shuffled, written
from dedup_running import check_removals, deduplicate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.slow

LENGTH = 94


@st.composite
def corpora(draw):
    """Families in the scripts, with exact copies, in any order and with any evidence."""
    seed = draw(st.integers(0, 2**32))
    kinds = st.tuples(
        st.sampled_from(sorted(SCRIPTS)),
        st.sampled_from([CHAIN, FAN, CLUSTER]),
        st.integers(1, 7),
        st.integers(0, 2),
    )
    chosen = draw(st.lists(kinds, min_size=6, max_size=14))
    rng = random.Random(seed)
    made = []
    for script, kind, size, copies in chosen:
        between, token = SCRIPTS[script]
        lists = family(kind, size, [token(rng) for _ in range(LENGTH)], lambda t=token: t(rng))
        lists += [rng.choice(lists) for _ in range(copies)]
        made += written(lists, between, rng)
    for number, document in enumerate(made):
        document.url = f"https://example.org/{number}"
    return made, seed


def outcome(made, folder, **how):
    """What is kept and removed, by record, after everything that must hold was checked."""
    place = pathlib.Path(tempfile.mkdtemp(dir=folder))
    staging = stage(made, place, 3, EVERY_PAIR)
    kept, fates, _ = deduplicate(staging, place, scale=3, config=EVERY_PAIR, **how)
    expected, _ = brute_force(staging)
    assert kept.keys() == expected
    check_removals(staging, kept, fates)
    sets = [shingles(staging.documents[node]) for node in kept]
    assert all(jaccard(a, b) < EVERY_PAIR.threshold for a, b in itertools.combinations(sets, 2))
    witnesses = {staging.ids[n]: (f["witness"], f["similarity"]) for n, f in fates.items()}
    return {staging.ids[node] for node in kept}, witnesses


@settings(
    max_examples=4,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(drawn=corpora())
def test_what_stays_is_the_first_independent_set_in_any_order(tmp_path, drawn):
    made, seed = drawn
    first = outcome(made, tmp_path)
    assert first == outcome(shuffled(made, seed), tmp_path, batch_rows=17, carrier="shuffle")
