import glob
import os
import pathlib

import pytest
import xxhash

from transforms import storage
from transforms.errors import InputError, UsageError
from transforms.ingest.config import IngestConfig
from transforms.ingest.listing import (
    InputFile,
    fingerprint,
    list_inputs,
    read_inputs,
    write_inputs,
)
from transforms.ingest.read import read_split
from transforms.ingest.splits import plan_splits


def touch(folder: pathlib.Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())


def names(folder: pathlib.Path, files: list[InputFile]) -> list[str]:
    return [str(pathlib.Path(file.path).relative_to(folder)) for file in files]


def test_folders_are_read_to_the_bottom_without_what_is_hidden(tmp_path: pathlib.Path) -> None:
    kept = ["a.jsonl", "b/c.ndjson.gz", "b/d.JSON.ZST", "b/e/f.parquet", "g.pq"]
    touch(tmp_path, *kept)
    touch(tmp_path, "_SUCCESS.json", ".a.jsonl", "_tmp/x.jsonl", "b/.git/x.jsonl", "README.md")
    assert names(tmp_path, list_inputs([str(tmp_path)])) == sorted(kept)


def test_formats_and_digests(tmp_path: pathlib.Path) -> None:
    touch(tmp_path, "a.jsonl", "b.ndjson.gz", "c.json.zst", "d.parquet")
    files = list_inputs([str(tmp_path)])
    assert [file.format for file in files] == ["jsonl", "jsonl.gz", "jsonl.zst", "parquet"]
    assert [file.size for file in files] == [7, 11, 10, 9]
    assert files[0].digest == f"xxh3:{xxhash.xxh3_128_hexdigest(b'a.jsonl')}"


def test_each_file_is_listed_once(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a.jsonl")
    (tmp_path / "z.jsonl").symlink_to(tmp_path / "a.jsonl")
    monkeypatch.chdir(tmp_path)
    patterns = ["*.jsonl", "a.jsonl", "./a.jsonl", str(tmp_path), f"file://{tmp_path}/a.jsonl"]
    assert names(tmp_path, list_inputs(patterns)) == ["a.jsonl"]


def test_globs_skip_unknown_endings_and_enter_folders(tmp_path: pathlib.Path) -> None:
    touch(tmp_path, "day=1/a.jsonl", "day=2/b.jsonl", "day=2/notes.txt", "other/c.jsonl")
    assert names(tmp_path, list_inputs([f"{tmp_path}/day=*"])) == ["day=1/a.jsonl", "day=2/b.jsonl"]
    assert names(tmp_path, list_inputs([f"{tmp_path}/day=2/*"])) == ["day=2/b.jsonl"]
    assert len(list_inputs([f"{tmp_path}/**/*.jsonl"])) == 3


def test_a_name_that_looks_like_a_pattern(tmp_path: pathlib.Path) -> None:
    touch(tmp_path, "a[1].jsonl", "a1.jsonl")
    assert names(tmp_path, list_inputs([f"{tmp_path}/a[1].jsonl"])) == ["a[1].jsonl"]


NOTHING = [
    ("absent.jsonl", "does not exist", "a path that is not there"),
    ("*.parquet", "matches no file", "a glob without a match"),
    ("*.txt", "matches no file", "a glob that matches unknown formats alone"),
    ("empty", "without files", "a folder without input"),
    ("notes.txt", "no ending that tells its format", "an unknown format, named by the user"),
]


@pytest.mark.parametrize(("name", "message", "why"), NOTHING, ids=[case[2] for case in NOTHING])
def test_nothing_to_read(tmp_path: pathlib.Path, name: str, message: str, why: str) -> None:
    touch(tmp_path, "a.jsonl", "notes.txt")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=message) as caught:
        list_inputs([str(tmp_path / "a.jsonl"), str(tmp_path / name)])
    assert str(tmp_path / name) in str(caught.value)


def test_no_patterns() -> None:
    with pytest.raises(UsageError, match="--input"):
        list_inputs([])


def test_list_is_written_sorted_and_read_back(tmp_path: pathlib.Path) -> None:
    files = [InputFile(f"/x/{name}", 1, "d", "jsonl") for name in ("b", "ä\n", "a")]
    path = str(tmp_path / "inputs.jsonl")
    write_inputs(files, path)
    assert read_inputs(path) == sorted(files)
    assert storage.read_bytes(path).count(b"\n") == 3


@pytest.mark.parametrize("content", [b"{", b'{"path": 1}\n', b"[]\n"])
def test_no_such_list(tmp_path: pathlib.Path, content: bytes) -> None:
    (tmp_path / "inputs.jsonl").write_bytes(content)
    with pytest.raises(InputError, match="list the input again"):
        read_inputs(str(tmp_path / "inputs.jsonl"))


def test_fingerprint_of_a_file_that_is_gone(tmp_path: pathlib.Path) -> None:
    with pytest.raises(InputError, match="is not there"):
        fingerprint(str(tmp_path / "x.jsonl"))


def test_remote_files_are_told_apart_by_their_change(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [
        storage.Entry(f"gs://bucket/data/{name}", 5, "123.000000")
        for name in ("a.jsonl", "_x/b.jsonl", "c/d.parquet", "c/.e.jsonl", "f.txt")
    ]

    def glob(pattern: str) -> list[storage.Entry]:
        if pattern.endswith("/**"):
            return entries
        return [entry for entry in entries if entry.path == pattern]

    monkeypatch.setattr(storage, "glob", glob)
    assert list_inputs(["gs://bucket/data/"]) == [
        InputFile("gs://bucket/data/a.jsonl", 5, "updated:123.000000", "jsonl"),
        InputFile("gs://bucket/data/c/d.parquet", 5, "updated:123.000000", "parquet"),
    ]
    assert len(list_inputs(["gs://bucket/data/a.jsonl"])) == 1


def test_order_of_listing_is_by_path(tmp_path: pathlib.Path) -> None:
    touch(tmp_path, "b.jsonl", "a.jsonl")
    files = list_inputs([str(tmp_path / "b.jsonl"), str(tmp_path / "a.jsonl")])
    assert [os.path.basename(file.path) for file in files] == ["a.jsonl", "b.jsonl"]  # noqa: PTH119


def test_links_to_folders_are_not_followed(tmp_path: pathlib.Path) -> None:
    """Two that lead upward make a tree without end of every `**`."""
    deep = tmp_path / "in" / "a"
    deep.mkdir(parents=True)
    (deep / "x.jsonl").write_text("{}")
    (deep / "up").symlink_to(tmp_path / "in")
    (deep / "again").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "self").symlink_to("self")
    for pattern in (
        "in",
        "in/**/*.jsonl",
        "in/**/x.*",
        "**/x.jsonl",
        "in/**",
        "i?/**/a/**/x.jsonl",
    ):
        assert [file.path for file in list_inputs([str(tmp_path / pattern)])] == [
            str(deep / "x.jsonl")
        ], pattern


def test_two_stars_match_at_any_depth(tmp_path: pathlib.Path) -> None:
    for name in ("a.jsonl", "b/a.jsonl", "b/c/a.jsonl", "b/c/other.jsonl", ".b/a.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text("{}")
    for pattern in ("**/a.jsonl", "**/c/*.jsonl", "b/**/c/**/*.jsonl", "**", "*/a.jsonl", "**/b/*"):
        found = {file.path for file in list_inputs([str(tmp_path / pattern)])}
        expected = glob.glob(str(tmp_path / pattern), recursive=True)  # noqa: PTH207
        files = {name for name in expected if pathlib.Path(name).is_file()}
        inside = {str(p) for name in expected for p in pathlib.Path(name).rglob("*.jsonl")}
        if "/*" not in pattern[-3:]:
            inside = set()
        assert files <= found <= files | inside, pattern


def test_what_is_no_file_is_not_read(tmp_path: pathlib.Path) -> None:
    (tmp_path / "zero.jsonl").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.jsonl")
    for name in ("zero.jsonl", "pipe.jsonl"):
        with pytest.raises(InputError, match="is not there"):
            list_inputs([str(tmp_path / name)])


def test_names_of_inputs_reach_no_path_of_the_output(tmp_path: pathlib.Path) -> None:
    """Files are told apart by number; a name is text and nothing else."""
    name = "a..%2f..%2fetc\n[bold]'\".jsonl"
    (tmp_path / name).write_text('{"text": "x"}\nbroken')
    [file] = list_inputs([str(tmp_path)])
    [split] = plan_splits(0, file)
    kinds = [kind for kind, _ in read_split(split, IngestConfig())]
    assert sorted(kinds) == ["dead", "documents"]
