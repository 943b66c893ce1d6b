"""Exact copies judged together, against a reference that reads like the rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.provenance.assess import ANCHOR, SYNTHETIC_ORIGIN, UNVERIFIED
from transforms.provenance.group import NO_TIER, UNDATED, Settled, settle_groups

A, B, NONE = 0, 1, NO_TIER
Copy = tuple[int, int, int, bool, bool]  # group, tier, day, declared, convicted


def settled(copies: list[Copy]) -> Settled:
    columns = np.array(copies, dtype=np.int64).reshape(-1, 5).T
    return settle_groups(
        columns[0],
        columns[1].astype(np.int8),
        columns[2].astype(np.int32),
        columns[3].astype(np.bool_),
        columns[4].astype(np.bool_),
    )


def reference(copies: list[Copy]) -> list[tuple[int, int, bool]]:
    answer = []
    for group, given_tier, _, declared, convicted in copies:
        tier = NONE if declared else given_tier
        own = ANCHOR if tier != NONE else UNVERIFIED
        if tier == NONE and (declared or convicted):
            own = SYNTHETIC_ORIGIN
        same = [copy for copy in copies if copy[0] == group]
        declarations = [day for _, _, day, says_so, _ in same if says_so]
        anchors = [day for _, t, day, says_so, _ in same if t != NONE and not says_so]
        if not declarations:
            answer.append((own, tier, False))
            continue
        dated_anchors = [day for day in anchors if day != UNDATED]
        dated_declarations = [day for day in declarations if day != UNDATED]
        predated = bool(dated_anchors) and (
            not dated_declarations or min(dated_anchors) < min(dated_declarations)
        )
        if predated and tier != NONE:
            answer.append((ANCHOR, tier, False))
        else:
            answer.append((SYNTHETIC_ORIGIN, NONE, own != SYNTHETIC_ORIGIN))
    return answer


def listed(result: Settled) -> list[tuple[int, int, bool]]:
    return list(
        zip(result.origin.tolist(), result.tier.tolist(), result.changed.tolist(), strict=True)
    )


UNCHANGED_A = (ANCHOR, A, False)
MACHINE = (SYNTHETIC_ORIGIN, NONE, False)
TURNED = (SYNTHETIC_ORIGIN, NONE, True)


@pytest.mark.parametrize(
    ("copies", "expected"),
    [
        # The archive's copy is older than the declaration: it stays, the declaration too.
        ([(0, A, 100, False, False), (0, NONE, 200, True, False)], [UNCHANGED_A, MACHINE]),
        # On the same day nothing predates: machine-made.
        ([(0, A, 200, False, False), (0, NONE, 200, True, False)], [TURNED, MACHINE]),
        # A later trusted copy copied the machine's text.
        ([(0, A, 300, False, False), (0, NONE, 200, True, False)], [TURNED, MACHINE]),
        # An early copy protects later ones with a tier, not those without.
        (
            [
                (0, B, 100, False, False),
                (0, A, 300, False, False),
                (0, NONE, 50, False, False),
                (0, NONE, 200, True, False),
            ],
            [(ANCHOR, B, False), UNCHANGED_A, TURNED, MACHINE],
        ),
        # An undated declaration is later than any date.
        ([(0, A, 100, False, False), (0, NONE, UNDATED, True, False)], [UNCHANGED_A, MACHINE]),
        # An undated trusted copy predates nothing.
        ([(0, A, UNDATED, False, False), (0, NONE, 200, True, False)], [TURNED, MACHINE]),
        ([(0, A, UNDATED, False, False), (0, NONE, UNDATED, True, False)], [TURNED, MACHINE]),
        # The earliest declaration counts.
        (
            [
                (0, A, 150, False, False),
                (0, NONE, 200, True, False),
                (0, NONE, 100, True, False),
            ],
            [TURNED, MACHINE, MACHINE],
        ),
        # A declared copy's own tier cannot defend the group.
        ([(0, A, 100, True, False), (0, NONE, 200, True, False)], [MACHINE, MACHINE]),
        # Groups are strangers to each other.
        (
            [(1, NONE, 100, True, False), (0, NONE, 100, False, False)],
            [MACHINE, (UNVERIFIED, NONE, False)],
        ),
        # Artefacts are each row's own matter: tier A stays, an untiered row is convicted.
        (
            [(0, A, 100, False, True), (0, NONE, 100, False, True), (0, NONE, 9, False, False)],
            [UNCHANGED_A, MACHINE, (UNVERIFIED, NONE, False)],
        ),
    ],
)
def test_settle(copies: list[Copy], expected: list[tuple[int, int, bool]]) -> None:
    assert listed(settled(copies)) == expected
    assert reference(copies) == expected


copies_of_groups = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.sampled_from([A, B, NONE]),
        st.sampled_from([100, 200, 300, UNDATED]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=14,
)


@given(copies_of_groups)
def test_equals_the_reference(copies: list[Copy]) -> None:
    result = settled(copies)
    assert listed(result) == reference(copies)
    assert result.origin.dtype == np.int8
    assert result.tier.dtype == np.int8


@given(copies_of_groups, st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(copies: list[Copy], random: object) -> None:
    order = list(range(len(copies)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = listed(settled([copies[i] for i in order]))
    straight = listed(settled(copies))
    assert shuffled == [straight[i] for i in order]


@given(copies_of_groups)
def test_no_declaration_changes_nothing(copies: list[Copy]) -> None:
    quiet = [(group, tier, day, False, convicted) for group, tier, day, _, convicted in copies]
    result = settled(quiet)
    assert not result.changed.any()
    assert result.tier.tolist() == [copy[1] for copy in quiet]
