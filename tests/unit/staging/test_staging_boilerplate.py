"""Parts without recurring paragraphs: what changes, what stays, and what is told of it."""

from __future__ import annotations

import pathlib
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from staging_rows import staged

from transforms.dedup.boilerplate import RECURRING, paragraph_hashes, recurring
from transforms.dedup.config import DedupConfig
from transforms.dedup.normalize import letters
from transforms.dedup.signature import signatures
from transforms.records import STAGED
from transforms.staging.boilerplate.paragraphs import (
    PLACE,
    TOLD,
    count_part,
    cut_part,
    read_recurring,
    summarise,
    write_recurring,
)

BANNER = "We use cookies to give you the best experience."
NOTICE = "Licensed under the terms of the licence."
TEXTS = ["News of the day\n" + BANNER, BANNER, "Nothing but news of the day", "", BANNER + "\nend"]


def config(**changes: Any) -> DedupConfig:
    return DedupConfig(boilerplate={"min_documents": 2, **changes})


def part_of(folder: pathlib.Path, texts: list[str]) -> dict[str, Any]:
    """A part in row groups of two, with true signatures."""
    table = pa.Table.from_batches([staged(len(texts))])
    column = pa.array(texts, pa.string())
    for name, values in (("text", column), ("signature", signatures(letters(column), config()))):
        table = table.set_column(table.schema.get_field_index(name), STAGED.field(name), values)
    path = folder / "part.parquet"
    pq.write_table(table, path, row_group_size=2)
    return {"part": 7, "path": str(path), "rows": len(texts), "first": 0}


def known(*lines: str) -> pa.Table:
    hashes = sorted(paragraph_hashes(pa.array(list(lines)), 1)[1].tolist())
    rows = [{"paragraph": h, "documents": 5, "example": b"e" * 16} for h in hashes]
    return pa.Table.from_pylist(rows, schema=RECURRING)


def test_texts_and_signatures_are_those_that_are_left(tmp_path: pathlib.Path):
    part = part_of(tmp_path, TEXTS)
    made, told = cut_part(part, known(BANNER), config(), str(tmp_path))
    assert made is not None
    (row,) = made.to_pylist()
    assert (row["part"], row["rows"], row["first"]) == (7, 5, 0)
    before, after = pq.read_table(part["path"]), pq.read_table(row["path"])
    left = ["News of the day\n", "", "Nothing but news of the day", "", "end"]
    assert after.column("text").to_pylist() == left
    expected = signatures(letters(pa.array(left)), config())
    assert after.column("signature").combine_chunks().equals(expected)
    # What is nothing but boilerplate knows exact copies only.
    assert after.column("signature").is_valid().to_pylist() == [True, False, True, False, True]
    same = [name for name in STAGED.names if name not in ("text", "signature")]
    assert after.select(same).equals(before.select(same))
    assert {r["lang"]: (r["documents"], r["characters"]) for r in told.to_pylist()} == {
        "eng_Latn": (2, len(BANNER) + len(BANNER) + 1),
        "swh_Latn": (1, len(BANNER)),
    }


def test_a_part_without_any_stays_where_it_is(tmp_path: pathlib.Path):
    part = part_of(tmp_path, TEXTS)
    for paragraphs in (known(NOTICE), RECURRING.empty_table()):
        made, told = cut_part(part, paragraphs, config(), str(tmp_path))
        assert made is None
        assert [r["documents"] for r in told.to_pylist()] == [0]
        assert told.schema == TOLD


def test_counting_alone_writes_nothing(tmp_path: pathlib.Path):
    part = part_of(tmp_path, TEXTS)
    made, told = cut_part(part, known(BANNER), config(cut=False), str(tmp_path))
    assert made is None
    assert sum(r["documents"] for r in told.to_pylist()) == 3
    assert [p.name for p in tmp_path.iterdir()] == ["part.parquet"]


def test_an_empty_part(tmp_path: pathlib.Path):
    part = part_of(tmp_path, [])
    assert sum(rows.num_rows for rows in count_part(part["path"], config())) == 0
    assert cut_part(part, known(BANNER), config(), str(tmp_path))[0] is None


def test_from_parts_to_the_summary(tmp_path: pathlib.Path):
    part = part_of(tmp_path, TEXTS)
    rows = pa.Table.from_batches(count_part(part["path"], config()))
    ((_, found),) = recurring(0, {"paragraphs": rows}, min_documents=2)
    # Each of the rows of `staged` has a text_hash of its own.
    assert found.column("documents").to_pylist() == [3]
    path = str(tmp_path / "boilerplate.arrow")
    ((_, place),) = write_recurring(0, {"recurring": found}, path=path)
    assert place.schema == PLACE
    assert read_recurring(place.column("path").to_pylist()).equals(found)
    _, told = cut_part(part, found, config(), str(tmp_path))
    tables = {"told": pa.Table.from_batches([told, told]), "place": place}
    ((name, summary),) = summarise(0, tables, config=config())
    assert name == "summary"
    assert orjson.loads(summary.column("text")[0].as_py()) == {
        "cut": True,
        "paragraphs": 1,
        "documents": 6,
        "characters": 2 * (3 * len(BANNER) + 1),
        "by_language": {
            "eng_Latn": {"documents": 4, "characters": 4 * len(BANNER) + 2},
            "swh_Latn": {"documents": 2, "characters": 2 * len(BANNER)},
        },
        "top": [{"documents": 3, "example": (bytes([7, 0]) * 8).hex()}],
    }


def test_the_most_frequent_come_first_and_twenty_at_most(tmp_path: pathlib.Path):
    rows = [
        {"paragraph": n, "documents": 2 + n % 3, "example": bytes([n]) * 16} for n in range(1, 31)
    ]
    found = pa.Table.from_pylist(rows, schema=RECURRING)
    path = str(tmp_path / "boilerplate.arrow")
    ((_, place),) = write_recurring(
        0, {"recurring": found.take(list(range(29, -1, -1)))}, path=path
    )
    ((_, summary),) = summarise(0, {"told": TOLD.empty_table(), "place": place}, config=config())
    top = orjson.loads(summary.column("text")[0].as_py())["top"]
    expected = sorted(rows, key=lambda row: (-row["documents"], row["paragraph"]))[:20]
    assert top == [{"documents": r["documents"], "example": r["example"].hex()} for r in expected]


def test_nothing_recurs(tmp_path: pathlib.Path):
    tables = {"told": TOLD.empty_table(), "place": PLACE.empty_table()}
    ((_, summary),) = summarise(0, tables, config=config())
    told = orjson.loads(summary.column("text")[0].as_py())
    assert (told["paragraphs"], told["documents"], told["by_language"], told["top"]) == (
        0,
        0,
        {},
        [],
    )
