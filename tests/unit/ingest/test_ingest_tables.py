"""CSV and TSV: cells become the fields of records; a bad row is lost alone."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import pathlib

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_files import config, read_all, reasons, texts, write_jsonl

from transforms.errors import InputError
from transforms.ingest.config import IngestConfig

PACK = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": zstandard.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}


def put(folder: pathlib.Path, text: str | bytes, name: str = "a.csv") -> pathlib.Path:
    data = text.encode() if isinstance(text, str) else text
    (folder / name).write_bytes(PACK["".join(pathlib.Path(name).suffixes[1:])](data))
    return folder / name


@pytest.mark.parametrize("packed", PACK)
@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_rows_are_documents(tmp_path: pathlib.Path, kind: str, packed: str) -> None:
    text = 'id,text,date,note\n1,"two\nlines, and ""quotes""",2019-01-02,\n2,plain,,x\n'
    text = text.replace(", and", ";") if kind == "tsv" else text
    text = text.replace(",", "\t") if kind == "tsv" else text
    documents, dead = read_all(put(tmp_path, text, f"a.{kind}{packed}"))
    between = ";" if kind == "tsv" else ", and"
    assert dead == []
    assert texts(documents) == [f'two\nlines{between} "quotes"', "plain"]
    assert [row["id"] for row in documents] == ["1", "2"]
    assert [row["date"] for row in documents] == ["2019-01-02", None]
    assert [row["metadata"] for row in documents] == [None, '{"note":"x"}']


GOOD = "id,text\n1,a\n"
BAD = [
    ("2\n", "ragged_row", "too few cells"),
    ("2,b,c\n", "ragged_row", "too many cells"),
    ("2,\n", "empty_text", "no text"),
    ('2,"b"c\n', "invalid_csv", "text behind a quote"),
    (b"2,\xff\n", "invalid_utf8", "no UTF-8"),
]


@pytest.mark.parametrize(("row", "reason", "why"), BAD, ids=[case[2] for case in BAD])
def test_a_bad_row_is_lost_alone(
    tmp_path: pathlib.Path, row: str | bytes, reason: str, why: str
) -> None:
    row = row.encode() if isinstance(row, str) else row
    documents, dead = read_all(put(tmp_path, GOOD.encode() + row + b"\n3,c\n"))
    assert texts(documents) == ["a", "c"]
    assert reasons(dead) == [(len(GOOD), reason)]


def test_a_quote_that_is_never_closed_ends_with_the_file(tmp_path: pathlib.Path) -> None:
    documents, dead = read_all(put(tmp_path, GOOD + '2,"b\n' + "3,c\n" * 1000))
    assert texts(documents) == ["a"]
    assert reasons(dead) == [(len(GOOD), "invalid_csv")]


def test_a_row_is_held_up_to_a_limit(tmp_path: pathlib.Path) -> None:
    small = IngestConfig(max_document_bytes=1000)
    rows = '2,"' + ("x" * 99 + "\n") * 20_000 + '"\n3,c\n'
    documents, dead = read_all(put(tmp_path, GOOD + rows), small)
    assert "a" in texts(documents)
    assert dead[0]["reason"] == "oversized"
    assert dead[0]["position"] == len(GOOD)


def test_a_mark_at_the_start_and_other_line_ends(tmp_path: pathlib.Path) -> None:
    documents, dead = read_all(put(tmp_path, b'\xef\xbb\xbftext,id\r\n"a\r\nb",1\r\n'))
    assert (texts(documents), dead) == (["a\r\nb"], [])


def test_headers_that_cannot_be_meant(tmp_path: pathlib.Path) -> None:
    for header, words in (
        ("body,id", "no column 'text'; the nearest is"),
        ("text,text", "two columns named 'text'"),
        (b"text,\xff", "no header row"),
        ('text,"id', "no header row"),
    ):
        with pytest.raises(InputError, match=words):
            read_all(put(tmp_path, header if isinstance(header, bytes) else header + "\n"))
    with pytest.raises(InputError, match="no column 'link'"):
        read_all(put(tmp_path, GOOD), config(url="link"))
    assert read_all(put(tmp_path, "")) == ([], [])
    assert read_all(put(tmp_path, "id,text\n")) == ([], [])


cells = st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(cells.filter(lambda text: text.strip()), cells), max_size=8))
def test_the_same_as_from_json(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    sink = io.StringIO(newline="")
    csv.writer(sink, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([("text", "k"), *rows])
    found, dead = read_all(put(folder, sink.getvalue()))
    records = [{"text": text, "k": k} if k else {"text": text} for text, k in rows]
    expected, _ = read_all(write_jsonl(folder / "a.jsonl", list(records)))
    assert dead == []
    assert found == expected
    assert all(json.loads(row["metadata"] or "{}").keys() <= {"k"} for row in found)


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_come_to_an_end(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = put(tmp_path_factory.mktemp("any"), b"text,b\n" + data)
    documents, dead = read_all(path)
    assert len(documents) + len(dead) <= data.count(b"\n") + 1
