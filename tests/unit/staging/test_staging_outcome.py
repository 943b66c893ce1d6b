"""The last look at staging: each row has one outcome, and none is lost or doubled."""

from __future__ import annotations

import pathlib
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from staging_rows import assigned, fate, filled, kept, node, staged, tables, written

from transforms.dedup.index.pins import write_pins
from transforms.errors import LedgerError
from transforms.rebalance.finalise import TRIMMED
from transforms.rebalance.ranks import LIGHT
from transforms.records import DROPPED, INDEX_PART, PART_BITS, REASONS
from transforms.staging.outcome import INDEXED, LEDGER, ROUTED, settle_parts

EXACT, NEAR = REASONS.index("exact_duplicate"), REASONS.index("near_duplicate")
Rows = list[dict[str, Any]]


def settle(
    given_: dict[str, Any], unit: str = "chars", pinned: str | None = None
) -> dict[str, Rows]:
    found: dict[str, Rows] = {"routed": [], "dropped": [], "ledger": []}
    schemas = {"routed": INDEXED if pinned else ROUTED, "dropped": DROPPED, "ledger": LEDGER}
    for name, table in settle_parts(0, given_, unit=unit, pinned=pinned):
        assert table.schema.equals(schemas[name])
        found[name] += table.to_pylist()
    return found


def trimmed(row: int, repeat: int = 0) -> dict[str, Any]:
    return filled(TRIMMED, node=node(row), repeat=repeat)


def large(row: int) -> dict[str, Any]:
    return filled(LIGHT, node=node(row))


def test_every_kind_of_outcome(tmp_path: pathlib.Path):
    part = written(tmp_path, 8)
    witness = bytes([7, 0]) * 8
    found = settle(
        tables(
            [part],
            kept=[kept(row) for row in (0, 3, 4, 5, 6, 7)],
            fates=[fate(1, EXACT, witness), fate(2, REASONS.index("excluded"))],
            # Row 6 loses an appearance and stays; row 7 loses its only one.
            assigned=[assigned(0, 1), assigned(0, 0, shard=3), assigned(6, 2)],
            trimmed=[trimmed(6), trimmed(7)],
            too_large=[large(3)],
        )
    )
    assert [(r["doc_id"][1], r["shard"], r["position"], r["repeat"]) for r in found["routed"]] == [
        (0, 0, 1, 0),
        (0, 3, 0, 1),
        (6, 0, 2, 0),
    ]
    assert [
        (r["doc_id"][1], r["reason"], r["witness"], r["similarity"]) for r in found["dropped"]
    ] == [
        (1, "exact_duplicate", witness, 0.9),
        (2, "excluded", None, None),
        (3, "too_large", None, None),
        (4, "not_selected", None, None),
        (5, "not_selected", None, None),
        (7, "trimmed", None, None),
    ]
    outcomes = Counter[str]()
    for row in found["ledger"]:
        outcomes[row["outcome"]] += row["documents"]
    assert outcomes == {"kept": 2, "not_selected": 2} | dict.fromkeys(
        ("exact_duplicate", "excluded", "too_large", "trimmed"), 1
    )


def test_what_is_routed_is_what_was_staged(tmp_path: pathlib.Path):
    part = written(tmp_path, 4)
    rows = settle(tables([part], kept=[kept(r) for r in range(4)], assigned=[assigned(2, 0)]))
    (routed,) = rows["routed"]
    source = staged(4).to_pylist()[2]
    changed = {"copies", "copies_original", "shard", "position", "repeat", "origin", "origin_tier"}
    changed |= {"first_date", "last_date"}
    assert {k: routed[k] for k in ROUTED.names if k not in changed} == {
        k: source[k] for k in ROUTED.names if k not in changed
    }
    assert (routed["copies"], routed["copies_original"]) == (3, 2)


def test_days_of_copies_are_published_as_dates(tmp_path: pathlib.Path):
    part = written(tmp_path, 3)
    days = [(1, 719_163), (738_000, 738_000), (None, None)]
    rows = [kept(r) | {"first_day": a, "last_day": b} for r, (a, b) in enumerate(days)]
    found = settle(tables([part], kept=rows, assigned=[assigned(r, r) for r in range(3)]))
    assert [(r["first_date"], r["last_date"]) for r in found["routed"]] == [
        ("0001-01-01", "1970-01-01"),
        ("2021-07-29", "2021-07-29"),
        (None, None),
    ]


ANCHOR, UNVERIFIED, SYNTHETIC = range(3)


@pytest.mark.parametrize(
    ("own", "settled", "origin", "tier", "evidence", "tag"),
    [
        ("unverified", (UNVERIFIED, 2), "unverified", None, ["x"], "unverified"),
        ("anchor", (ANCHOR, 0), "anchor", "A", ["x"], "unverified"),
        ("anchor", (SYNTHETIC, 2), "synthetic", None, ["x", "declared_copy"], "synthetic"),
        ("unverified", (SYNTHETIC, 2), "synthetic", None, ["x", "declared_copy"], "synthetic"),
    ],
)
def test_copies_speak_for_a_row(
    tmp_path: pathlib.Path, own: str, settled: tuple[int, int], origin: str, tier: str | None,
    evidence: list[str], tag: str,
):  # fmt: skip
    part = written(tmp_path, 1, origin=own, origin_evidence=["x"])
    code, level = settled
    given_ = tables([part], kept=[kept(0, origin=code, tier=level)], assigned=[assigned(0, 0)])
    found = settle(given_)
    (row,) = found["routed"]
    names = ("origin", "origin_tier", "origin_evidence", "synthetic_tag")
    assert tuple(row[name] for name in names) == (origin, tier, evidence, tag)
    assert [entry["origin"] for entry in found["ledger"]] == [origin]


FATES = st.lists(
    st.sampled_from(["placed", "left", "dropped", "trimmed", "large"]), min_size=1, max_size=9
)


@settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(FATES, st.integers(1, 4), st.sampled_from(["chars", "docs", "bytes"]))
def test_every_document_has_one_fate(
    tmp_path: pathlib.Path, fates: list[str], group: int, unit: str
):
    part = written(tmp_path, len(fates), group=group)
    at = {kind: [row for row, given_ in enumerate(fates) if given_ == kind] for kind in set(fates)}
    found = settle(
        tables(
            [part],
            kept=[kept(row) for row, kind in enumerate(fates) if kind != "dropped"][::-1],
            fates=[fate(row, EXACT) for row in at.get("dropped", [])],
            assigned=[assigned(row, row) for row in at.get("placed", [])],
            trimmed=[trimmed(row) for row in at.get("trimmed", [])],
            too_large=[large(row) for row in at.get("large", [])],
        ),
        unit,
    )
    published = [row["doc_id"][1] for row in found["routed"]]
    left_out = [row["doc_id"][1] for row in found["dropped"]]
    assert sorted(published + left_out) == list(range(len(fates)))
    assert sum(row["documents"] for row in found["ledger"]) == len(fates)
    sizes = {"chars": [10 + row for row in range(len(fates))], "docs": [1] * len(fates)}
    assert sum(row["size"] for row in found["ledger"]) == sum(sizes.get(unit, [0]))


@pytest.mark.parametrize(
    ("rows", "fates", "words"),
    [
        ([0, 1], [], "of 3 documents 1 have no outcome and 0 have more than one"),
        ([0, 1, 2, 2], [], "0 have no outcome and 1 have more than one"),
        ([0, 1, 2], [2], "0 have no outcome and 1 have more than one"),
        ([], [], "3 have no outcome"),
        ([0, 1, 1], [], "1 have no outcome and 1 have more than one"),
    ],
    ids=str,
)
def test_a_lost_or_doubled_row_is_an_error(
    tmp_path: pathlib.Path, rows: list[int], fates: list[int], words: str
):
    part = written(tmp_path, 3)
    given_ = tables([part], kept=[kept(r) for r in rows], fates=[fate(r, NEAR) for r in fates])
    with pytest.raises(LedgerError, match=words):
        settle(given_)


@pytest.mark.parametrize("row", [3, 4])
def test_a_row_beyond_its_part_is_an_error(tmp_path: pathlib.Path, row: int):
    part = written(tmp_path, 3)
    with pytest.raises(LedgerError):
        settle(tables([part], kept=[kept(r) for r in (0, 1, 2, row)]))


def test_parts_are_told_apart(tmp_path: pathlib.Path):
    parts = [written(tmp_path, 2, part=part) for part in (7, 8, 200)]
    everything = [kept(row, part) for part in (200, 8, 7) for row in range(2)]
    found = settle(tables(parts, kept=everything, assigned=[assigned(1, 0, part=8)]))
    assert [row["doc_id"] for row in found["routed"]] == [bytes([8, 1]) * 8]
    assert len(found["dropped"]) == 5
    assert sum(row["documents"] for row in found["ledger"]) == 6


def test_nothing_is_settled_from_nothing():
    assert settle(tables([])) == {"routed": [], "dropped": [], "ledger": []}


PINS = [
    {"part": INDEX_PART, "run": "old", "shard": "data/s0", "rows": 3, "text": "old/data/s0"},
    {"part": INDEX_PART + 1, "run": "old", "shard": "data/s1", "rows": 3, "text": None},
]


def by(row: int, reason: int, node: int | None, similarity: float | None = 0.9) -> dict[str, Any]:
    witness = None if node is None else b"w" * 16
    return fate(row, reason, witness) | {"by": node, "similarity": similarity}


def test_a_witness_of_an_earlier_run_is_named_by_run_and_shard(tmp_path: pathlib.Path):
    part = written(tmp_path, 6)
    write_pins(str(tmp_path), [pin | {"index": "i", "first": 0} for pin in PINS])
    here, old, gone = node(0), INDEX_PART << PART_BITS | 2, (INDEX_PART + 1) << PART_BITS
    fates = [
        by(1, NEAR, here),
        by(2, NEAR, old),
        by(3, NEAR, gone),
        by(4, EXACT, gone, 1.0),
        by(5, REASONS.index("excluded"), None, None),
    ]
    found = settle(
        tables([part], kept=[kept(0)], fates=fates, assigned=[assigned(0, 0)]),
        pinned=str(tmp_path),
    )
    names = ("witness_run", "witness_shard", "similarity_kind")
    assert [tuple(row[name] for name in names) for row in found["dropped"]] == [
        (None, None, "exact"),
        ("old", "data/s0", "exact"),
        ("old", "data/s1", "estimated"),
        ("old", "data/s1", "exact"),  # the texts have one hash, wherever they are
        (None, None, None),
    ]
    (routed,) = found["routed"]
    assert routed["signature"] == staged(6).to_pylist()[0]["signature"]
