"""Verifying an index: whatever does not follow from the published texts is found."""

from __future__ import annotations

import hashlib
import json
import pathlib
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from index_files import MANIFEST, days, index_run, published, shard, small_index

from transforms.dedup.index.check import check_index
from transforms.dedup.index.compact import compact
from transforms.dedup.index.show import describe
from transforms.dedup.index.write import index_bytes
from transforms.verdict import Verdict

FIRST = "data/shard-00000-of-00002.parquet of run r1"


def check(index: pathlib.Path) -> Verdict:
    return check_index(str(index), published, days)


def file_of(index: pathlib.Path) -> pathlib.Path:
    return index / "segments" / "r1" / "shard-00000-of-00002.parquet"


def reseal(index: pathlib.Path) -> None:
    """Puts the digest in the record right, as a clever forger would."""
    path = index / "segments" / "r1" / "segment.json"
    record = json.loads(path.read_text())
    record["shards"][0]["sha256"] = hashlib.sha256(file_of(index).read_bytes()).hexdigest()
    path.write_text(json.dumps(record))


def test_a_good_index_has_no_findings(tmp_path: pathlib.Path):
    index = small_index(tmp_path)
    verdict = check(index)
    assert verdict.findings == ()
    assert verdict.checked[0].startswith("11 rows of 3 shards in 3 segments")
    compact(str(index), published, now=2e9, older_than=0)
    assert check(index).findings == ()


def flipped(value: bytes) -> bytes:
    return bytes([value[0] ^ 1]) + value[1:]


CHANGES: dict[str, Callable[[Any], Any]] = {
    "run": lambda value: value + "x",
    "doc_id": flipped,
    "text_hash": flipped,
    "hi": lambda value: value ^ 1,
    "lo": lambda value: value ^ 1,
    "original": lambda value: not value,
    "repeat": lambda value: value + 1,
    "bands": flipped,
    "signature": lambda _: None,
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("row", [0, 2])
def test_one_changed_value_is_found(tmp_path: pathlib.Path, name: str, row: int):
    index = small_index(tmp_path)
    table = pq.ParquetFile(file_of(index)).read()
    rows = table.to_pylist()
    rows[row][name] = CHANGES[name](rows[row][name])
    file_of(index).write_bytes(index_bytes([pa.Table.from_pylist(rows, schema=table.schema)]))
    (finding,) = check(index).findings
    assert f"{FIRST}: its index file has sha256" in finding
    reseal(index)
    found = "; ".join(check(index).findings)
    assert f"{FIRST}: 1 rows have a wrong {name}, the first is row {row}" in found


def test_a_lost_row_is_found(tmp_path: pathlib.Path):
    index = small_index(tmp_path)
    table = pq.ParquetFile(file_of(index)).read()
    file_of(index).write_bytes(index_bytes([table.slice(1)]))
    reseal(index)
    assert "holds 2 of the 3 rows" in check(index).findings[0]


def test_a_lost_file_is_found(tmp_path: pathlib.Path):
    index = small_index(tmp_path)
    file_of(index).unlink()
    assert check(index).findings == (f"{FIRST}: its index file is missing",)


def test_a_file_that_is_no_parquet_is_found(tmp_path: pathlib.Path):
    index = small_index(tmp_path)
    file_of(index).write_bytes(b"PAR1")
    reseal(index)
    assert f"{FIRST} cannot be checked" in check(index).findings[0]


def test_a_changed_text_is_found(tmp_path: pathlib.Path):
    index = small_index(tmp_path)
    path = tmp_path / "of-r1" / "data" / "shard-00000-of-00002.parquet"
    table = pq.ParquetFile(path).read()
    rows = table.to_pylist()
    rows[2]["text"] = "quite another text"
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    found = "; ".join(check(index).findings)
    for name in ("doc_id", "text_hash", "lo", "bands", "signature"):
        assert f"1 rows have a wrong {name}, the first is row 2" in found


def test_a_shard_of_other_length_is_found(tmp_path: pathlib.Path):
    index = small_index(tmp_path)
    path = tmp_path / "of-r1" / "data" / "shard-00000-of-00002.parquet"
    table = pq.ParquetFile(path).read()
    pq.write_table(table.slice(1), path)
    assert check(index).findings == (f"{FIRST}: the index has 3 rows, the shard 2",)


def test_a_gone_shard_is_told_and_no_finding(tmp_path: pathlib.Path):
    index = small_index(tmp_path)
    (tmp_path / "of-r1" / "data" / "shard-00000-of-00002.parquet").unlink()
    verdict = check(index)
    assert verdict.findings == ()
    assert "1 shards are gone" in verdict.checked[1]


def test_segments_that_do_not_count_are_passed_over(tmp_path: pathlib.Path):
    index = small_index(tmp_path)
    index_run(index, "dead", shard("half"), finish=False)
    verdict = check(index)
    assert verdict.findings == ()
    assert "1 segments do not count" in verdict.checked[-1]


def test_show_tells_states_and_sizes(tmp_path: pathlib.Path):
    index = small_index(tmp_path)
    index_run(index, "dead", shard("half"), finish=False)
    (index / "segments" / "worse").mkdir()
    (index / "segments" / "worse" / "x.parquet").write_bytes(b"1234")
    (tmp_path / "of-r2" / MANIFEST).write_text("another")
    shown, compacted = describe(str(index), published)
    assert [(s.run, s.state, s.shards, s.documents) for s in shown] == [
        ("dead", "not published", 1, 1),
        ("r1", "counts", 2, 4),
        ("r2", "not published", 0, 0),
        ("r3", "counts", 1, 6),
        ("worse", "unfinished", 0, 0),
    ]
    sizes = {s.run: s.bytes for s in shown}
    assert sizes["worse"] == 4
    assert sizes["r1"] == sum(p.stat().st_size for p in (index / "segments" / "r1").iterdir())
    assert compacted == 0
    compact(str(index), published, now=2e9, older_than=0)
    assert describe(str(index), published)[1] > 0
