import dataclasses
import itertools
import pathlib

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_files import listed, read_all, reasons, write_jsonl, write_parquet

from transforms.errors import InputError
from transforms.ingest import splits
from transforms.ingest.config import IngestConfig
from transforms.ingest.read import read_split
from transforms.ingest.splits import FILE_PARTS, Split, part_id, plan_splits
from transforms.records import INDEX_PART, PART_BITS


@given(st.text(), st.integers(0, 2**24 - 1), st.integers(0, 2**60))
def test_split_goes_through_text(path: str, number: int, size: int) -> None:
    path = path.encode("utf-8", "ignore").decode()
    split = Split(number, 3, 1, path, "jsonl", size, "d", 0, size)
    assert Split.parse(str(split)) == split


def test_byte_ranges_cover_the_file_with_parts_of_their_own(tmp_path: pathlib.Path) -> None:
    file = listed(write_jsonl(tmp_path / "a.jsonl", [{"text": "x" * 50}] * 10))
    planned = plan_splits(5, file, 100)
    assert [split.start for split in planned] == list(range(0, file.size, 100))
    assert [split.stop for split in planned][-1] == file.size
    assert_parts_apart(planned)
    assert {split.file_no for split in planned} == {5}


def assert_parts_apart(planned: list[Split]) -> None:
    for split, following in itertools.pairwise(planned):
        assert split.part + split.parts <= following.part
        assert split.stop == following.start
    assert planned[-1].part + planned[-1].parts <= FILE_PARTS


def test_row_groups_are_gathered_to_the_target(tmp_path: pathlib.Path) -> None:
    table = pa.table({"text": [f"{i:0100}" for i in range(100)]})
    file = listed(write_parquet(tmp_path / "a.parquet", table, rows=10))
    assert len(plan_splits(0, file, 1)) == 10, "never less than a row group"
    assert len(plan_splits(0, file, 1 << 30)) == 1
    some = plan_splits(0, file, 2500)
    assert 1 < len(some) < 10
    assert (some[0].start, some[-1].stop) == (0, 10)
    assert_parts_apart(some)


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zst"])
def test_compressed_files_are_one_split(tmp_path: pathlib.Path, name: str) -> None:
    file = listed(write_jsonl(tmp_path / name, [{"text": str(i)} for i in range(1000)]))
    [split] = plan_splits(0, file, 1)
    assert split.parts == FILE_PARTS


def test_empty_files_have_no_splits(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"")
    write_parquet(tmp_path / "b.parquet", pa.table({"text": pa.array([], pa.string())}))
    assert plan_splits(0, listed(tmp_path / "a.jsonl")) == []
    assert read_all(tmp_path / "b.parquet") == ([], [])


@pytest.mark.parametrize("content", [b'{"text": "b"}\n', b'{"text": "longer"}\n'])
def test_changed_since_listed(tmp_path: pathlib.Path, content: bytes) -> None:
    """The same size with other bytes is seen, too."""
    path = write_jsonl(tmp_path / "a.jsonl", [b'{"text": "a"}'])
    file = listed(path)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a\.jsonl changed since it was listed"):
        plan_splits(0, file)


def test_changed_since_planned(tmp_path: pathlib.Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [b'{"text": "a"}'])
    [split] = plan_splits(0, listed(path))
    path.write_bytes(b"")
    with pytest.raises(InputError, match="changed since it was listed"):
        list(read_split(split, IngestConfig()))


CORRUPT = [
    (b"", "an empty file"),
    (b"PAR1", "only the magic bytes"),
    (b"not parquet at all", "another format"),
    (b"PAR1" + b"\xff" * 50 + b"\x20\x00\x00\x00PAR1", "a footer of noise"),
    (b"PAR1" + b"\x00" * 50 + b"\xff\xff\xff\x7fPAR1", "a footer longer than the file"),
]


@pytest.mark.parametrize(("content", "why"), CORRUPT, ids=[case[1] for case in CORRUPT])
def test_corrupt_footer_is_one_dead_letter(
    tmp_path: pathlib.Path, content: bytes, why: str
) -> None:
    (tmp_path / "a.parquet").write_bytes(content)
    documents, dead = read_all(tmp_path / "a.parquet")
    assert documents == []
    assert reasons(dead) == [(-1, "unreadable_file")]
    assert dead[0]["n_bytes"] == len(content)
    assert dead[0]["file"] == str(tmp_path / "a.parquet")
    assert dead[0]["excerpt"]


def test_cut_off_parquet_is_one_dead_letter(tmp_path: pathlib.Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", pa.table({"text": ["a"] * 100}))
    path.write_bytes(path.read_bytes()[:-20])
    assert reasons(read_all(path)[1]) == [(-1, "unreadable_file")]


def test_numbers_run_out(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = listed(write_jsonl(tmp_path / "a.jsonl", [{"text": "x"}] * 100))
    with pytest.raises(InputError, match="at most 8388608 are read"):
        plan_splits(1 << 23, file)
    monkeypatch.setattr(splits, "FILE_PARTS", 4)
    with pytest.raises(InputError, match="cut it into smaller files"):
        plan_splits(0, file, 100)


def test_huge_files_get_larger_splits(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the numbers suffice whatever the target is."""
    monkeypatch.setattr(splits, "fingerprint", lambda _: (1 << 40, "d"))
    file = dataclasses.replace(listed_like(tmp_path), size=1 << 40, digest="d")
    planned = plan_splits(0, file, 1)
    assert len(planned) <= FILE_PARTS // 4
    assert_parts_apart(planned)


def listed_like(tmp_path: pathlib.Path) -> splits.InputFile:
    return listed(write_jsonl(tmp_path / "a.jsonl", [{"text": "x"}]))


def test_nodes_name_file_part_and_row(tmp_path: pathlib.Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [b"broken", {"text": "0"}, b"[]", {"text": "1"}])
    documents, _ = read_all(path)
    first = part_id(7, 0) << 24
    assert [row["node"] for row in documents] == [first, first + 1], "only documents are counted"
    # The upper half of all nodes is the index's.
    assert part_id((1 << 23) - 1, FILE_PARTS - 1) == INDEX_PART - 1
    assert INDEX_PART << PART_BITS == 1 << 63
