"""The whole job on the example corpus, against answers worked out without its code."""

from __future__ import annotations

import math
import os
import pathlib
import re
from collections import Counter
from fractions import Fraction
from typing import Any

import e2e_corpus as plain
import pytest
from running import Run, holdfast, rows, shards

FLOORS = {"original": Fraction("0.4"), "tail": Fraction("0.2")}
CAPS = {"synthetic": Fraction("0.3")}
MEMBER = {
    "original": lambda row: row["origin"] == "anchor",
    "tail": lambda row: row["tail"],
    "synthetic": lambda row: row["origin"] == "synthetic",
}
REASONS = ["excluded", "too_large", "exact_duplicate", "near_duplicate", "not_selected", "trimmed"]
KEYS = ["run", "config", "config_digest", "versions", "models", "size_unit", "floors", "caps"]
KEYS += ["plan", "tail"]
KEYS += ["languages", "ledger", "shards"]


@pytest.fixture(scope="module")
def output(published: Run) -> pathlib.Path:
    return published.output


@pytest.fixture(scope="module")
def kept(output: pathlib.Path) -> list[dict[str, Any]]:
    return rows(output, "data")


@pytest.fixture(scope="module")
def dropped(output: pathlib.Path) -> list[dict[str, Any]]:
    return rows(output, "dropped")


@pytest.fixture(scope="module")
def by_id() -> dict[str, plain.Record]:
    found = {record["id"]: record for record in plain.documents()}
    assert len(found) == len(plain.documents())
    return found


def test_the_command_ends_well_and_tells_the_figures(published: Run):
    assert published.ran.code == 0
    told = published.ran.out
    assert re.search(r"read\s+│\s+316", told)
    assert re.search(r"dead letters\s+│\s+2", told)
    assert str(published.output) in told


def test_the_run_verifies(output: pathlib.Path):
    ran = holdfast("verify", output)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.count("checked: ") >= 5
    assert "keeps every promise" in ran.out


def test_the_manifest_has_its_keys(published: Run):
    manifest = published.manifest
    assert set(KEYS) <= set(manifest)
    wanted = {"path", "sha256", "documents", "size", "shares", "worst_window"}
    assert all(wanted <= set(shard) for shard in manifest["shards"])
    assert manifest["floors"] == {"original": 0.4, "tail": 0.2}
    assert manifest["caps"] == {"synthetic": 0.3}
    assert manifest["size_unit"] == "chars"


def test_rare_types_are_an_independent_count(published: Run, kept: Any):
    told = published.manifest["rare_types"]
    assert published.manifest["ledger"]["dropped"]["not_selected"] == 0
    assert told["types"] == told["survived"] == told["expected"] > 0  # nothing was cut
    for lang in ("swh_Latn", "rus_Cyrl", "deu_Latn"):
        documents: Counter[str] = Counter()
        own = [row for row in kept if row["lang"] == lang and row["repeat"] == 0]
        own = [row for row in own if row["origin"] == "anchor" and not row["mixed"]]
        for row in own:
            documents.update(set(re.findall(r"\b[^\W\d_]{2,32}\b", row["text"].lower())))
        rare = [word for word, count in documents.items() if count <= 5]
        expected = {
            "originals": len(own),
            **dict.fromkeys(("types", "survived", "expected"), len(rare)),
        }
        assert told["by_language"][lang] == expected


def test_only_what_is_promised_lies_in_the_output(published: Run):
    manifest = published.manifest
    named = {entry["path"] for entry in (*manifest["shards"], *manifest["files"])}
    there = {
        str(p.relative_to(published.output)) for p in published.output.rglob("*") if p.is_file()
    }
    assert there == named | {"manifest.json", "README.md"}
    folders = {p.name for p in published.output.iterdir() if p.is_dir()}
    assert folders == {"data", "dropped", "dead_letters", "ledger"}
    assert not (published.staging / "spool").exists()
    assert not (published.staging / "progress").exists()


def test_nothing_of_this_machine_reaches_the_manifest(published: Run):
    text = (published.output / "manifest.json").read_text()
    for place in (
        str(published.output),
        str(published.staging),
        str(plain.ROOT),
        os.uname().nodename,
    ):
        assert place not in text


def test_the_ledger_is_an_independent_count(published: Run, kept: Any, dropped: Any):
    ledger = published.manifest["ledger"]
    read = plain.corpus()
    assert ledger["read"] == len(read)
    assert ledger["dead_letters"] == sum(record is None for record in read) == 2
    assert ledger["kept"] == sum(row["repeat"] == 0 for row in kept)
    reasons = Counter(row["reason"] for row in dropped)
    assert ledger["dropped"] == {reason: reasons[reason] for reason in REASONS}
    assert ledger["read"] == ledger["kept"] + len(dropped) + ledger["dead_letters"]


def test_every_input_file_has_its_account(published: Run):
    accounts = {pathlib.Path(row["file"]).name: row for row in rows(published.output, "ledger")}
    assert set(accounts) == {path.name for path in plain.CORPUS.iterdir()}
    for path in plain.CORPUS.iterdir():
        records, account = list(plain.read(path)), accounts[path.name]
        assert account["read"] == len(records)
        assert account["dead_letters"] == sum(record is None for record in records)
        assert account["read_size"] == sum(len(r["text"]) for r in records if r is not None)
        assert account["n_bytes"] == path.stat().st_size


def test_the_ledger_adds_up_by_language_and_origin(published: Run, kept: Any):
    ledger = published.manifest["ledger"]
    for name, column in (("by_language", "lang"), ("by_origin", "origin")):
        found = Counter(row[column] for row in kept if row["repeat"] == 0)
        for key, account in ledger[name].items():
            assert account["kept"] == found[key]
            assert account["read"] == account["kept"] + sum(account["dropped"].values())
        assert sum(a["read"] for a in ledger[name].values()) == ledger["read"] - 2
        for reason in REASONS:
            total = sum(account["dropped"][reason] for account in ledger[name].values())
            assert total == ledger["dropped"][reason]


def test_origins_are_those_that_were_planted(published: Run):
    # 131 of tier A and 47 of tier B; a declared copy takes one unverified copy with it.
    read = {key: a["read"] for key, a in published.manifest["ledger"]["by_origin"].items()}
    assert read == {"anchor": 131 + 47, "unverified": 108 - 1, "synthetic": 28 + 1}


def test_the_size_ledger_counts_characters(published: Run, kept: Any):
    ledger = published.manifest["ledger"]["size"]
    assert ledger["read"] == sum(len(record["text"]) for record in plain.documents())
    assert ledger["kept"] == sum(len(row["text"]) for row in kept if row["repeat"] == 0)


def test_exact_copies_are_those_of_equal_normal_form(published: Run, kept: Any):
    groups = Counter(plain.normal_form(record["text"]) for record in plain.documents())
    copies = sum(groups.values()) - len(groups)
    assert copies == 21
    assert published.manifest["ledger"]["dropped"]["exact_duplicate"] == copies
    forms = [plain.normal_form(row["text"]) for row in kept if row["repeat"] == 0]
    assert len(set(forms)) == len(forms)


def test_near_duplicates_are_as_similar_as_is_said(by_id: Any, kept: Any, dropped: Any):
    near = [row for row in dropped if row["reason"] == "near_duplicate"]
    assert len(near) == 20
    text = {row["doc_id"]: row["text"] for row in kept}
    by_url = {record["url"]: record["text"] for record in by_id.values()}
    compared = 0
    for row in near:
        assert row["similarity"] >= 0.8
        one, other = by_url[row["url"]], text[row["witness"]]
        if one.isascii() and other.isascii():
            compared += 1
            assert row["similarity"] == float(plain.jaccard(one, other))
    assert compared > 3


def test_every_witness_exists(kept: Any, dropped: Any):
    there = {row["doc_id"] for row in kept}
    plan = {"too_large", "not_selected", "trimmed"}
    there |= {row["doc_id"] for row in dropped if row["reason"] in plan}
    named = [row for row in dropped if row["reason"].endswith("_duplicate")]
    assert named
    assert {row["witness"] for row in named} <= there


def test_copies_account_for_every_duplicate(published: Run, kept: Any):
    assert sum(row["copies"] for row in kept if row["repeat"] == 0) == len(plain.documents())


def test_no_original_is_lost_to_another_copy(published: Run):
    account = published.manifest["ledger"]["by_origin"]["anchor"]
    assert account["kept"] == account["read"]


@pytest.mark.parametrize("number", range(3))
def test_every_shard_keeps_every_share_strictly(published: Run, number: int):
    tables, entries = shards(published.output), published.manifest["shards"]
    assert len(tables) == len(entries) == 3
    shard, entry = tables[number].to_pylist(), entries[number]
    sizes = [len(row["text"]) for row in shard]
    assert sizes == [row["n_chars"] for row in shard]
    assert (entry["documents"], entry["size"]) == (len(shard), sum(sizes))
    for name, member in MEMBER.items():
        have = sum(size for size, row in zip(sizes, shard, strict=True) if member(row))
        share = Fraction(have, sum(sizes))
        assert entry["shares"][name] == float(share)
        assert share >= FLOORS.get(name, 0)
        assert share <= CAPS.get(name, 1)


@pytest.mark.parametrize("number", range(3))
def test_windows_fall_short_by_no_more_than_is_promised(published: Run, number: int):
    shard = shards(published.output)[number].to_pylist()
    sizes = [len(row["text"]) for row in shard]
    for name, floor in FLOORS.items():
        worst = plain.worst_shortfall(sizes, [MEMBER[name](row) for row in shard], floor)
        assert published.manifest["shards"][number]["worst_window"][name] == math.ceil(worst)
        assert worst <= (1 + len(FLOORS)) * max(sizes)


def test_text_and_fields_are_published_as_they_came(kept: Any, by_id: Any):
    for row in kept:
        record = by_id[row["id"]]
        assert row["text"] == record["text"]
        for name in ("url", "source"):
            assert row[name] == record.get(name)
        assert row["lang_declared"] == record.get("lang")
        assert row["date"] == record.get("date")


def test_dead_letters_name_their_place(output: pathlib.Path):
    letters = rows(output, "dead_letters")
    assert {pathlib.Path(row["file"]).name for row in letters} == {"archive.jsonl.gz", "web.jsonl"}
    for row in letters:
        path = plain.CORPUS / pathlib.Path(row["file"]).name
        if path.suffix == ".jsonl":
            rest = path.read_bytes()[row["position"] :]
            assert rest.split(b"\n")[0].decode()[:40] == row["excerpt"][:40]


def test_datasets_reads_every_row(
    output: pathlib.Path, kept: Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    loaded = datasets.load_dataset(str(output), cache_dir=str(tmp_path / "cache"))
    assert list(loaded) == ["train"]
    assert loaded["train"]["text"][:] == [row["text"] for row in kept]
    assert loaded["train"]["doc_id"][:] == [row["doc_id"] for row in kept]
