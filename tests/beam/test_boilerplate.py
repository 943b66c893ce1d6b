"""`CutBoilerplate` as a whole: what recurs over all parts is cut from each."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.testing import test_pipeline

from transforms.dedup.config import DedupConfig
from transforms.dedup.fingerprint import fingerprint
from transforms.dedup.rows import PART
from transforms.exchange import Spool
from transforms.records import INGESTED, PART_BITS, STAGED
from transforms.staging.boilerplate.beam import CutBoilerplate
from transforms.staging.boilerplate.paragraphs import read_recurring

pytestmark = pytest.mark.slow

BANNER = "We use cookies to give you the best experience."
PAGES = 40
CONFIG = DedupConfig()
FILL: dict[pa.DataType, Any] = {pa.string(): "eng_Latn", pa.list_(pa.string()): []}


def text_of(number: int) -> str:
    """Two pages in three carry the banner; one page was crawled often; one is nothing else."""
    if number >= PAGES - 8:
        return "The same page\nand a line that stands in this page alone"
    if number == 0:
        return BANNER
    return f"{BANNER}\npage {number}" if number % 3 else f"page {number} alone"


def parts(folder: pathlib.Path, files: int) -> pa.Table:
    rows = []
    for part in range(files):
        numbers = range(part, PAGES, files)
        made = [
            {"node": (part << PART_BITS) + k, "text": text_of(n), "url": f"u{n}"}
            for k, n in enumerate(numbers)
        ]
        batch = fingerprint(pa.RecordBatch.from_pylist(made, schema=INGESTED), CONFIG)
        for field in STAGED:
            if field.name not in batch.schema.names:
                value = None if field.nullable else FILL.get(field.type, 0)
                column = pa.array([value] * len(made)).cast(field.type)
                batch = batch.append_column(field, column)
        path = folder / f"part-{part}.parquet"
        pq.write_table(pa.Table.from_batches([batch]), path, row_group_size=4)
        rows.append({"part": part, "path": str(path), "rows": len(made), "first": 0})
    return pa.Table.from_pylist(rows, schema=PART)


class Write(beam.DoFn):
    """Appends what a row of one column says to a file of its own."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder

    def process(self, batch: pa.RecordBatch) -> None:
        for row in batch.to_pylist():
            name = str(row.get("part", "summary"))
            (self._folder / name).write_text(row.get("path") or row["text"])


def run(folder: pathlib.Path, files: int, carrier: str, **settings: Any) -> Any:
    """Texts by url as near-deduplication sees them, the summary, and what recurs."""
    config = DedupConfig(boilerplate=settings)
    (folder / "out").mkdir()
    given = parts(folder, files)
    spool = Spool(carrier, str(folder / "spool"), str(folder / "outcome"))
    kept = folder / "boilerplate.arrow"
    with test_pipeline.TestPipeline(runner="FnApiRunner") as pipeline:
        rows = pipeline | beam.Create(given.to_batches(max_chunksize=1)).with_output_types(
            pa.RecordBatch
        )
        cut = rows | CutBoilerplate(config, str(kept), str(folder / "cut"), 3, spool)
        for name, collection in cut.items():
            assert collection.element_type is pa.RecordBatch
            _ = collection | f"Write {name}" >> beam.ParDo(Write(folder / "out"))
    paths = [(folder / "out" / str(part)).read_text() for part in range(files)]
    seen = [row for path in paths for row in pq.read_table(path).to_pylist()]
    summary = json.loads((folder / "out" / "summary").read_text())
    recurring = read_recurring([str(kept)] if kept.exists() else []).to_pylist()
    return {row["url"]: row["text"] for row in seen}, summary, recurring


@pytest.mark.parametrize(("files", "carrier"), [(1, "files"), (5, "files"), (5, "shuffle")])
def test_what_recurs_over_all_parts_is_cut_from_each(
    tmp_path: pathlib.Path, files: int, carrier: str
):
    seen, summary, recurring = run(tmp_path, files, carrier, min_documents=5)
    expected = {f"u{n}": text_of(n).removeprefix(BANNER).removeprefix("\n") for n in range(PAGES)}
    assert seen == expected
    holders = [n for n in range(PAGES) if BANNER in text_of(n)]
    characters = sum(len(text_of(n)) - len(expected[f"u{n}"]) for n in holders)
    assert summary["by_language"] == {
        "eng_Latn": {"documents": len(holders), "characters": characters}
    }
    assert (summary["paragraphs"], summary["documents"]) == (1, len(holders))
    assert [row["documents"] for row in recurring] == [len(holders)]
    assert summary["top"] == [{"documents": len(holders), "example": recurring[0]["example"].hex()}]


@pytest.mark.parametrize("settings", [{"min_documents": 5, "cut": False}, {"min_documents": 30}])
def test_parts_stay_where_nothing_is_to_be_cut(tmp_path: pathlib.Path, settings: dict[str, Any]):
    seen, summary, recurring = run(tmp_path, 3, "files", **settings)
    assert seen == {f"u{n}": text_of(n) for n in range(PAGES)}
    assert not (tmp_path / "cut").exists()
    assert summary["paragraphs"] == len(recurring) == (1 if "cut" in settings else 0)
    assert (summary["documents"] > 0) == ("cut" in settings)
