"""The last step: all or nothing, the manifest last."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from shards_documents import assess, document, promise, published

from transforms import claim
from transforms.dead import DeadPolicy
from transforms.dedup.config import DedupConfig
from transforms.dedup.index.pins import Facts, write_facts
from transforms.dedup.index.segments import Pinned, read_segment
from transforms.dedup.index.write import Recorder
from transforms.dedup.rows import PART, UNDECIDED
from transforms.errors import (
    DeadLettersError,
    HeldError,
    InfeasibleError,
    InputError,
    LedgerError,
    StorageError,
    VerificationError,
)
from transforms.formats.choose import FORMATS
from transforms.ingest.listing import InputFile, write_inputs
from transforms.records import DEAD_LETTERS, DROPPED
from transforms.shards.assemble import FILE, assemble_shard, write_dead_letters, write_dropped
from transforms.shards.check import REPORT
from transforms.shards.latest import read_latest
from transforms.shards.publication import Publication
from transforms.shards.publish import publish
from transforms.shards.sources import largest, sources_of
from transforms.shards.verify import require, verify_run
from transforms.staging.outcome import INDEXED, LEDGER, ROUTED

SIZE = len("text number 0")
DOCUMENTS = [document(f"text number {n}", ("anchor", "unverified")[n % 2]) for n in range(4)]
PLAN = {"shards": 1, "published": 4 * SIZE, "repeat_cap": 4}


def ledger(*rows: tuple[str, str, str, int]) -> pa.Table:
    names = ("lang", "origin", "outcome", "documents")
    filled = [
        dict(zip(names, row, strict=True)) | {"file": 0, "size": SIZE * row[3]} for row in rows
    ]
    return pa.Table.from_pylist(filled, schema=LEDGER)


TAIL = {"lang": ["eng_Latn"], "size": [5 * SIZE], "tail": [False], "reason": ["class 5"]}
DECISIONS = {"tail": pa.table(TAIL), "hosts": pa.table({"host": ["a.example"]})}
KEPT = [("eng_Latn", "anchor", "kept", 2), ("eng_Latn", "unverified", "kept", 2)]
TRIMMED = ("eng_Latn", "unverified", "trimmed", 1)


@dataclasses.dataclass
class Desk:
    """A place to publish from, with a shard and a dropped row under temporary names."""

    folder: pathlib.Path
    where: Publication

    def publish(self, **changes: Any) -> dict[str, Any]:
        given = {"plan": PLAN, "reports": self.reports(), "files": self.files(), "findings": []}
        given |= {"outcomes": ledger(*KEPT, TRIMMED), "undecided": UNDECIDED.empty_table()}
        given |= {"sources": self.sources(), "decisions": DECISIONS}
        given |= changes
        read = sum(given["outcomes"].column("documents").to_pylist())
        parts = [{"part": 0, "path": "", "rows": read, "first": 0}]
        return publish(self.where, **{"parts": pa.Table.from_pylist(parts, schema=PART), **given})

    def sources(self) -> pa.Table:
        routed = self.routed([0, 1, 2, 3])
        tables = {"sources": sources_of(routed, self.where.promise.sizes(routed))}
        return dict(largest(0, tables))["largest"]

    def routed(self, order: list[int]) -> pa.Table:
        table = published(*DOCUMENTS).take(order)
        table = table.append_column("shard", pa.array([0] * len(order), pa.int32()))
        return table.append_column("position", pa.array(order, pa.int32())).cast(ROUTED)

    def reports(self, order: tuple[int, ...] = (2, 0, 3, 1)) -> pa.Table:
        tables = {"routed": self.routed(list(order))}
        folder = self.where.temporary
        outputs = dict(
            assemble_shard(
                0,
                tables,
                folder=folder,
                promise=self.where.promise,
                assess=assess,
                written_as=self.where.written_as,
            )
        )
        return outputs["reports"]

    def files(self, *letters: dict[str, Any]) -> pa.Table:
        row = {"doc_id": b"x" * 16, "url": None, "reason": "trimmed"}
        dropped = {"dropped": pa.Table.from_pylist([row], schema=DROPPED)}
        found = [
            dict(write_dropped(0, dropped, folder=self.where.temporary, threshold=0.8))["files"]
        ]
        if letters:
            tables = {"dead_letters": pa.Table.from_pylist(list(letters), schema=DEAD_LETTERS)}
            found.append(dict(write_dead_letters(1, tables, folder=self.where.temporary))["files"])
        return pa.concat_tables(found)

    def visible(self) -> list[str]:
        run = self.folder / "run"
        files = (path.relative_to(run) for path in run.rglob("*") if path.is_file())
        return sorted(str(path) for path in files if path.parts[0] != "_temporary")


@pytest.fixture
def desk(tmp_path: pathlib.Path) -> Desk:
    run = tmp_path / "run"
    inputs = str(tmp_path / "inputs.jsonl")
    write_inputs([InputFile("a.jsonl", 1000, "xxh3:0", "jsonl")], inputs)
    where = Publication(
        run=str(run),
        temporary=str(run / "_temporary"),
        name="abc",
        config={
            "provenance": {},
            "dedup": {"threshold": 0.8},
            "floors": {"original": 0.4},
            "caps": {},
        },
        config_digest="d",
        promise=promise(floors={"original": 0.4}),
        dead_policy=DeadPolicy(0.25, 1000, str(tmp_path / "staging")),
        stated=("tail",),
        inputs=inputs,
    )
    return Desk(tmp_path, where)


def letter(reason: str = "invalid_json", n_bytes: int = 10) -> dict[str, Any]:
    return {"file": "a.jsonl", "position": 0, "reason": reason, "excerpt": "", "n_bytes": n_bytes}


def test_a_good_run_is_published_and_verifies(desk: Desk):
    manifest = desk.publish()
    assert manifest == require(desk.where.run)
    assert manifest["tail"] == {}
    assert manifest["decisions"] == {"tail": TAIL}, "hosts are not stated"
    assert manifest["languages"]["eng_Latn"] == {
        "documents": 4, "size": 4 * SIZE, "tail_documents": 0,
        "sources": 2, "largest_source": "anchor", "largest_source_size": 2 * SIZE,
    }  # fmt: skip
    assert desk.visible() == [
        "README.md",
        "data/shard-00000-of-00001.parquet",
        "dead_letters/part-00000-of-00001.parquet",
        "dropped/part-00000-of-00001.parquet",
        "ledger/files.parquet",
        "manifest.json",
    ]
    assert not (desk.folder / "run" / "_temporary").exists()
    verdict = verify_run(desk.where.run, lambda _: assess)
    assert verdict.findings == ()
    assert len(verdict.checked) >= 5


@pytest.mark.parametrize("name", FORMATS)
def test_a_run_is_published_in_any_format(desk: Desk, name: str):
    desk.where = dataclasses.replace(desk.where, written_as=name)
    manifest = desk.publish()
    assert manifest["format"] == name
    (shard,) = manifest["shards"]
    assert shard["path"] == f"data/shard-00000-of-00001{FORMATS[name].extension}"
    data = (desk.folder / "run" / shard["path"]).read_bytes()
    assert FORMATS[name].read(data).equals(published(*DOCUMENTS))
    beside = {entry["path"]: entry["rows"] for entry in manifest["files"]} | {shard["path"]: 4}
    assert ("data/index.json" in beside) == (name == "mds")
    assert {"README.md", "manifest.json", *beside} == set(desk.visible())
    assert verify_run(desk.where.run, lambda _: assess).findings == ()


def test_an_index_of_shards_is_held_against_them(desk: Desk):
    desk.where = dataclasses.replace(desk.where, written_as="mds")
    manifest = desk.publish()
    (entry,) = (e for e in manifest["files"] if e["path"] == "data/index.json")
    assert entry["rows"] == 4
    entry["rows"] = 5
    path = desk.folder / "run" / "manifest.json"
    path.write_bytes(orjson.dumps(manifest))
    (finding,) = verify_run(desk.where.run, lambda _: assess).findings
    assert finding == "data/index.json: the manifest says rows=5, not 4"


def test_the_order_in_which_rows_arrive_reaches_no_byte(desk: Desk):
    one, other = (desk.reports(order).to_pylist()[0] for order in ((2, 0, 3, 1), (0, 1, 2, 3)))
    assert one["sha256"] == other["sha256"]
    assert one["path"] != other["path"]


@pytest.mark.parametrize("order", [(0, 1, 3), (0, 0, 1, 2), (1, 2, 3)], ids=str)
def test_a_lost_or_doubled_row_of_a_shard_is_never_written(desk: Desk, order: tuple[int, ...]):
    with pytest.raises(LedgerError, match="do not fill their places"):
        desk.reports(order)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"findings": ["2 witnesses do not exist"]}, "2 witnesses do not exist"),
        ({"plan": PLAN | {"shards": 2}}, "1 shards were written, the plan has 2"),
        ({"outcomes": ledger(*KEPT)}, "the ledger says trimmed=0"),
        ({"outcomes": ledger(KEPT[0], TRIMMED)}, "the ledger says kept=2"),
        ({"reports": REPORT.empty_table()}, "0 shards were written"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_broken_promise_publishes_nothing(desk: Desk, change: dict[str, Any], words: str):
    with pytest.raises(VerificationError, match="checks failed before publishing") as caught:
        desk.publish(**change)
    assert words in str(caught.value)
    assert desk.visible() == []


def test_a_shard_that_breaks_a_floor_publishes_nothing(desk: Desk):
    desk.where = dataclasses.replace(desk.where, promise=promise(floors={"original": 0.6}))
    with pytest.raises(VerificationError, match=r"shard 0: floor original=0\.6 is broken"):
        desk.publish()
    assert desk.visible() == []


def test_only_the_first_findings_are_told(desk: Desk):
    with pytest.raises(
        VerificationError, match=r"^9 checks failed before publishing: f0; f1; f2; f3; f4$"
    ):
        desk.publish(findings=[f"f{n}" for n in range(9)])


def test_dead_letters_up_to_the_limit_are_published(desk: Desk):
    manifest = desk.publish(files=desk.files(letter()))
    assert manifest["ledger"]["dead_letters"] == 1
    assert manifest["ledger"]["read"] == 6


def test_more_dead_letters_than_the_limit_publish_nothing(desk: Desk):
    with pytest.raises(
        DeadLettersError, match=r"2 of 7 records .* 28\.57%, more than max_dead_fraction=0\.25"
    ):
        desk.publish(files=desk.files(letter(), letter()))
    assert desk.visible() == []


def test_the_bytes_of_an_unreadable_file_count(desk: Desk):
    with pytest.raises(DeadLettersError, match="300 of 1000 input bytes"):
        desk.publish(files=desk.files(letter("unreadable_file", 300)))


def test_nothing_read_is_no_run(desk: Desk):
    with pytest.raises(InputError, match="the input holds no document"):
        desk.publish(outcomes=LEDGER.empty_table(), files=FILE.empty_table())


def test_dropped_rows_are_in_the_order_of_their_values(desk: Desk):
    rows = [{"doc_id": bytes([n]) * 16, "url": f"u{n}", "reason": "trimmed"} for n in range(5)]
    digests = set()
    for some in (rows, rows[::-1]):
        tables = {"dropped": pa.Table.from_pylist(some, schema=DROPPED)}
        file = dict(write_dropped(0, tables, folder=desk.where.temporary, threshold=0.8))[
            "files"
        ].to_pylist()[0]
        assert orjson.loads(file["facts"]) == {"trimmed": 5}
        digests.add(file["sha256"])
    assert len(digests) == 1


GONE = ledger(
    ("eng_Latn", "anchor", "exact_duplicate", 1), ("eng_Latn", "unverified", "near_duplicate", 2)
)


def all_gone(desk: Desk) -> dict[str, Any]:
    reasons = ("exact_duplicate", "near_duplicate", "near_duplicate")
    witness = {"witness": b"w" * 16, "similarity": 1.0, "witness_run": "old"}
    witness |= {"witness_shard": "data/s", "similarity_kind": "exact"}
    rows = [{"doc_id": bytes([n]) * 16, "reason": r} | witness for n, r in enumerate(reasons)]
    tables = {"dropped": pa.Table.from_pylist(rows, schema=DROPPED)}
    files = dict(write_dropped(0, tables, folder=desk.where.temporary, threshold=0.8))["files"]
    return {"plan": None, "reports": REPORT.empty_table(), "files": files, "outcomes": GONE}


def test_a_run_that_finds_nothing_new_has_no_shard(desk: Desk):
    manifest = desk.publish(**all_gone(desk))
    assert (manifest["shards"], manifest["plan"]["shards"]) == ([], 0)
    assert manifest["floors"] == {"original": 0.4}, "no shard breaks a floor"
    assert "no shard" in (desk.folder / "run" / "README.md").read_text()
    assert "manifest.json" in desk.visible()


def test_a_target_is_not_met_by_nothing(desk: Desk):
    desk.where = dataclasses.replace(desk.where, config=desk.where.config | {"target": 50})
    with pytest.raises(InfeasibleError, match="nothing is left to publish, and --target 50"):
        desk.publish(**all_gone(desk))
    assert desk.visible() == []


def test_a_lost_plan_is_not_taken_for_nothing_new(desk: Desk):
    given = all_gone(desk) | {"outcomes": ledger(*KEPT, TRIMMED)}
    with pytest.raises(LedgerError, match=r"no plan, but documents with outcomes .*'trimmed'"):
        desk.publish(**given)


@pytest.fixture
def recorder(desk: Desk) -> Recorder:
    """An index beside the run, with what it pins put down."""
    config = DedupConfig(**desk.where.config["dedup"])
    desk.where = dataclasses.replace(desk.where, pinned=str(desk.folder / "staging"))
    facts = Facts(str(desk.folder / "index"), (Pinned("old", (2,)),), 7, append=True)
    write_facts(str(desk.folder / "staging"), facts)
    return Recorder(
        facts.index, desk.where.name, config, lambda dates: pa.nulls(len(dates), pa.int32())
    )


def indexed(desk: Desk, recorder: Recorder, order: tuple[int, ...] = (2, 0, 3, 1)) -> pa.Table:
    """The rows of FILE that assembling a shard with a recorder gives."""
    routed = desk.routed(list(order))
    signatures = [None if n == 1 else bytes([n]) * 504 for n in order]
    routed = routed.append_column("signature", pa.array(signatures, pa.binary())).cast(INDEXED)
    outputs = dict(
        assemble_shard(
            0, {"routed": routed}, folder=desk.where.temporary, promise=desk.where.promise,
            assess=assess, recorder=recorder,
        )
    )  # fmt: skip
    assert outputs["reports"].column("sha256") == desk.reports().column("sha256")
    return outputs["index"]


def test_a_shard_is_appended_as_it_is_published(desk: Desk, recorder: Recorder):
    index = indexed(desk, recorder)
    manifest = desk.publish(files=pa.concat_tables([desk.files(), index]))
    facts = {"path": recorder.index, "pinned": [{"run": "old", "gone": [2]}], "documents": 7}
    assert manifest["index"] == facts
    assert {entry["path"].split("/")[0] for entry in manifest["files"]} == {
        "dropped",
        "dead_letters",
        "ledger",
    }
    segment = read_segment(recorder.index, desk.where.name)
    assert segment is not None
    assert (segment.folder, segment.pinned) == (desk.where.run, (Pinned("old", (2,)),))
    (shard,) = segment.shards
    assert (shard.path, shard.rows, shard.documents) == ("data/shard-00000-of-00001.parquet", 4, 4)
    path = pathlib.Path(recorder.index) / "segments" / "abc" / "shard-00000-of-00001.parquet"
    rows = pq.ParquetFile(path).read().to_pylist()
    assert [row["doc_id"] for row in rows] == published(*DOCUMENTS).column("doc_id").to_pylist()
    assert [row["signature"] for row in rows][:2] == [bytes(504), None]
    assert not pathlib.Path(recorder.folder).exists()


def test_a_refused_run_appends_nothing(desk: Desk, recorder: Recorder):
    files = pa.concat_tables([desk.files(), indexed(desk, recorder)])
    with pytest.raises(VerificationError):
        desk.publish(files=files, findings=["2 witnesses do not exist"])
    assert read_segment(recorder.index, desk.where.name) is None


def test_a_run_that_the_index_has_is_not_appended_again(desk: Desk, recorder: Recorder):
    facts = Facts(recorder.index, (), 0, append=False)
    write_facts(str(desk.folder / "staging"), facts)
    assert desk.publish()["index"]["pinned"] == []
    assert not pathlib.Path(recorder.index).exists()


def test_who_lost_the_place_publishes_nothing(desk: Desk):
    desk.where = dataclasses.replace(desk.where, claim=("mine", (desk.where.run,)))
    with pytest.raises(HeldError, match="not claimed any more"):
        desk.publish()
    claim.take(desk.where.run, "other", token="theirs", stale_after=60)  # noqa: S106
    with pytest.raises(HeldError, match="taken over by run other"):
        desk.publish()
    assert desk.visible() == ["_claim.json"]
    claim.release(desk.where.run, "theirs")
    claim.take(desk.where.run, "abc", token="mine", stale_after=60)  # noqa: S106
    desk.publish()
    assert "manifest.json" in desk.visible()


def test_a_run_that_was_published_meanwhile_is_not_replaced(desk: Desk):
    reports, files = desk.reports(), desk.files()
    manifest = desk.folder / "run" / "manifest.json"
    manifest.write_bytes(b"theirs")
    with pytest.raises(StorageError, match="another run was published here meanwhile"):
        desk.publish(reports=reports, files=files)
    assert manifest.read_bytes() == b"theirs"


def test_a_step_that_runs_twice_publishes_once(desk: Desk):
    """Runners repeat what failed, also where it had nearly ended."""
    reports, files = desk.reports(), desk.files()
    pointer = str(desk.folder / "LATEST.json")
    desk.where = dataclasses.replace(desk.where, latest=pointer)
    first = desk.publish(reports=reports, files=files)
    before = {name: (desk.folder / "run" / name).read_bytes() for name in desk.visible()}
    assert desk.publish(reports=reports, files=files) == first
    assert {name: (desk.folder / "run" / name).read_bytes() for name in desk.visible()} == before
    told, _ = read_latest(pointer)
    assert told is not None
    assert (told["latest"]["run"], told["earlier"]) == (desk.where.name, [])


def test_a_part_that_is_lost_on_the_way_fails_the_job(desk: Desk):
    parts = pa.Table.from_pylist([{"part": 0, "path": "", "rows": 6, "first": 0}], schema=PART)
    with pytest.raises(VerificationError, match="6 records were read, 5 are accounted"):
        desk.publish(parts=parts)
    assert "manifest.json" not in desk.visible()
