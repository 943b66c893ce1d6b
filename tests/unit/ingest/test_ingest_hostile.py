"""Whatever bytes a file holds, reading ends, and every record has one fate."""

import pathlib
from collections.abc import Callable

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_files import read_all, write_jsonl, write_parquet

from transforms.errors import InputError
from transforms.ingest.footer import open_parquet

N = 60
ROWS = [{"text": f"text {i}", "k": i, "m": {"a": [i, None]}, "date": "2021"} for i in range(N)]
MAKERS: dict[str, Callable[[pathlib.Path], pathlib.Path]] = {
    "a.parquet": lambda path: write_parquet(path, pa.Table.from_pylist(ROWS), rows=20),
    "a.jsonl.gz": lambda path: write_jsonl(path, list(ROWS)),
    "a.jsonl.zst": lambda path: write_jsonl(path, list(ROWS)),
    "a.jsonl": lambda path: write_jsonl(path, list(ROWS)),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("sound")
    return {name: make(folder / name).read_bytes() for name, make in MAKERS.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return tmp_path_factory.mktemp("hostile")


flips = st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255))


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from(sorted(MAKERS)),
    st.lists(flips, min_size=1, max_size=3),
    st.booleans(),
)
def test_flipped_bytes(
    files: dict[str, bytes], folder: pathlib.Path, name: str, flips: list[tuple[float, int]],
    footer: bool,
) -> None:  # fmt: skip
    """Half of the examples strike the end of the file, where Parquet keeps its footer."""
    data = bytearray(files[name])
    span = len(data) // 3 if footer else len(data)
    for share, mask in flips:
        data[len(data) - span + int(share * span)] ^= mask
    path = folder / name
    path.write_bytes(data)
    try:
        documents, dead = read_all(path)
    except InputError:  # the footer now names another column
        return
    assert len(documents) + len(dead) > 0
    assert all(row["text"].strip() for row in documents)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b""))))
def test_any_lines(folder: pathlib.Path, lines: list[bytes]) -> None:
    lines = [b'{"text": "first"}', *lines]
    documents, dead = read_all(write_jsonl(folder / "b.jsonl", list(lines)))
    assert len(documents) == 1
    assert len(dead) == len([line for line in lines if line.strip()]) - 1


class _Meta:
    """A row group's entry in the footer."""

    def __init__(self, num_rows: int, total_byte_size: int) -> None:
        self.num_rows, self.total_byte_size = num_rows, total_byte_size


CLAIMS = [
    ([(-1, 5), (2, 5)], 1, "a negative number of rows"),
    ([(1, -5)], 1, "a negative size"),
    ([(1, 5)], 2, "row groups that do not add up"),
    ([(1 << 41, 5)], 1 << 41, "more rows than can be"),
    ([(1, 1 << 50)], 1, "a small file with a petabyte in it"),
]


@pytest.mark.parametrize(("groups", "rows", "why"), CLAIMS, ids=[case[2] for case in CLAIMS])
def test_footers_that_make_no_sense(
    files: dict[str, bytes],
    folder: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    groups: list[tuple[int, int]],
    rows: int,
    why: str,
) -> None:
    class Footer:
        num_rows = rows

        def row_group(self, i: int) -> _Meta:
            return _Meta(*groups[i])

    class File:
        schema_arrow = pa.schema([])
        num_row_groups = len(groups)
        metadata = Footer()

    path = folder / "c.parquet"
    path.write_bytes(files["a.parquet"])
    monkeypatch.setattr("pyarrow.parquet.ParquetFile", lambda *_, **__: File())
    with path.open("rb") as source, pytest.raises(ValueError, match="the footer"):
        open_parquet(source)
    documents, dead = read_all(path)
    assert (documents, [row["reason"] for row in dead]) == ([], ["unreadable_file"])


NUMBERS = [
    (b'{"text": "x", "n": 1e999}', None, "beyond all floats"),
    (b'{"text": "x", "n": -1e-999}', '{"n":-0.0}', "too small for floats"),
    (b'{"text": "x", "n": %s}' % (b"9" * 400), None, "an integer of 400 digits"),
    (b'{"text": "x", "n": 18446744073709551615}', '{"n":18446744073709551615}', "64 bits"),
    (b'{"text": "x", "n": 1, "n": 2}', '{"n":2}', "the last of equal keys counts"),
    (b'{"text": "x", "n": "a\\u0000b"}', '{"n":"a\\u0000b"}', "a NUL is a character"),
]


@pytest.mark.parametrize(("line", "metadata", "why"), NUMBERS, ids=[case[2] for case in NUMBERS])
def test_odd_values(folder: pathlib.Path, line: bytes, metadata: str | None, why: str) -> None:
    documents, dead = read_all(write_jsonl(folder / "odd.jsonl", [line]))
    assert len(documents) + len(dead) == 1
    if documents:
        assert documents[0]["metadata"] == metadata
    else:
        assert dead[0]["reason"] in {"invalid_json", "unreadable_record"}


def test_a_text_keeps_its_nul(folder: pathlib.Path) -> None:
    [row], _ = read_all(write_jsonl(folder / "nul.jsonl", [b'{"text": "a\\u0000b"}']))
    assert row["text"] == "a\0b"


def test_files_of_several_schemas_read_alike(folder: pathlib.Path) -> None:
    """A column may be of another type, or missing, in the next file."""
    tables = [
        pa.table({"text": ["a"], "id": ["7"], "date": ["2021-03-04"]}),
        pa.table({"text": pa.array(["a"], pa.large_string()), "id": [7], "date": ["2021-03-04"]}),
        pa.table({"id": ["7"], "date": ["2021-03-04"], "text": pa.array([b"a"])}),
        pa.table({"text": ["a"], "id": ["7"], "date": ["2021-03-04"], "k": pa.nulls(1)}),
    ]
    found = [read_all(write_parquet(folder / "s.parquet", table)) for table in tables]
    assert [dead for _, dead in found] == [[]] * len(tables)
    assert all(documents == found[0][0] for documents, _ in found)


def test_two_columns_of_one_name(folder: pathlib.Path) -> None:
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], ["text", "text"])
    with pytest.raises(InputError, match="two columns named 'text'"):
        read_all(write_parquet(folder / "t.parquet", table))
