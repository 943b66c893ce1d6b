"""Records of staging, the rows that they name, and light rows read from parts."""

from __future__ import annotations

import pathlib
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from staging_rows import kept, staged, written

from transforms.dedup.config import DedupConfig
from transforms.dedup.rows import KEPT, LIGHT, PART
from transforms.errors import InputError
from transforms.records import DEAD_LETTERS
from transforms.staging.reading.light import read_light
from transforms.staging.record import (
    ANNOTATED,
    KEPT_RECORD,
    PATH,
    read_kept,
    read_record,
    spill,
    staged_dead_letters,
    staged_parts,
    write_record,
)

LETTER = {"file": "a", "position": 1, "reason": "r", "excerpt": "", "n_bytes": 2}


def write(folder: pathlib.Path, name: str, tables: dict[str, pa.Table], **facts: Any) -> None:
    ((output, ready),) = write_record(
        0, tables, path=str(folder / name), facts=facts, dead_policy=None
    )
    assert (output, ready.to_pylist()) == ("ready", [{"text": str(folder / name)}])


def test_kept_rows_come_back(tmp_path: pathlib.Path):
    batches = [pa.RecordBatch.from_pylist([kept(r)], schema=KEPT) for r in (2, 0)]
    paths = pa.Table.from_batches([spill(batch, str(tmp_path / "kept")) for batch in batches])
    assert paths.schema == PATH
    write(tmp_path, KEPT_RECORD, {"kept": paths}, unit="chars")
    record, found = read_kept(str(tmp_path))
    assert record["unit"] == "chars"
    rows = [row for batch in found for row in batch.to_pylist()]
    assert sorted(row["size"] for row in rows) == [10, 12]


def test_annotated_parts_and_dead_letters_come_back(tmp_path: pathlib.Path):
    parts = [written(tmp_path, 2, part=part) for part in (9, 7)]
    letters = pa.RecordBatch.from_pylist([LETTER], schema=DEAD_LETTERS)
    paths = pa.Table.from_batches([spill(letters, str(tmp_path / "dead_letters"))])
    tables = {"parts": pa.Table.from_pylist(parts, schema=PART), "dead_letters": paths}
    write(tmp_path, ANNOTATED, tables)
    found = list(staged_parts(str(tmp_path)))
    assert [batch.num_rows for batch in found] == [1, 1]
    assert [batch.to_pylist()[0] for batch in found] == parts[::-1]
    assert [b.to_pylist() for b in staged_dead_letters(str(tmp_path))] == [[LETTER]]


def test_a_record_does_not_depend_on_the_order_of_its_rows(tmp_path: pathlib.Path):
    rows = [{"part": n, "path": f"p{n}", "rows": 1, "first": 0} for n in range(4)]
    for name, some in (("one", rows), ("other", rows[::-1])):
        write(tmp_path, name, {"parts": pa.Table.from_pylist(some, schema=PART)}, fact=1)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


@pytest.mark.parametrize(
    ("name", "words"),
    [(ANNOTATED, "never annotated to the end"), (KEPT_RECORD, "never deduplicated")],
)
def test_a_missing_record_tells_what_was_not_done(tmp_path: pathlib.Path, name: str, words: str):
    with pytest.raises(InputError, match=words) as caught:
        read_record(str(tmp_path), name)
    assert str(tmp_path) in str(caught.value)


def test_a_damaged_record_is_told(tmp_path: pathlib.Path):
    (tmp_path / ANNOTATED).write_text("{")
    with pytest.raises(InputError, match=r"is no JSON .* the staging folder is damaged"):
        read_record(str(tmp_path), ANNOTATED)


def none_convicted(evidence: pa.Array) -> pa.Array:
    return pc.greater(pc.list_value_length(evidence), 99)


def light(folder: pathlib.Path, unit: Any = "chars", exclude: Any = None) -> list[dict[str, Any]]:
    path = written(folder, 5)["path"]
    batches = list(read_light(path, exclude, none_convicted, unit, DedupConfig()))
    assert all(batch.schema == LIGHT for batch in batches)
    return [row for batch in batches for row in batch.to_pylist()]


@pytest.mark.parametrize(
    ("unit", "sizes"), [("chars", [10, 11, 12, 13, 14]), ("docs", [1] * 5), ("bytes", [0] * 5)]
)
def test_light_rows_have_the_size_in_the_unit(tmp_path: pathlib.Path, unit: str, sizes: list[int]):
    assert [row["size"] for row in light(tmp_path, unit)] == sizes


def test_light_rows_know_who_is_excluded(tmp_path: pathlib.Path):
    def exclude(batch: pa.RecordBatch) -> pa.Array:
        assert batch.schema.names == ["id", "url", "host"]
        return pc.equal(batch.column("url"), "u3")

    flags = [row["excluded"] for row in light(tmp_path, exclude=exclude)]
    assert flags == [False, False, False, True, False]
    assert not any(row["excluded"] for row in light(tmp_path))


def test_light_rows_of_an_empty_part(tmp_path: pathlib.Path):
    path = written(tmp_path, 0)["path"]
    for exclude in (None, lambda batch: pc.equal(batch.column("url"), "u3")):
        batches = list(read_light(path, exclude, none_convicted, "chars", DedupConfig()))
        assert sum(batch.num_rows for batch in batches) == 0


def test_light_rows_follow_the_rows_of_the_part(tmp_path: pathlib.Path):
    rows = light(tmp_path)
    source = staged(5).to_pylist()
    for name in ("node", "doc_id", "text_hash", "lang", "n_chars"):
        assert [row[name] for row in rows] == [row[name] for row in source]
