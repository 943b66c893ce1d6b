"""Claims across files: whatever is wrong is found, whatever is right is not, in any order."""

from __future__ import annotations

import random
from collections import Counter, defaultdict

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shards_documents import document, dropped, published

from transforms.shards.identities import (
    CLAIM,
    FINDING,
    check_claims,
    check_partition,
    claims_of,
    claims_of_dropped,
)

PUBLISHED_AS, DROPPED_AS, WANTED, TEXT = range(4)
DUPLICATE, NEAR, BY_PLAN = 2, 3, (1, 4, 5)
SENTENCES = {
    "witness": "witnesses do not exist",
    "both": "documents are both published and left out",
    "cap": "documents appear more than 3 times",
    "gap": "documents have gaps among their repeats",
    "text": "texts are published under several doc_ids",
}
Claim = tuple[bytes, int, int, bytes | None]


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


def table(claims: list[Claim]) -> pa.Table:
    rows = [dict(zip(CLAIM.names, claim, strict=True)) for claim in claims]
    return pa.Table.from_pylist(rows, schema=CLAIM)


def found(claims: pa.Table) -> set[str]:
    told = list(check_claims(claims, 3))
    kinds = {kind for kind, sentence in SENTENCES.items() for line in told if sentence in line}
    assert len(kinds) == len(told)
    return kinds


def reference(claims: list[Claim]) -> set[str]:
    repeats, planned = defaultdict(list), set()
    texts, wanted = defaultdict(set), set()
    for which, role, number, other in claims:
        if role == PUBLISHED_AS:
            repeats[which].append(number)
        elif role == DROPPED_AS and number in BY_PLAN:
            planned.add(which)
        elif role == WANTED:
            wanted.add(which)
        elif role == TEXT:
            texts[which].add(other)
    bad = {
        "witness": wanted - set(repeats) - planned,
        "both": set(repeats) & planned,
        "cap": {which for which, numbers in repeats.items() if len(numbers) > 3},
        "gap": {
            w for w, numbers in repeats.items() if sorted(numbers) != list(range(len(numbers)))
        },
        "text": {which for which, ids in texts.items() if len(ids) > 1},
    }
    return {kind for kind, keys in bad.items() if keys}


KEYS = st.integers(0, 5).map(key)
CLAIMS = st.lists(
    st.one_of(
        st.tuples(KEYS, st.just(PUBLISHED_AS), st.integers(0, 4), st.none()),
        st.tuples(KEYS, st.just(DROPPED_AS), st.integers(0, 5), st.none()),
        st.tuples(KEYS, st.just(WANTED), st.just(0), st.none()),
        # A hash of a text is never the id of a document.
        st.tuples(st.integers(10, 12).map(key), st.just(TEXT), st.integers(0, 2), KEYS),
    ),
    max_size=14,
)


@given(CLAIMS)
def test_findings_are_those_of_plain_python(claims: list[Claim]):
    assert found(table(claims)) == reference(claims)


@given(CLAIMS, st.randoms(use_true_random=False))
def test_order_does_not_matter(claims: list[Claim], draw: random.Random):
    shuffled = draw.sample(claims, len(claims))
    assert found(table(shuffled)) == found(table(claims))


@given(CLAIMS, st.integers(1, 3))
def test_partitions_by_key_find_the_same(claims: list[Claim], parts: int):
    split = [[c for c in claims if c[0][-1] % parts == part] for part in range(parts)]
    together = set().union(*(found(table(some)) for some in split))
    assert together == found(table(claims))


@given(st.dictionaries(KEYS, st.integers(1, 3), min_size=1), st.integers(0, 3))
def test_what_is_right_has_no_findings(published_: dict[bytes, int], removed: int):
    claims: list[Claim] = []
    for which, times in published_.items():
        claims += [(which, PUBLISHED_AS, repeat, None) for repeat in range(times)]
        claims += [(key(100 + which[-1]), TEXT, repeat, which) for repeat in range(times)]
    witness = next(iter(published_))
    for n in range(removed):
        claims += [(key(50 + n), DROPPED_AS, NEAR, None), (witness, WANTED, 0, None)]
    assert found(table(claims)) == set()


def test_nothing_claimed_is_nothing_found():
    assert list(check_claims(CLAIM.empty_table(), 4)) == []


def test_an_example_and_a_count_are_told():
    claims: list[Claim] = [
        (key(7), WANTED, 0, None),
        (key(7), WANTED, 0, None),
        (key(8), WANTED, 0, None),
    ]
    (told,) = check_claims(table(claims), 4)
    assert told.startswith("2 witnesses do not exist, for instance 0000")


def test_identical_records_may_be_witness_and_dropped():
    # Records equal in every field share a doc_id: one stays, the other is its exact duplicate.
    same: list[Claim] = [
        (key(1), PUBLISHED_AS, 0, None),
        (key(1), DROPPED_AS, DUPLICATE, None),
        (key(1), WANTED, 0, None),
    ]
    assert found(table(same)) == set()


@pytest.mark.parametrize("reason", ["too_large", "not_selected", "trimmed"])
def test_a_witness_that_the_plan_left_out_has_a_row_of_its_own(reason: str):
    rows = dropped((key(1), reason, None), (key(2), "near_duplicate", key(1)))
    assert found(claims_of_dropped(rows)) == set()


@pytest.mark.parametrize("reason", ["excluded", "exact_duplicate", "near_duplicate"])
def test_a_witness_that_deduplication_removed_is_none(reason: str):
    rows = dropped((key(1), reason, None), (key(2), "near_duplicate", key(1)))
    assert found(claims_of_dropped(rows)) == {"witness"}


def test_claims_of_rows():
    shard = published(
        document("one", "anchor"), document("one", "anchor", repeat=1), document("two")
    )
    roles = Counter(claims_of(shard).column("role").to_pylist())
    assert roles == {PUBLISHED_AS: 3, TEXT: 3}
    rows = dropped((key(1), "trimmed", None), (key(2), "near_duplicate", key(1)))
    roles = Counter(claims_of_dropped(rows).column("role").to_pylist())
    assert roles == {DROPPED_AS: 2, WANTED: 1}
    assert len(claims_of_dropped(rows.slice(0, 0))) == 0


def test_a_partition_yields_its_findings():
    tables = {"claims": table([(key(1), WANTED, 0, None)])}
    ((name, findings),) = check_partition(0, tables, repeat_cap=4)
    assert (name, findings.schema, len(findings)) == ("findings", FINDING, 1)
    ((_, none),) = check_partition(0, {"claims": CLAIM.empty_table()}, repeat_cap=4)
    assert (len(none), none.schema) == (0, FINDING)
