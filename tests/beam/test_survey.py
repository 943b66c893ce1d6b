"""`Survey` decides for those who read the same parts after it."""

from __future__ import annotations

import pathlib

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from apache_beam.testing import test_pipeline
from apache_beam.testing.util import assert_that, equal_to

from transforms.dedup.config import DedupConfig
from transforms.dedup.rows import FATE, KEPT, PART
from transforms.exchange import Spool
from transforms.rebalance.finalise import ASSIGNED, TRIMMED
from transforms.rebalance.ranks import LIGHT
from transforms.records import PART_BITS, STAGED
from transforms.staging.beam import SettleParts
from transforms.staging.reading.beam import ReadLight
from transforms.staging.survey.beam import Decide, Survey
from transforms.staging.survey.decisions import Policy, read_decisions


def count(table: pa.Table) -> pa.Table:
    ones = pa.array([1] * len(table), pa.int64())
    return pa.table({"lang": table.column("lang"), "documents": ones})


def largest(statistics: pa.Table) -> pa.Table:
    return statistics.sort_by([("documents", "descending")]).slice(0, 1)


def rename(table: pa.Table, decision: pa.Table) -> pa.Table:
    given = table.column("lang")
    lang = pc.if_else(pc.equal(given, decision.column("lang")[0]), "most", given)
    return table.set_column(table.schema.get_field_index("lang"), "lang", lang)


MOST = Policy("most", ("lang",), ("lang",), count, largest, (), rename)
LANGS = (["eng_Latn", "swh_Latn"], ["swh_Latn"], ["swh_Latn", "isl_Latn", "isl_Latn"])


def _no(evidence: pa.Array) -> pa.Array:
    return pc.greater(pc.list_value_length(evidence), 0)


def staged(folder: pathlib.Path) -> list[pa.RecordBatch]:
    parts = []
    for number, langs in enumerate(LANGS):
        rows = [
            {f.name: None if f.nullable else {pa.bool_(): False, pa.string(): "", pa.binary(): b""}
             .get(f.type, [] if pa.types.is_list(f.type) else 0) for f in STAGED}
            | {"node": number << PART_BITS | row, "lang": lang, "n_chars": 1, "origin": "anchor"}
            for row, lang in enumerate(langs)
        ]  # fmt: skip
        path = folder / f"{number}.parquet"
        pq.write_table(pa.Table.from_pylist(rows, schema=STAGED), path)
        parts.append(pa.record_batch([[number], [str(path)], [len(langs)], [0]], schema=PART))
    return parts


def _keep(light: pa.RecordBatch) -> pa.RecordBatch:
    """Every row as if deduplication had kept it."""
    more = {"origin": 0, "copies": 1, "copies_original": 1}
    rows = [{name: row.get(name, more.get(name)) for name in KEPT.names} for row in
            light.to_pylist()]  # fmt: skip
    return pa.RecordBatch.from_pylist(rows, schema=KEPT)


def _none(pipeline: beam.Pipeline, name: str, schema: pa.Schema) -> beam.PCollection:
    empty = pa.RecordBatch.from_pylist([], schema=schema)
    return pipeline | name >> beam.Create([empty]).with_output_types(pa.RecordBatch)


def langs(batch: pa.RecordBatch) -> list[str]:
    return batch.column("lang").to_pylist()


@pytest.mark.parametrize("carrier", ["files", "shuffle"])
def test_what_was_decided_reaches_light_rows_and_ledger(tmp_path: pathlib.Path, carrier: str):
    spool = Spool(carrier, str(tmp_path / "spool"), str(tmp_path))  # type: ignore[arg-type]
    folder = str(tmp_path / "decisions")
    with test_pipeline.TestPipeline(runner="FnApiRunner") as pipeline:
        parts = pipeline | beam.Create(staged(tmp_path)).with_output_types(pa.RecordBatch)
        # Parts are themselves made by a step with several readers, as in the job.
        parts = parts | "Write" >> beam.Map(lambda part: part).with_output_types(pa.RecordBatch)
        decisions = parts | "Survey" >> Survey((MOST,), folder, spool)
        given = {"parts": parts, "decisions": decisions}
        light = given | ReadLight(None, _no, "chars", DedupConfig(), (MOST,))
        kept = light | "Keep" >> beam.Map(_keep).with_output_types(pa.RecordBatch)
        again = kept | "Decide" >> Decide(MOST, str(tmp_path / "again"), spool)
        settled = given | _outcomes(pipeline, kept) | SettleParts("docs", 2, spool, (MOST,))
        told = light | "Langs" >> beam.FlatMap(langs)
        ledger = settled["ledger"] | "Ledger" >> beam.FlatMap(langs)
        expected = ["eng_Latn", "isl_Latn", "isl_Latn", "most", "most", "most"]
        assert_that(told, equal_to(expected), "light rows")
        assert_that(ledger | beam.Distinct(), equal_to(sorted(set(expected))), "ledger")
        assert_that(again, _decided_on("most"), "decided again")


class _outcomes:  # noqa: N801  # reads as a step
    """Adds what else `SettleParts` takes."""

    def __init__(self, pipeline: beam.Pipeline, kept: beam.PCollection) -> None:
        schemas = {"fates": FATE, "assigned": ASSIGNED, "trimmed": TRIMMED, "too_large": LIGHT}
        self._more = {name: _none(pipeline, name, schema) for name, schema in schemas.items()}
        self._more["kept"] = kept

    def __ror__(self, given: dict[str, beam.PCollection]) -> dict[str, beam.PCollection]:
        return given | self._more


def _decided_on(lang: str):
    def check(batches: list[pa.RecordBatch]) -> None:
        assert read_decisions(batches)["most"].column("lang").to_pylist() == [lang]

    return check
