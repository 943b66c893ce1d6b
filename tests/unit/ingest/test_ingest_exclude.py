import pathlib

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.errors import InputError, UsageError
from transforms.ingest.exclude import ExcludeList

ROWS = [
    {"id": "17", "url": "https://a.org/1", "host": "a.org"},
    {"id": "https://a.org/1", "url": None, "host": None},
    {"id": None, "url": "https://www.a.org/2", "host": "www.a.org"},
    {"id": None, "url": "https://ba.org/", "host": "ba.org"},
    {"id": "a.org", "url": None, "host": None},
    {"id": None, "url": None, "host": None},
]
BATCH = pa.RecordBatch.from_pylist(
    ROWS, schema=pa.schema([(name, pa.string()) for name in ("id", "url", "host")])
)

CASES = [
    ("id:17", [0], "an id"),
    ("id:https://a.org/1", [1], "an id that looks like a URL is not matched as one"),
    ("url:https://a.org/1", [0], "a URL"),
    ("https://a.org/1", [0, 1], "bare: as id and as URL"),
    ("host:a.org", [0, 2], "a host with what is below it, not with what ends like it"),
    ("host:A.ORG.", [0, 2], "case and the final dot do not matter"),
    ("a.org", [0, 2, 4], "bare: as host and as id"),
    ("www.a.org", [2], "not what is above it"),
    ("org", [0, 2, 3], "a whole top-level domain"),
    ("17", [0], "bare id"),
    ("# a.org", [], "a comment"),
    ("  \t", [], "a blank line"),
    ("doi:10.1/x", [], "an unknown prefix is part of a bare value"),
]


@pytest.mark.parametrize(("line", "rows", "why"), CASES, ids=[case[2] for case in CASES])
def test_entries(line: str, rows: list[int], why: str) -> None:
    matched = ExcludeList.parse([line]).matches(BATCH).to_pylist()
    assert matched == [i in rows for i in range(len(ROWS))]


def test_slices_and_empty_batches() -> None:
    exclude = ExcludeList.parse(["host:a.org"])
    assert exclude.matches(BATCH.slice(2, 2)).to_pylist() == [True, False]
    assert exclude.matches(BATCH.slice(0, 0)).to_pylist() == []


MALFORMED = [
    ("id:", "no value after the colon"),
    ("host:  ", "no value after the colon"),
    ("host:https://a.org/", "no host name.*use url:"),
    ("host:a b", "no host name"),
]


@pytest.mark.parametrize(("line", "message"), MALFORMED)
def test_malformed_lines_are_named(tmp_path: pathlib.Path, line: str, message: str) -> None:
    path = tmp_path / "exclude.txt"
    path.write_text(f"# first\n{line}\n")
    with pytest.raises(UsageError, match=rf"exclude\.txt, line 2: .*{message}"):
        ExcludeList.read(str(path))


def test_files(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "exclude.txt"
    path.write_bytes("\ufeffid:1\r\n\r\nid:2\u2028x\n".encode())
    assert ExcludeList.read(str(path)).ids == {"1", "2\u2028x"}, "only line feeds end a line"
    path.write_bytes(b"\xff")
    with pytest.raises(UsageError, match="not UTF-8"):
        ExcludeList.read(str(path))
    with pytest.raises(InputError, match="absent"):
        ExcludeList.read(str(tmp_path / "absent"))


@given(st.permutations(["id:1", "url:2", "host:3", "4", "# c", ""]))
def test_digest_knows_what_is_excluded_alone(lines: list[str]) -> None:
    assert ExcludeList.parse(lines).digest == ExcludeList.parse(["4", *lines]).digest
    assert ExcludeList.parse(lines).digest != ExcludeList.parse([*lines, "id:5"]).digest
