"""A run in every format, verified, tampered with, and read by the format's own library."""

from __future__ import annotations

import json
import pathlib
import shutil
from typing import Any

import orjson
import pyarrow as pa
import pytest
from reading import READERS, ask
from running import Run, holdfast, read_manifest, rows, succeed

from transforms.formats.choose import FORMATS, by_name
from transforms.formats.mds import COLUMNS
from transforms.formats.plain import to_plain
from transforms.records import PUBLISHED

OTHERS = [name for name in FORMATS if name != "parquet"]
Rows = list[dict[str, Any]]


@pytest.fixture(scope="session", autouse=True)
def environment() -> None:
    assert READERS.exists(), f"{READERS} is missing; run `make test-formats`"


@pytest.fixture(scope="session")
def runs(published: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pathlib.Path]:
    """The example corpus, published once in each format from one staging folder."""
    folder = tmp_path_factory.mktemp("formats")
    found = {"parquet": published.output}
    manifest = published.manifest
    flags = [f"--floor={n}={s}" for n, s in manifest["floors"].items()]
    flags += [f"--cap={n}={s}" for n, s in manifest["caps"].items()]
    flags += ["--shard-size", str(manifest["config"]["shard_size"])]
    for name in OTHERS:
        found[name] = folder / name
        succeed(
            "select", published.staging, "--output", found[name], "--format", name, *flags,
            "--config", "examples/holdfast.yaml",
        )  # fmt: skip
    return found


@pytest.fixture(scope="session")
def expected(published: Run) -> Rows:
    """All rows in the order of the shards, as JSON can hold them."""
    tables = [pa.Table.from_pylist(rows(published.output, "data"), schema=PUBLISHED)]
    return [row for table in tables for row in to_plain(table)]


def names(run: pathlib.Path) -> list[str]:
    return [str(run / shard["path"]) for shard in read_manifest(run)["shards"]]


def by_id(given: Rows) -> Rows:
    return sorted(given, key=lambda row: (row["doc_id"], row["repeat"]))


def near(found: Rows, wanted: Rows) -> None:
    """Equal, but for scores that a reader takes for 32-bit floats, or texts for numbers."""
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        assert one.keys() == other.keys()
        for name, value in other.items():
            said = one[name]
            assert said == (pytest.approx(value, rel=1e-6) if isinstance(value, float) else value)


@pytest.mark.parametrize("name", FORMATS)
def test_every_run_keeps_its_promises(runs: dict[str, pathlib.Path], name: str):
    assert "keeps every promise" in succeed("verify", runs[name]).out
    assert read_manifest(runs[name])["format"] == name


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_duckdb_reads_it(runs: dict[str, pathlib.Path], expected: Rows, kind: str):
    pattern = runs[kind] / "data" / f"*{FORMATS[kind].extension}"
    found = ask("duckdb", pattern, kind)
    # DuckDB takes what looks like a date for one; here such texts stay texts, by their JSON.
    near([json.loads(orjson.dumps(row, default=str)) for row in found], by_id(expected))


def test_streaming_reads_it(runs: dict[str, pathlib.Path], expected: Rows, tmp_path: pathlib.Path):
    near(ask("streaming", runs["mds"] / "data", tmp_path / "cache"), expected)


def test_webdataset_reads_it(runs: dict[str, pathlib.Path], expected: Rows):
    found = ask("webdataset", *names(runs["wds"]))
    keys = [f"{row['doc_id']}_{row['repeat']}" for row in expected]
    assert [row.pop("key") for row in found] == keys
    near(found, expected)


def _as_published(value: Any, name: str) -> Any:
    if isinstance(value, str) and name == "jsonl":
        return value.removesuffix(" 00:00:00")
    return value.hex() if isinstance(value, bytes) else value


@pytest.mark.parametrize("name", ["parquet", "jsonl"])
def test_datasets_reads_it_by_its_card(
    runs: dict[str, pathlib.Path], expected: Rows, name: str, tmp_path: pathlib.Path
):
    import datasets  # noqa: PLC0415  # only here, and slow to import

    loaded = datasets.load_dataset(str(runs[name]), split="train", cache_dir=str(tmp_path))
    # Arrow takes days in JSON for times, and `datasets` writes them out as such: the card warns.
    found = [{n: _as_published(v, name) for n, v in row.items()} for row in loaded]
    near(found, expected)


def test_the_librarys_own_writer_gives_the_same_bytes(
    runs: dict[str, pathlib.Path], tmp_path: pathlib.Path
):
    shard = pathlib.Path(names(runs["mds"])[1])
    given = list(to_plain(by_name("mds").read(shard.read_bytes())))
    lines, columns = tmp_path / "rows.jsonl", tmp_path / "columns.json"
    lines.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in given))
    columns.write_text(json.dumps(COLUMNS))
    written = ask("streaming_writer", lines, columns, tmp_path / "out")
    assert written == ["index.json", "shard.00000.mds"]
    assert (tmp_path / "out" / "shard.00000.mds").read_bytes() == shard.read_bytes()
    (theirs,) = json.loads((tmp_path / "out" / "index.json").read_text())["shards"]
    ours = json.loads((shard.parent / "index.json").read_text())["shards"][1]
    theirs["raw_data"]["basename"] = shard.name
    assert ours == theirs


@pytest.mark.parametrize("name", OTHERS)
def test_a_flipped_bit_is_found(runs: dict[str, pathlib.Path], name: str, tmp_path: pathlib.Path):
    run = pathlib.Path(shutil.copytree(runs[name], tmp_path / "run"))
    path = pathlib.Path(names(run)[1])
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    ran = holdfast("verify", run)
    assert ran.code == 1
    assert path.name in ran.out
