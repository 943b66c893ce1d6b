"""Which languages are tail, and why."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from transforms.langid import tail
from transforms.langid.config import LangidConfig
from transforms.staging.survey.decisions import Policy, decide_rows

SIZES = {"eng_Latn": 990_000, "swh_Latn": 8_000, "isl_Latn": 900, "deu_Latn": 500, "djk_Latn": 400}
SIZES |= {"plt_Latn": 100, "und": 90, "zxx": 10}


def decided(**settings: Any) -> pa.Table:
    rows = pa.record_batch({"lang": list(SIZES), "size": list(SIZES.values())})
    one = Policy(
        "tail", tail.KEYS, ("lang", "size"), tail.count,
        lambda counted: tail.decide(counted, LangidConfig(**settings)), (), lambda table, _: table,
    )  # fmt: skip
    table = decide_rows([rows], one)["tail"]
    assert table.schema == tail.DECISION
    return table


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {"swh_Latn": "class 2", "isl_Latn": "class 2", "djk_Latn": "unlisted",
              "plt_Latn": "class 1 of mlg"}),
        ({"tail_by": "share"}, {"isl_Latn": "share 0.000900", "deu_Latn": "share 0.000500",
                                "djk_Latn": "share 0.000400", "plt_Latn": "share 0.000100"}),
        ({"tail_by": "share", "tail_share": 0.0004},
         {"djk_Latn": "share 0.000400", "plt_Latn": "share 0.000100"}),
        ({"tail_by": "both"},
         {"swh_Latn": "class 2", "isl_Latn": "class 2", "djk_Latn": "unlisted",
          "plt_Latn": "class 1 of mlg", "deu_Latn": "share 0.000500"}),
        ({"tail": {"eng": True, "swh_Latn": False}},
         {"eng_Latn": "configured", "isl_Latn": "class 2", "djk_Latn": "unlisted",
          "plt_Latn": "class 1 of mlg"}),
        ({"tail_by": "share", "tail": {"isl": False}},
         {"deu_Latn": "share 0.000500", "djk_Latn": "share 0.000400",
          "plt_Latn": "share 0.000100"}),
    ],
    ids=str,
)  # fmt: skip
def test_the_list_and_its_reasons(settings: dict[str, Any], expected: dict[str, str]):
    assert tail.reasons(decided(**settings)) == expected


def test_those_that_are_no_tail_have_a_reason_too():
    found = decided(tail={"isl": False})
    reasons = dict(zip(*(found.column(n).to_pylist() for n in ("lang", "reason")), strict=True))
    assert reasons["eng_Latn"] == "class 5"
    assert reasons["isl_Latn"] == "configured"
    assert reasons["und"] == reasons["zxx"] == "no language"
    assert found.filter(pa.array([lang == "und" for lang in found["lang"].to_pylist()])).column(
        "size"
    ).to_pylist() == [90]


def test_rows_follow_the_list_unless_they_are_mixed():
    langs = ["swh_Latn", "swh_Latn", "eng_Latn", "und"]
    columns = {
        "lang": langs,
        "mixed": [False, True, False, False],
        "tail": [False, True, True, True],
    }
    found = tail.apply(pa.table(columns), decided())
    assert found.column("tail").to_pylist() == [True, False, False, False]


def test_nothing_kept_is_no_tail():
    empty = pa.record_batch({"lang": pa.array([], pa.string()), "size": pa.array([], pa.int64())})
    assert tail.count(pa.Table.from_batches([empty])).num_rows == 0
    assert tail.reasons(decided().slice(0, 0)) == {}
