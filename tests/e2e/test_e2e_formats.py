"""Three months in three formats: verified, compared across formats, and told apart."""

from __future__ import annotations

import json
import pathlib
import shutil
from collections.abc import Callable
from typing import Any

import e2e_months
import pytest
from running import holdfast, read_manifest, rows, succeed

from transforms.formats.choose import FORMATS

pytestmark = pytest.mark.slow

NAMES = ("jsonl", "mds", "wds")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A run in each format, called as it is, of one month each, over one index."""
    made = tmp_path_factory.mktemp("formats")
    for name, records in zip(NAMES, e2e_months.months(), strict=True):
        source = e2e_months.write(records, made / f"{name}-source.jsonl")
        succeed(
            "curate", "--input", source, "--output", made / name, "--index", made / "index",
            "--format", name, "--no-floors", "--shard-size", "9000",
        )  # fmt: skip
    return made


each = pytest.mark.parametrize("name", NAMES)


@pytest.fixture
def run(folder: pathlib.Path, name: str, tmp_path: pathlib.Path) -> pathlib.Path:
    return pathlib.Path(shutil.copytree(folder / name, tmp_path / name))


@each
def test_a_run_verifies_and_says_what_it_is(folder: pathlib.Path, name: str):
    manifest = read_manifest(folder / name)
    assert "keeps every promise" in succeed("verify", folder / name).out
    assert f"format {name}" in succeed("inspect", folder / name).out
    assert manifest["format"] == manifest["config"]["format"] == name
    endings = {shard["path"].partition(".")[2] for shard in manifest["shards"]}
    assert endings == {FORMATS[name].extension[1:]}
    package = FORMATS[name].package
    assert package is None or package in manifest["versions"]
    card = (folder / name / "README.md").read_text()
    assert ("data_files" in card) == (name != "mds")


def test_witnesses_of_other_formats_are_compared_exactly(folder: pathlib.Path):
    own = {read_manifest(folder / name)["run"]: name for name in NAMES}
    seen = {
        (own[row["witness_run"]], row["similarity_kind"])
        for name in NAMES
        for row in rows(folder / name, "dropped")
        if row["reason"] == "near_duplicate" and row["witness_run"]
    }
    assert seen == {("jsonl", "exact"), ("mds", "exact")}
    assert "holds what its runs published" in succeed("index", "verify", folder / "index").out


def flipped(run: pathlib.Path) -> None:
    path = run / read_manifest(run)["shards"][1]["path"]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def removed(run: pathlib.Path) -> None:
    (run / read_manifest(run)["shards"][1]["path"]).unlink()


def with_a_stranger(run: pathlib.Path) -> None:
    path = run / read_manifest(run)["shards"][1]["path"]
    shutil.copy(path, path.with_name(f"shard-99999-of-99999{FORMATS[run.name].extension}"))


@each
@pytest.mark.parametrize("damage", [flipped, removed, with_a_stranger])
def test_damage_is_found(run: pathlib.Path, damage: Callable[[pathlib.Path], None]):
    damage(run)
    ran = holdfast("verify", run)
    assert ran.code == 1
    assert "shard-00001-of" in ran.out or "shard-99999" in ran.out


@pytest.mark.parametrize("name", ["mds"])
def test_an_index_of_shards_that_lies_is_found(run: pathlib.Path):
    index = run / "data" / "index.json"
    index.write_text(index.read_text().replace('"samples": ', '"samples": 1'))
    assert "data/index.json does not say what the shards are" in holdfast("verify", run).out
    index.unlink()
    assert "data/index.json is missing" in holdfast("verify", run).out


@pytest.mark.parametrize("name", ["jsonl"])
def test_another_format_in_the_manifest_is_found(run: pathlib.Path):
    manifest = read_manifest(run)
    for value, code in (("mds", 1), ("csv", 2), (None, 2)):
        (run / "manifest.json").write_text(json.dumps(manifest | {"format": value}))
        assert holdfast("verify", run).code == code


def drift(*arguments: object) -> tuple[int, dict[str, Any]]:
    ran = holdfast("verify", *arguments, "--json")
    return ran.code, json.loads(ran.out)


def test_drift_between_runs(folder: pathlib.Path):
    code, told = drift(folder / "mds", "--against", folder / "jsonl")
    assert (code, told["findings"], told["exceeded"]) == (0, [], [])
    figures = told["drift"]["figures"]
    sizes = [
        sum(shard["size"] for shard in read_manifest(folder / name)["shards"])
        for name in ("jsonl", "mds")
    ]
    assert [figures["size"]["before"], figures["size"]["after"]] == sizes
    assert figures["size"]["change"] == pytest.approx(sizes[1] / sizes[0] - 1)
    texts = {
        name: {tuple(row["text"].lower().split()) for row in published(folder, name)}
        for name in ("jsonl",)
    }
    distinct = {text[i : i + 5] for text in texts["jsonl"] for i in range(len(text) - 4)}
    assert figures["ngrams"]["before"] == pytest.approx(len(distinct), rel=0.02)


def published(folder: pathlib.Path, name: str) -> list[dict[str, Any]]:
    paths = [folder / name / shard["path"] for shard in read_manifest(folder / name)["shards"]]
    return [row for path in paths for row in FORMATS[name].read(path.read_bytes()).to_pylist()]


def test_drift_is_a_table_and_may_have_bounds(folder: pathlib.Path, tmp_path: pathlib.Path):
    given = ("verify", folder / "wds", "--against", folder / "mds")
    ran = succeed(*given, "--max-drift", "size=100", "--max-drift", "tail=1")
    assert "since run" in ran.out
    assert "ngrams" in ran.out
    ran = holdfast(*given, "--max-drift", "size=0", "--max-drift", "documents=0")
    assert ran.code == 1
    assert "FAILED: size was" in ran.out
    for flags, words in (
        (("--max-drift", "sise=1"), "did you mean 'size'"),
        (("--max-drift", "size"), "is not NAME=X"),
        (("--max-drift", "size=-1"), "is not NAME=X"),
        (("--max-drift", "size=1", "--max-drift", "size=2"), "given twice"),
    ):
        ran = holdfast(*given, *flags)
        assert (ran.code, words in ran.err) == (2, True), ran
    assert "--against RUN" in holdfast(*given[:2], "--max-drift", "size=1").refusal
    assert holdfast(*given[:2], "--against", tmp_path).code == 2


@pytest.mark.parametrize("name", ["mds"])
def test_a_previous_run_that_changed_is_refused(folder: pathlib.Path, run: pathlib.Path):
    flipped(run)
    ran = holdfast("verify", folder / "wds", "--against", run)
    assert ran.code == 2
    assert "its manifest says" in ran.err
