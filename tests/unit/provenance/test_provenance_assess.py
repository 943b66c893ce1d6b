"""Tiers and origins, case by case, and what holds for any batch."""

from __future__ import annotations

import datetime

import pyarrow as pa
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.provenance.assess import assess
from transforms.provenance.config import ProvenanceConfig
from transforms.records import EVIDENCE, ORIGIN

CONFIG = ProvenanceConfig(trusted_sources=("city archive", "Library.example", "shelf"))
A_DAY = datetime.date(2020, 6, 1).toordinal()
B_DAY = datetime.date(2022, 11, 30).toordinal()

Row = dict[str, object]


def batch(*rows: Row) -> pa.RecordBatch:
    schema = pa.schema(
        [
            ("source", pa.string()),
            ("host", pa.string()),
            ("date_day", pa.int32()),
            ("origin_declared", pa.string()),
            ("synthetic_evidence", EVIDENCE),
        ]
    )
    filled = [{"synthetic_evidence": [], **row} for row in rows]
    return pa.RecordBatch.from_pylist(filled, schema=schema)


def origin_of(row: Row, config: ProvenanceConfig = CONFIG) -> tuple[str, str | None, list[str]]:
    answer = assess(batch(row), config).to_pylist()[0]
    return answer["origin"], answer["origin_tier"], answer["origin_evidence"]


ARTEFACT = {"synthetic_evidence": ["artefact:oaicite", "hint:oaicite_word"]}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        # Nothing is known.
        ({}, ("unverified", None, [])),
        # The cutoff day itself is too late: "before" is strict.
        ({"date_day": A_DAY - 1}, ("anchor", "A", ["date<2020-06-01"])),
        ({"date_day": A_DAY}, ("anchor", "B", ["date<2022-11-30"])),
        ({"date_day": B_DAY - 1}, ("anchor", "B", ["date<2022-11-30"])),
        ({"date_day": B_DAY}, ("unverified", None, [])),
        # Trust makes tier A whatever the date, and sources match exactly.
        ({"source": "city archive"}, ("anchor", "A", ["source:trusted"])),
        ({"source": "City Archive"}, ("unverified", None, [])),
        (
            {"source": "city archive", "date_day": B_DAY},
            ("anchor", "A", ["source:trusted"]),
        ),
        # A host covers its subdomains, and nothing that merely ends alike.
        ({"host": "library.example"}, ("anchor", "A", ["host:trusted"])),
        ({"host": "old.books.library.example"}, ("anchor", "A", ["host:trusted"])),
        ({"host": "notlibrary.example"}, ("unverified", None, [])),
        ({"host": "library.example.org"}, ("unverified", None, [])),
        # An entry without a dot is a source's name, never a top-level domain.
        ({"host": "books.shelf"}, ("unverified", None, [])),
        # A declared human origin from an untrusted source gives no tier.
        ({"origin_declared": "human"}, ("unverified", None, ["declared:human"])),
        # A declaration beats trust and date; what spoke for the document stays on record.
        (
            {"origin_declared": "synthetic", "source": "city archive", "date_day": 1},
            ("synthetic", None, ["source:trusted", "date<2020-06-01", "declared:synthetic"]),
        ),
        # An artefact leaves tier A alone, strips tier B, and convicts the rest.
        (
            {"date_day": 1, **ARTEFACT},
            ("anchor", "A", ["date<2020-06-01", "artefact:oaicite"]),
        ),
        (
            {"source": "city archive", **ARTEFACT},
            ("anchor", "A", ["source:trusted", "artefact:oaicite"]),
        ),
        (
            {"date_day": A_DAY, **ARTEFACT},
            ("synthetic", None, ["date<2022-11-30", "artefact:oaicite"]),
        ),
        (ARTEFACT, ("synthetic", None, ["artefact:oaicite"])),
        # Hints strip nothing and are no evidence of origin.
        (
            {"date_day": A_DAY, "synthetic_evidence": ["hint:your_name"]},
            ("anchor", "B", ["date<2022-11-30"]),
        ),
    ],
)
def test_assess(row: Row, expected: tuple[str, str | None, list[str]]) -> None:
    assert origin_of(row) == expected


def test_dates_that_pages_claim_count_only_when_trusted() -> None:
    claimed = ProvenanceConfig(date_kind="page")
    assert origin_of({"date_day": 1}, claimed) == ("unverified", None, [])
    trusted = ProvenanceConfig(date_kind="page", trust_page_dates=True)
    assert origin_of({"date_day": 1}, trusted) == ("anchor", "A", ["date<2020-06-01"])


def test_cutoffs_are_named_in_the_evidence() -> None:
    config = ProvenanceConfig(
        tier_a_before=datetime.date(2019, 1, 1), tier_b_before=datetime.date(2021, 1, 1)
    )
    day = datetime.date(2018, 12, 31).toordinal()
    assert origin_of({"date_day": day}, config) == ("anchor", "A", ["date<2019-01-01"])


def test_config_refuses_an_url_and_names_it() -> None:
    with pytest.raises(pydantic.ValidationError, match=r"https://library\.example"):
        ProvenanceConfig(trusted_sources=("https://library.example",))


def test_config_refuses_cutoffs_in_the_wrong_order() -> None:
    with pytest.raises(pydantic.ValidationError, match="tier_a_before 2023-01-01 is later"):
        ProvenanceConfig(tier_a_before=datetime.date(2023, 1, 1))


def test_empty_batch_has_the_schema() -> None:
    answer = assess(batch(), CONFIG)
    assert answer.num_rows == 0
    assert answer.schema == ORIGIN


rows = st.fixed_dictionaries(
    {
        "source": st.sampled_from([None, "city archive", "forum"]),
        "host": st.sampled_from([None, "library.example", "a.library.example", "b.example"]),
        "date_day": st.sampled_from([None, 1, A_DAY - 1, A_DAY, B_DAY, B_DAY + 900]),
        "origin_declared": st.sampled_from([None, "human", "synthetic"]),
        "synthetic_evidence": st.sampled_from(
            [[], ["hint:offer"], ["artefact:oaicite"], ["declared:synthetic", "artefact:inst"]]
        ),
    }
)


@given(st.lists(rows, max_size=20))
def test_rows_do_not_depend_on_their_batch(given_rows: list[Row]) -> None:
    answer = assess(batch(*given_rows), CONFIG)
    answer.validate(full=True)
    assert answer.schema == ORIGIN
    alone = [assess(batch(row), CONFIG).to_pylist()[0] for row in given_rows]
    assert answer.to_pylist() == alone
    padded = assess(batch({}, *given_rows, {}).slice(1, len(given_rows)), CONFIG)
    assert padded.to_pylist() == alone


@given(rows)
def test_tier_and_origin_agree(row: Row) -> None:
    origin, tier, evidence = origin_of(row)
    assert (origin == "anchor") == (tier is not None)
    assert tier is None or any("trusted" in word or "date<" in word for word in evidence)
    assert origin != "synthetic" or any(
        word == "declared:synthetic" or word.startswith("artefact:") for word in evidence
    )
    assert row["origin_declared"] != "synthetic" or origin == "synthetic"
