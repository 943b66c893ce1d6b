"""Witnesses that earlier runs published: found, missed, or out of reach."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pyarrow as pa
import pytest
from shards_documents import document, published

from transforms.dedup.index.layout import SEGMENT, dump, segment_place
from transforms.dedup.index.segments import Segment, Shard
from transforms.formats.choose import FORMATS
from transforms.formats.format import Format
from transforms.records import DROPPED
from transforms.shards.earlier import Elsewhere, check_earlier
from transforms.shards.identities import check_dropped, claims_of_dropped

SHARD = "data/shard-00000-of-00001.parquet"
TABLE = published(document("one"), document("two"))
ONE, TWO = TABLE.column("doc_id").to_pylist()


@pytest.fixture
def index(tmp_path: pathlib.Path) -> dict[str, Any]:
    """What the manifest says of an index that counts one run; its shard is in every format."""
    folder = tmp_path / "old"
    (folder / "data").mkdir(parents=True)
    for made in FORMATS.values():
        path = folder / SHARD.replace(".parquet", made.extension)
        path.write_bytes(made.write(TABLE))
    place = pathlib.Path(segment_place(str(tmp_path / "index"), "old", SEGMENT))
    place.parent.mkdir(parents=True)
    segment = Segment("old", str(folder), (), (Shard(SHARD, 2, 2, ""),))
    place.write_bytes(dump(segment.record()))
    return {"path": str(tmp_path / "index"), "pinned": [{"run": "old", "gone": []}]}


def row(witness: bytes | None, **more: Any) -> dict[str, Any]:
    given = {"doc_id": b"d" * 16, "reason": "near_duplicate", "witness": witness}
    given |= {"similarity": 0.9, "witness_run": "old", "witness_shard": SHARD}
    return given | {"similarity_kind": "exact"} | more


def dropped(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=DROPPED)


def test_witnesses_that_are_there(index: dict[str, Any]):
    here = row(b"x" * 16, witness_run=None, witness_shard=None)
    found = check_earlier(dropped(row(ONE), row(TWO), row(ONE), here), index)
    assert found == Elsewhere(("3 witnesses in earlier runs",), ())


@pytest.mark.parametrize("made", FORMATS.values(), ids=FORMATS.keys())
def test_witnesses_in_a_shard_of_any_format(index: dict[str, Any], made: Format):
    where = SHARD.replace(".parquet", made.extension)
    rows = dropped(row(ONE, witness_shard=where), row(b"?" * 16, witness_shard=where))
    found = check_earlier(rows, index)
    assert found.findings == (f"1 witnesses are not in {where} of run old",)


def test_a_witness_that_is_not_there(index: dict[str, Any]):
    found = check_earlier(dropped(row(ONE), row(b"?" * 16), row(b"!" * 16)), index)
    assert found.findings == (f"2 witnesses are not in {SHARD} of run old",)


def test_a_run_that_was_not_pinned(index: dict[str, Any]):
    found = check_earlier(dropped(row(ONE, witness_run="new")), index)
    assert found.findings == ("1 witnesses are of run new, which was not pinned",)


@pytest.mark.parametrize("lost", ["shard", "segment", "index", "record"])
def test_what_is_out_of_reach_is_told(index: dict[str, Any], tmp_path: pathlib.Path, lost: str):
    segment = pathlib.Path(segment_place(index["path"], "old", SEGMENT))
    if lost == "shard":
        (tmp_path / "old" / SHARD).unlink()
    elif lost == "segment":
        segment.unlink()
    elif lost == "record":
        segment.write_text(json.dumps({"run": "old"}))
    else:
        index["path"] = str(tmp_path / "moved")
    found = check_earlier(dropped(row(ONE), row(TWO)), index)
    assert found == Elsewhere(
        ("2 witnesses in earlier runs, 2 of them in shards that are gone",), ()
    )


def test_a_run_without_an_index_has_no_witness_elsewhere():
    assert check_earlier(dropped(row(ONE, witness_run=None)), None) == Elsewhere()
    found = check_earlier(dropped(row(ONE)), None)
    assert found.findings == ("1 witnesses are of other runs, but no index was compared with",)


def test_a_witness_elsewhere_is_not_sought_here():
    here = row(ONE, witness_run=None, witness_shard=None)
    claims = claims_of_dropped(dropped(row(TWO), here)).to_pylist()
    assert [claim["key"] for claim in claims if claim["role"] == 2] == [ONE]


GOOD = [
    row(ONE),
    row(ONE, similarity_kind="estimated"),
    row(ONE, witness_run=None, witness_shard=None),
    row(ONE, reason="exact_duplicate", similarity=1.0),
    row(None, reason="trimmed", similarity=None, witness_run=None, witness_shard=None,
        similarity_kind=None),
]  # fmt: skip
HALF = "1 rows of dropped/ name half of where their witness is"
UNTOLD = "1 rows of dropped/ do not say how their similarity is known"
KNOWN = "1 rows of dropped/ have an estimated similarity where it is known exactly"


def test_what_fits_together_has_no_findings():
    assert list(check_dropped(dropped(*GOOD), 0.8)) == []


@pytest.mark.parametrize(
    ("bad", "finding"),
    [
        (row(ONE, witness_shard=None), HALF),
        (row(ONE, witness_run=None), HALF),
        (GOOD[4] | {"witness_run": "old", "witness_shard": SHARD}, HALF),
        (row(ONE, similarity_kind=None), UNTOLD),
        (row(ONE, similarity_kind="guessed"), UNTOLD),
        (GOOD[4] | {"similarity_kind": "exact"}, UNTOLD),
        (GOOD[2] | {"similarity_kind": "estimated"}, KNOWN),
        (GOOD[3] | {"similarity_kind": "estimated"}, KNOWN),
    ],
    ids=range(8),
)
def test_what_does_not_fit_together_is_found(bad: dict[str, Any], finding: str):
    assert list(check_dropped(dropped(*GOOD, bad), 0.8)) == [finding]
