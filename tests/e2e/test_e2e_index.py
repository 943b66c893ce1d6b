"""Scheduled runs over overlapping months: together they hold nothing twice."""

from __future__ import annotations

import dataclasses
import itertools
import json
import pathlib
import shutil
from collections import Counter
from fractions import Fraction
from typing import Any

import e2e_corpus as plain
import e2e_months
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from running import digests, holdfast, read_manifest, rows, shards, succeed

from transforms.shards import publish

pytestmark = pytest.mark.slow

THRESHOLD = Fraction(4, 5)
SMALL = ("--no-floors", "--shard-size", "9000")
Row = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Months:
    """Three published runs and the index that they share."""

    folder: pathlib.Path
    index: pathlib.Path

    def run(self, month: int) -> pathlib.Path:
        return self.folder / f"run{month}"

    def source(self, month: int) -> pathlib.Path:
        return self.folder / f"month{month}.jsonl"

    def name(self, month: int) -> str:
        return str(read_manifest(self.run(month))["run"])

    def published(self, month: int) -> list[Row]:
        return [row for row in rows(self.run(month), "data") if row["repeat"] == 0]

    def dropped(self, month: int) -> list[Row]:
        return rows(self.run(month), "dropped")


def curate(source: pathlib.Path, run: pathlib.Path, index: pathlib.Path, *flags: str) -> Any:
    return holdfast("curate", "--input", source, "--output", run, "--index", index, *SMALL, *flags)


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> Months:
    folder = tmp_path_factory.mktemp("months")
    made = Months(folder, folder / "index")
    for month, records in enumerate(e2e_months.months()):
        e2e_months.write(records, made.source(month))
        ran = curate(made.source(month), made.run(month), made.index)
        assert ran.code == 0, ran.err
    return made


@pytest.fixture(scope="module")
def sources(months: Months) -> list[dict[bytes, Row]]:
    """The input record of every doc_id, by month: `dropped/` does not repeat texts."""
    found = []
    for month, records in enumerate(e2e_months.months()):
        by_id = {record["id"]: record for record in records}
        parts = (months.folder / f"run{month}.staging" / "parts").iterdir()
        staged = [row for part in parts for row in pq.ParquetFile(part).read().to_pylist()]
        found.append({row["doc_id"]: by_id[row["id"]] for row in staged})
    return found


@pytest.fixture
def index(months: Months, tmp_path: pathlib.Path) -> pathlib.Path:
    """A copy of the index; the runs that it names stay where they are."""
    return pathlib.Path(shutil.copytree(months.index, tmp_path / "index"))


def is_original(row: Row) -> bool:
    return row["origin_tier"] is not None


def test_the_union_of_the_runs_holds_no_pair_but_late_originals(months: Months):
    everything = [(month, row) for month in range(3) for row in months.published(month)]
    beside = 0
    for (month, one), (later, other) in itertools.combinations(everything, 2):
        if plain.jaccard(one["text"], other["text"]) >= THRESHOLD:
            # An original that came later than what resembles it: it is kept.
            assert (is_original(one), is_original(other)) == (False, True)
            assert month < later
            beside += 1
    assert beside > 3, "the months do not put the exception to the test"


def test_every_witness_is_where_its_row_says(months: Months, sources: list[dict[bytes, Row]]):
    """Similarities are recomputed here from the input, by other code."""
    kinds: Counter[tuple[str, bool]] = Counter()
    runs = {months.name(month): months.run(month) for month in range(3)}
    for month in range(3):
        by_run = {months.name(m): months.published(m) for m in range(month + 1)}
        for row in months.dropped(month):
            assert row["witness"], "the plan takes all that deduplication keeps"
            run = row["witness_run"]
            assert run != months.name(month)
            assert (run is None) == (row["witness_shard"] is None)
            candidates = by_run[run or months.name(month)]
            if run:
                candidates = pq.ParquetFile(runs[run] / row["witness_shard"]).read().to_pylist()
            (witness,) = {r["text"] for r in candidates if r["doc_id"] == row["witness"]}
            assert row["similarity_kind"] == "exact"
            text = sources[month][row["doc_id"]]["text"]
            assert float(plain.jaccard(text, witness)) == row["similarity"] >= 0.8
            same = plain.normal_form(text) == plain.normal_form(witness)
            assert same or row["reason"] == "near_duplicate"
            kinds[row["reason"], run is not None] += 1
    assert set(kinds) == {
        (reason, earlier)
        for reason in ("exact_duplicate", "near_duplicate")
        for earlier in (False, True)
    }
    assert min(kinds.values()) > 2


def test_no_original_is_lost_to_what_is_none(months: Months, sources: list[dict[bytes, Row]]):
    origin = {
        row["doc_id"]: is_original(row) for month in range(3) for row in months.published(month)
    }
    lost = 0
    for month in range(3):
        for row in months.dropped(month):
            if sources[month][row["doc_id"]].get("date") == "2018-05-01":
                assert origin[row["witness"]]
                lost += row["witness_run"] is not None
    assert lost, "no original of an earlier run is put to the test"


def test_published_shards_and_the_index_verify(months: Months):
    for month in range(3):
        said = succeed("verify", months.run(month)).out
        earlier = sum(row["witness_run"] is not None for row in months.dropped(month))
        assert f"checked: {earlier} witnesses in earlier runs\n" in said
    said = succeed("index", "verify", months.index).out
    count = sum(len(table) for month in range(3) for table in shards(months.run(month)))
    assert f"checked: {count} rows of" in said


def test_a_run_pins_what_was_there_before_it(months: Months):
    names = [months.name(month) for month in range(3)]
    for month in range(3):
        facts = read_manifest(months.run(month))["index"]
        assert [pin["run"] for pin in facts["pinned"]] == sorted(names[:month])
        assert facts["documents"] == sum(len(months.published(m)) for m in range(month))


def test_an_index_changes_no_byte_of_a_first_run(months: Months, tmp_path: pathlib.Path):
    run = tmp_path / "run"
    succeed("curate", "--input", months.source(0), "--output", run, *SMALL)
    assert digests(run, "data", "dropped") == digests(months.run(0), "data", "dropped")
    assert read_manifest(run)["run"] != months.name(0)


def test_the_same_run_again_does_nothing(months: Months):
    before = digests(months.folder)
    for month in range(3):
        ran = curate(months.source(month), months.run(month), months.index)
        assert ran.code == 0, ran.err
        assert f"run {months.name(month)} is published already; nothing to do" in ran.out
    assert digests(months.folder) == before


def test_the_same_run_elsewhere_gives_the_same_bytes_and_adds_nothing(
    months: Months, index: pathlib.Path, tmp_path: pathlib.Path
):
    before = digests(index)
    staging = shutil.copytree(months.folder / "run1.staging", tmp_path / "staging")
    parts = staging / "annotated.json"
    parts.write_text(parts.read_text().replace(str(months.folder / "run1.staging"), str(staging)))
    run = tmp_path / "run"
    succeed("select", staging, "--output", run, "--index", index, "--exchange", "shuffle", *SMALL)
    assert digests(run, "data", "dropped") == digests(months.run(1), "data", "dropped")
    assert read_manifest(run)["run"] == months.name(1)
    assert digests(index) == before


def test_nothing_new_is_a_run_without_shards(
    months: Months, index: pathlib.Path, tmp_path: pathlib.Path
):
    run, again = tmp_path / "run", ("--rotation", "9", "--floor", "original=0.5")
    source = e2e_months.write(
        [row for row in e2e_months.months()[0] if published_text(row["text"], months)],
        tmp_path / "known.jsonl",
    )
    flags = ("--shard-size", "9000", *again)
    ran = holdfast("curate", "--input", source, "--output", run, "--index", index, *flags)
    assert ran.code == 0, ran.err
    assert "0 shards" in ran.out
    assert not list(run.glob("data/*"))
    assert {row["witness_run"] for row in rows(run, "dropped")} == {months.name(0)}
    assert "keeps every promise" in succeed("verify", run).out
    assert succeed("inspect", run).code == 0
    shown = succeed("index", "show", index).out
    assert read_manifest(run)["run"] in shown
    planned = holdfast("plan", f"{run}.staging", *again)
    assert planned.code == 2
    assert "deduplication kept no document" in planned.refusal
    refused = holdfast(
        "curate", "--input", source, "--output", tmp_path / "other", "--index", index, *flags,
        "--target", "5000",
    )  # fmt: skip
    assert refused.code == 3
    assert "nothing is left to publish, and --target 5000 asks for more" in refused.refusal


def published_text(text: str, months: Months) -> bool:
    known = {plain.normal_form(row["text"]) for row in months.published(0)}
    return plain.normal_form(text) in known


@pytest.fixture
def late(months: Months, tmp_path: pathlib.Path) -> pathlib.Path:
    """A month that repeats, nearly, what the first one published."""
    records = []
    for number, row in enumerate(months.published(0)):
        words = row["text"].split()
        words[50] = "otherwise"
        records.append({"text": " ".join(words), "id": f"late-{number}"})
    return e2e_months.write(records, tmp_path / "late.jsonl")


def test_a_witness_whose_shard_is_gone_is_estimated(
    months: Months, index: pathlib.Path, late: pathlib.Path, tmp_path: pathlib.Path
):
    old = pathlib.Path(shutil.copytree(months.run(0), tmp_path / "old"))
    segment = index / "segments" / months.name(0) / "segment.json"
    record = json.loads(segment.read_text())
    segment.write_text(json.dumps(record | {"folder": str(old)}))
    (gone, *_) = sorted((old / "data").iterdir())
    name = f"data/{gone.name}"
    gone.unlink()
    ran = curate(late, tmp_path / "run", index)
    assert ran.code == 0, ran.err
    dropped = rows(tmp_path / "run", "dropped")
    kinds = {(row["witness_shard"] == name, row["similarity_kind"]) for row in dropped
             if row["witness_run"] == months.name(0)}  # fmt: skip
    assert kinds == {(True, "estimated"), (False, "exact")}
    assert all(row["similarity"] >= 0.8 for row in dropped)
    pinned = read_manifest(tmp_path / "run")["index"]["pinned"]
    assert {pin["run"]: pin["gone"] for pin in pinned}[months.name(0)] == [0]
    said = succeed("verify", tmp_path / "run").out
    assert "of them in shards that are gone" in said
    assert "1 shards are gone" in succeed("index", "verify", index).out


def test_compacting_changes_where_rows_lie_and_nothing_else(
    months: Months, index: pathlib.Path, late: pathlib.Path, tmp_path: pathlib.Path
):
    plain_index = pathlib.Path(shutil.copytree(index, tmp_path / "plain"))
    assert "files merged into 1; 0 files removed" in succeed("index", "compact", index).out
    assert list((index / "segments").glob("*/*.parquet"))
    succeed("index", "compact", index, "--older-than", "0")
    assert not list((index / "segments").glob("*/*.parquet"))
    assert "holds what its runs published" in succeed("index", "verify", index).out
    for month in range(3):
        assert curate(months.source(month), months.run(month), index).code == 0
    for name, where in (("one", index), ("other", plain_index)):
        ran = curate(late, tmp_path / name, where)
        assert ran.code == 0, ran.err
    one, other = tmp_path / "one", tmp_path / "other"
    assert digests(one, "data", "dropped") == digests(other, "data", "dropped")
    assert read_manifest(one)["run"] == read_manifest(other)["run"]
    assert {row["reason"] for row in rows(one, "dropped")} == {"near_duplicate"}


def test_a_run_that_dies_before_its_manifest_left_nothing(
    months: Months, index: pathlib.Path, late: pathlib.Path, tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    run = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(publish.manifests, "encode", broken)
        assert curate(late, run, index).code != 0
    assert not (run / "manifest.json").exists()
    (dead,) = {p.name for p in (index / "segments").iterdir()} - {
        months.name(month) for month in range(3)
    }
    assert (index / "segments" / dead / "segment.json").exists()
    shown = succeed("index", "show", index).out
    assert "1 segments do not count" in shown
    # Another run does not see it.
    other = e2e_months.write([{"text": "all alone in its month " * 9}], tmp_path / "other.jsonl")
    succeed("curate", "--input", other, "--output", tmp_path / "o", "--index", index, *SMALL)
    pinned = [pin["run"] for pin in read_manifest(tmp_path / "o")["index"]["pinned"]]
    assert dead not in pinned
    # The index has grown: the same job, in the same place, is another run now.
    ran = curate(late, run, index)
    assert ran.code == 0, ran.err
    assert read_manifest(run)["run"] != dead
    succeed("index", "compact", index, "--remove-unfinished", "--older-than", "0")
    assert not (index / "segments" / dead).exists()
    assert "keeps every promise" in succeed("verify", run).out


def broken(manifest: object) -> bytes:
    raise OSError("the machine is gone")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("dedup: {ngram: 4}", "was made with dedup.ngram=5, this run has 4"),
        ("dedup: {bands: 14}", "was made with dedup.bands=21, this run has 14"),
        ("dedup: {seed: 2}", "was made with dedup.seed=1, this run has 2"),
    ],
)
def test_an_index_of_another_configuration_is_refused(
    months: Months, tmp_path: pathlib.Path, config: str, words: str
):
    (tmp_path / "job.yaml").write_text(config)
    before = digests(months.index)
    ran = curate(
        months.source(0), tmp_path / "run", months.index, "--config", str(tmp_path / "job.yaml")
    )
    assert ran.code == 2
    assert words in ran.refusal
    assert digests(months.index) == before


def test_an_index_of_another_scheme_is_refused(
    months: Months, index: pathlib.Path, tmp_path: pathlib.Path
):
    record = json.loads((index / "index.json").read_text())
    (index / "index.json").write_text(json.dumps(record | {"scheme": "old"}))
    ran = curate(months.source(0), tmp_path / "run", index)
    assert ran.code == 2
    assert "was made with scheme='old'" in ran.refusal
    assert holdfast("index", "verify", index).code == 2


def test_an_output_that_another_index_knows_is_refused(months: Months, tmp_path: pathlib.Path):
    ran = curate(months.source(0), months.run(0), tmp_path / "empty")
    assert ran.code == 2
    assert "does not count it" in ran.refusal
    assert not (tmp_path / "empty").exists()


def test_places_that_are_no_index(months: Months, tmp_path: pathlib.Path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").write_text("mine")
    for place, words in (
        (tmp_path / "mine", "is not empty and holds no index"),
        (tmp_path / "mine" / "notes", "is a file"),
        (tmp_path / "run", "is the output or staging folder"),
        (tmp_path / "run.staging", "is the output or staging folder"),
    ):
        ran = curate(months.source(0), tmp_path / "run", place)
        assert (ran.code, words in ran.refusal) == (2, True), ran.err
    for what in ("show", "verify", "compact"):
        ran = holdfast("index", what, tmp_path / "mine")
        assert (ran.code, "is no index" in ran.refusal) == (2, True)


def test_verify_finds_a_witness_that_is_not_there(months: Months, tmp_path: pathlib.Path):
    run = pathlib.Path(shutil.copytree(months.run(1), tmp_path / "run"))
    (path,) = (run / "dropped").iterdir()
    table = pq.ParquetFile(path).read()
    changed = table.to_pylist()
    row = next(row for row in changed if row["witness_run"])
    row["witness"] = b"\x00" * 16
    pq.write_table(pa.Table.from_pylist(changed, schema=table.schema), path)
    ran = holdfast("verify", run)
    assert ran.code == 1
    assert f"1 witnesses are not in {row['witness_shard']} of run {months.name(0)}" in ran.out
