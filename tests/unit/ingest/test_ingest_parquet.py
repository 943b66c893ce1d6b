import datetime
import decimal
import pathlib
import uuid
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ingest_files import config, listed, read_all, reasons, texts, write_jsonl, write_parquet

from transforms import guarded
from transforms.errors import InputError, StorageError
from transforms.ingest.config import IngestConfig
from transforms.ingest.read import read_split
from transforms.ingest.splits import plan_splits


def unchecked(values: list[bytes | None]) -> pa.Array:
    """A string array over bytes that nobody checked, as broken writers leave them."""
    return pa.array(values, pa.binary()).view(pa.string())


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"text": pa.array(["a", None, "b"])}, "null_text", "a null text"),
    ({"text": pa.array(["a", "", "b"])}, "empty_text", "an empty text"),
    ({"text": pa.array(["a", " \t\u3000\n", "b"])}, "empty_text", "white space alone"),
    ({"text": pa.array(["a", "x" * 101, "b"])}, "oversized", "a byte over the limit"),
    ({"text": unchecked([b"a", b"\xff", b"b"])}, "invalid_utf8", "text that is no UTF-8"),
    ({"text": pa.array([b"a", b"\xed\xa0\x80", b"b"])}, "invalid_utf8", "an encoded surrogate"),
    (
        {"text": ["a", "x", "b"], "url": unchecked([b"", b"\xff", None])},
        "invalid_utf8",
        "a URL that is no UTF-8",
    ),
    (
        {"text": ["a", "x", "b"], "date": unchecked([None, b"\xff", None])},
        "invalid_utf8",
        "a date that is no UTF-8",
    ),
    (
        {"text": ["a", "x", "b"], "other": unchecked([b"", b"\xff", None])},
        "invalid_utf8",
        "another field that is no UTF-8",
    ),
    ({"text": ["a", "x", "b"], "date": [None, "2021-02-30", ""]}, "invalid_date", "no such day"),
    (
        {"text": ["a", "x", "b"], "date": pa.array([None, 2**60, 0], pa.timestamp("ms"))},
        "invalid_date",
        "a time beyond the calendar",
    ),
    (
        {"text": ["a", "x", "b"], "date": [None, ["2021"], None]},
        "invalid_date",
        "a date that is a list",
    ),
    (
        {"text": ["a", "x", "b"], "when": pa.array([None, 2**60, 0], pa.timestamp("ms"))},
        "unreadable_record",
        "a time beyond the calendar in another field",
    ),
]


@pytest.mark.parametrize(("columns", "reason", "why"), BAD, ids=[case[2] for case in BAD])
def test_a_bad_row_is_lost_alone(
    tmp_path: pathlib.Path, columns: dict[str, Any], reason: str, why: str
) -> None:
    path = write_parquet(tmp_path / "a.parquet", pa.table(columns))
    documents, dead = read_all(path, IngestConfig(max_document_bytes=100))
    assert texts(documents) == ["a", "b"]
    assert reasons(dead) == [(1, reason)]
    assert dead[0]["excerpt"].isprintable()
    text = pa.table(columns)["text"].cast(pa.binary())[1].as_py() or b""
    assert dead[0]["n_bytes"] == len(text)


def test_many_bad_rows_among_good_ones(tmp_path: pathlib.Path) -> None:
    values = [b"\xff" if i % 97 == 5 else b"%d" % i for i in range(3000)]
    path = write_parquet(tmp_path / "a.parquet", pa.table({"text": unchecked(values)}), rows=700)
    documents, dead = read_all(path, target=1)
    assert texts(documents) == [value.decode() for value in values if value != b"\xff"]
    assert reasons(dead) == [(i, "invalid_utf8") for i in range(5, 3000, 97)]


TEXT_TYPES = [
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.binary(),
    pa.large_binary(),
    pa.binary_view(),
    pa.binary(1),
    pa.dictionary(pa.int32(), pa.string()),
    pa.dictionary(pa.int8(), pa.large_string()),
]


@pytest.mark.parametrize("kind", TEXT_TYPES, ids=str)
def test_every_layout_of_text(tmp_path: pathlib.Path, kind: pa.DataType) -> None:
    text = pa.array(["a", "b", None, "a"]).cast(
        pa.binary() if "binary" in str(kind) else pa.string()
    )
    text = text.dictionary_encode() if pa.types.is_dictionary(kind) else text
    path = write_parquet(
        tmp_path / "a.parquet", pa.table({"text": text.cast(kind), "url": text.cast(kind)})
    )
    documents, dead = read_all(path)
    assert texts(documents) == ["a", "b", "a"]
    assert [row["url"] for row in documents] == ["a", "b", "a"]
    assert reasons(dead) == [(2, "null_text")]


@pytest.mark.parametrize(
    "text",
    [pa.array([7, None]), pa.array([1.5, None]), pa.array([["x"], None]), pa.array([True, None])],
)
def test_text_that_is_no_text(tmp_path: pathlib.Path, text: pa.Array) -> None:
    documents, dead = read_all(write_parquet(tmp_path / "a.parquet", pa.table({"text": text})))
    assert documents == []
    assert reasons(dead) == [(0, "text_not_string"), (1, "null_text")]
    assert dead[0]["excerpt"] == str(text[0])


def test_text_column_of_nulls(tmp_path: pathlib.Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", pa.table({"text": pa.nulls(2)}))
    assert reasons(read_all(path)[1]) == [(0, "null_text"), (1, "null_text")]


def test_no_text_column(tmp_path: pathlib.Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", pa.table({"texts": ["x"], "url": ["y"]}))
    with pytest.raises(InputError, match=r"a\.parquet has no column 'text'.*nearest is 'texts'"):
        read_all(path)


def test_a_named_column_has_to_be_there(tmp_path: pathlib.Path) -> None:
    path = write_parquet(tmp_path / "a.parquet", pa.table({"text": ["x"], "m": [{"url": "y"}]}))
    with pytest.raises(InputError, match=r"no column 'm\.link' for url"):
        read_all(path, config(url="m.link"))
    with pytest.raises(InputError, match=r"no column 'text\.x' for id"):
        read_all(path, config(id="text.x"))
    [row], _ = read_all(path, config(url="m.url"))
    assert (row["url"], row["metadata"]) == ("y", None)


def test_other_columns_become_metadata(tmp_path: pathlib.Path) -> None:
    when = datetime.datetime(2021, 3, 4, 5, 6, 7)
    row = {
        "text": "x",
        "id": 17,
        "url": 1.0,
        "source": True,
        "bytes": b"\xff\x00",
        "date": when,
        "day": when.date(),
        "decimal": decimal.Decimal("1.50"),
        "dict": {"b": 1, "a": None},
        "float": float("nan"),
        "infinite": float("inf"),
        "list": [1, None],
        "null": None,
        "time": when.time(),
        "took": datetime.timedelta(seconds=90),
        "stamp": when.replace(tzinfo=datetime.UTC),
        "uuid": uuid.UUID(int=5).bytes,
    }
    table = pa.Table.from_pylist([row])
    exact = pa.array([1614834367123456789], pa.timestamp("ns"))
    table = table.append_column("nano", exact)
    table = table.append_column("nested", pa.StructArray.from_arrays([exact], ["nano"]))
    table = table.append_column("map", pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int8())))
    [found], dead = read_all(write_parquet(tmp_path / "a.parquet", table))
    assert dead == []
    assert (found["id"], found["url"], found["source"]) == ("17", "1.0", "true")
    assert found["date"] == "2021-03-04T05:06:07Z"
    assert orjson.loads(found["metadata"]) == {
        "bytes": "/wA=",
        "day": "2021-03-04",
        "decimal": "1.50",
        "dict": {"b": 1},
        "list": [1, None],
        "map": [["k", 1]],
        "nano": "2021-03-04T05:06:07.123456",
        "nested": {"nano": "2021-03-04T05:06:07.123456"},
        "time": "05:06:07",
        "took": "0:01:30",
        "stamp": "2021-03-04T05:06:07+00:00",
        "uuid": "AAAAAAAAAAAAAAAAAAAABQ==",
    }
    assert list(orjson.loads(found["metadata"])) == sorted(orjson.loads(found["metadata"]))


def test_nulls_inside_nested_columns(tmp_path: pathlib.Path) -> None:
    meta = [{"url": "http://x.org", "k": 1}, None, {"url": None, "k": None}]
    path = write_parquet(tmp_path / "a.parquet", pa.table({"text": list("abc"), "meta": meta}))
    documents, _ = read_all(path, config(url="meta.url"))
    assert [row["host"] for row in documents] == ["x.org", None, None]
    assert [row["metadata"] for row in documents] == ['{"meta":{"k":1}}', None, None]


def damage(path: pathlib.Path, group: int, share: float) -> None:
    """Overwrites a piece of a row group's text."""
    text = pq.ParquetFile(path).metadata.row_group(group).column(0)
    data = bytearray(path.read_bytes())
    start = text.dictionary_page_offset or text.data_page_offset
    at = start + int(text.total_compressed_size * share)
    data[at : at + 40] = bytes(byte ^ 0x5A for byte in data[at : at + 40])
    path.write_bytes(data)


def test_a_corrupt_row_group_is_lost_alone(tmp_path: pathlib.Path) -> None:
    table = pa.table({"text": [f"text {i}" for i in range(300)], "k": list(range(300))})
    path = write_parquet(tmp_path / "a.parquet", table, rows=100)
    damage(path, 1, 0.5)
    documents, dead = read_all(path)
    assert texts(documents) == [f"text {i}" for i in (*range(100), *range(200, 300))]
    assert reasons(dead) == [(100, "unreadable_row_group")]
    assert path.stat().st_size / 4 < dead[0]["n_bytes"] < path.stat().st_size / 2
    assert dead[0]["excerpt"]


def test_documents_before_the_damage_are_kept(tmp_path: pathlib.Path) -> None:
    """And how many does not depend on the size of batches."""
    table = pa.table({"text": [f"{i} " + "x" * 900 for i in range(5000)]})
    path = tmp_path / "a.parquet"
    pq.write_table(
        table, path, write_page_checksum=True, use_dictionary=False, data_page_size=1 << 16,
        compression="none",
    )  # fmt: skip
    damage(path, 0, 0.7)
    found = [read_all(path, IngestConfig(batch_rows=rows)) for rows in (7, 1000)]
    documents, dead = found[0]
    assert (documents, dead) == found[1]
    assert 2000 < len(documents) < 3600
    assert reasons(dead) == [(len(documents), "unreadable_row_group")]


def test_a_failing_disk_is_no_corrupt_file(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_parquet(tmp_path / "a.parquet", pa.table({"text": ["x"] * 10}))
    [split] = plan_splits(0, listed(path))

    def fail(self: object, size: int = -1) -> bytes:
        raise StorageError("gone")

    monkeypatch.setattr(guarded._Source, "read", fail)
    with pytest.raises(StorageError, match="gone"):
        list(read_split(split, IngestConfig()))


def test_the_same_as_from_json(tmp_path: pathlib.Path) -> None:
    rows = [
        {"text": "x", "id": 1, "date": 2021.0, "k": {"a": None, "b": [1.5, None]}, "n": None},
        {"text": "y", "id": None, "date": None, "k": None, "n": None},
    ]
    parquet = write_parquet(tmp_path / "a.parquet", pa.Table.from_pylist(rows))
    assert read_all(parquet) == read_all(write_jsonl(tmp_path / "a.jsonl", list(rows)))
