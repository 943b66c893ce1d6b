import pathlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ingest_files import config, read_all, read_batches, reasons, texts, write_jsonl

from transforms.ingest import lines
from transforms.ingest.config import IngestConfig
from transforms.ingest.lines import split_lines

GOOD = b'{"text": "good"}'

BAD = [
    (b'{"text": "x"', "invalid_json", "cut off"),
    (b"text", "invalid_json", "no JSON at all"),
    (b'{"text": "x"} {"text": "y"}', "invalid_json", "two objects on a line"),
    (b'{"text": NaN}', "invalid_json", "NaN is no JSON"),
    (b'{"text": "\\ud800"}', "invalid_json", "an escaped surrogate without its pair"),
    (b'{"text": "\x01"}', "invalid_json", "a raw control character"),
    (b'\xef\xbb\xbf{"text": "x"}', "invalid_json", "a byte order mark that is not at the start"),
    (b"[" * 2000 + b"]" * 2000, "invalid_json", "nested beyond what the parser takes"),
    (b'{"text": "\xff"}', "invalid_utf8", "a byte that no UTF-8 has"),
    (b'{"text": "\xed\xa0\x80"}', "invalid_utf8", "an encoded surrogate"),
    (b'{"text": "x", "k": "\xc3"}', "invalid_utf8", "bad bytes in another field"),
    (b"\xff\xfe{\x00}\x00", "invalid_utf8", "UTF-16"),
    (b"[1]", "not_an_object", "an array"),
    (b'"x"', "not_an_object", "a string"),
    (b"null", "not_an_object", "null"),
    (b'{"body": "x"}', "missing_text", "no text"),
    (b'{"text": null}', "null_text", "a null text"),
    (b'{"text": 7}', "text_not_string", "a number"),
    (b'{"text": ["x"]}', "text_not_string", "a list"),
    (b'{"text": {"a": 1}}', "text_not_string", "an object"),
    (b'{"text": ""}', "empty_text", "an empty text"),
    (b'{"text": " \\t\\u3000\\n"}', "empty_text", "white space of several kinds"),
    (b'{"text": "%s"}' % (b"x" * 101), "oversized", "one byte over the limit"),
    (b'{"text": "x", "date": "2021-02-30"}', "invalid_date", "no such day"),
    (b'{"text": "x", "date": true}', "invalid_date", "a date that is a truth value"),
    (b'{"text": "x", "date": {"y": 1}}', "invalid_date", "a date that is an object"),
    (
        b'{"text": "x", "k": %s}' % (b"[" * 400 + b"]" * 400),
        "unreadable_record",
        "nested beyond what can be written again",
    ),
]


@pytest.mark.parametrize(("line", "reason", "why"), BAD, ids=[case[2] for case in BAD])
def test_a_bad_record_is_lost_alone(
    tmp_path: pathlib.Path, line: bytes, reason: str, why: str
) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [GOOD, line, GOOD])
    documents, dead = read_all(path, IngestConfig(max_document_bytes=100))
    assert texts(documents) == ["good", "good"]
    assert reasons(dead) == [(len(GOOD) + 1, reason)]
    assert dead[0]["n_bytes"] == len(line)
    assert dead[0]["file"] == str(path)
    assert len(dead[0]["excerpt"]) <= 200
    assert dead[0]["excerpt"].isprintable()


FINE = [
    (b'{"text": "x"}\r\n{"text": "y"}\r\n', "carriage returns"),
    (b'\xef\xbb\xbf{"text": "x"}\n{"text": "y"}\n', "a byte order mark at the start"),
    (b'\n\n{"text": "x"}\n \t\r\n{"text": "y"}\n\n', "blank lines"),
    (b'{"text": "x"}\n{"text": "y"}', "no line feed at the end"),
    (b'  {"text": "x"}  \n{"text": "old", "text": "y"}\n', "space around, and a key given twice"),
]


@pytest.mark.parametrize(("data", "why"), FINE, ids=[case[1] for case in FINE])
@pytest.mark.parametrize("target", [1, 5, 1 << 20])
def test_variants_of_the_format(tmp_path: pathlib.Path, data: bytes, why: str, target: int) -> None:
    (tmp_path / "a.jsonl").write_bytes(data)
    documents, dead = read_all(tmp_path / "a.jsonl", target=target)
    assert (texts(documents), dead) == (["x", "y"], [])


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz", "jsonl.zst"])
def test_position_is_the_byte_in_the_decompressed_stream(
    tmp_path: pathlib.Path, suffix: str
) -> None:
    path = write_jsonl(tmp_path / f"a.{suffix}", [GOOD, b"", b"bad 1", GOOD, b"bad 2"])
    n = len(GOOD) + 1
    assert reasons(read_all(path)[1]) == [(n + 1, "invalid_json"), (2 * n + 7, "invalid_json")]


def test_text_at_the_limit_is_taken(tmp_path: pathlib.Path) -> None:
    """The limit is in UTF-8 bytes of the text, not of the line."""
    rows = [{"text": "é" * 50, "k": "x" * 1000}, {"text": "é" * 50 + "x"}]
    path = write_jsonl(tmp_path / "a.jsonl", list(rows))
    documents, dead = read_all(path, IngestConfig(max_document_bytes=100))
    assert texts(documents) == ["é" * 50]
    assert [row["reason"] for row in dead] == ["oversized"]


@pytest.mark.parametrize("target", [1 << 19, 1 << 30])
def test_an_endless_line_is_skipped(tmp_path: pathlib.Path, target: int) -> None:
    long = b'{"text": "' + b"x" * (3 << 20) + b'"}'
    path = write_jsonl(tmp_path / "a.jsonl", [GOOD, long, GOOD])
    documents, dead = read_all(path, IngestConfig(max_document_bytes=100), target)
    assert texts(documents) == ["good", "good"]
    assert reasons(dead) == [(len(GOOD) + 1, "oversized")]
    assert (dead[0]["n_bytes"], len(dead[0]["excerpt"])) == (len(long), 200)


def test_an_endless_line_is_not_held() -> None:
    pieces = (b"x" * 1000 for _ in range(1000))
    [line] = split_lines(pieces, 0, 5000)
    assert line.n_bytes == 1_000_000
    assert 5000 < len(line.data) <= 6000


def test_invalid_date_shows_the_date(tmp_path: pathlib.Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [{"text": "x", "date": "the\tday"}])
    assert read_all(path)[1][0]["excerpt"] == "the\\tday"


def test_fields_and_metadata(tmp_path: pathlib.Path) -> None:
    record = {
        "text": " kept as it is\r\n",
        "id": 17,
        "url": "https://u:p@Www.Example.ORG:8080/a#b",
        "source": {"b": 1, "a": None},
        "date": 1614834367.25,
        "lang": "sw",
        "origin": " Machine-Generated ",
        "z": 1.5,
        "a": {"none": None, "y": [None, {"k": None}]},
        "nothing": None,
        "empty": {"deep": {"er": None}},
    }
    [row], _ = read_all(write_jsonl(tmp_path / "a.jsonl", [record]))
    row.pop("node")
    assert row == {
        "text": " kept as it is\r\n",
        "id": "17",
        "url": "https://u:p@Www.Example.ORG:8080/a#b",
        "host": "www.example.org",
        "source": '{"a":null,"b":1}',
        "date": "2021-03-04T05:06:07Z",
        "date_day": 737853,
        "metadata": '{"a":{"y":[null,null]},"z":1.5}',
        "lang_declared": "sw",
        "origin_declared": "synthetic",
    }


def test_nothing_but_text(tmp_path: pathlib.Path) -> None:
    [row], _ = read_all(write_jsonl(tmp_path / "a.jsonl", [{"text": "x"}]))
    assert {name for name, value in row.items() if value is not None} == {"node", "text"}


def test_mapped_and_nested_columns(tmp_path: pathlib.Path) -> None:
    settings = config(text="body", url="meta.url", id="meta.url", date="a.b", origin="label")
    record = {
        "body": "x",
        "meta": {"url": "http://x.org", "k": 1},
        "a.b": "2021",
        "a": {"b": "kept: a name with a dot comes first"},
        "label": "unsure",
        "text": "other",
    }
    [row], _ = read_all(write_jsonl(tmp_path / "a.jsonl", [record]), settings)
    assert (row["text"], row["url"], row["id"]) == ("x", "http://x.org", "http://x.org")
    assert row["date"] == "2021"
    assert orjson.loads(row["metadata"]) == {
        "a": {"b": "kept: a name with a dot comes first"},
        "meta": {"k": 1},
        "origin": "unsure",
        "text": "other",
    }


def test_an_object_emptied_by_the_mapping_is_absent(tmp_path: pathlib.Path) -> None:
    settings = config(url="meta.url")
    path = write_jsonl(tmp_path / "a.jsonl", [{"text": "x", "meta": {"url": "http://x.org"}}])
    [row], _ = read_all(path, settings)
    assert (row["host"], row["metadata"]) == ("x.org", None)


def test_a_named_column_may_be_absent_from_a_record(tmp_path: pathlib.Path) -> None:
    path = write_jsonl(tmp_path / "a.jsonl", [{"text": "x", "meta": 3}])
    [row], _ = read_all(path, config(url="meta.url"))
    assert (row["url"], row["metadata"]) == (None, '{"meta":3}')


@given(
    st.lists(st.sampled_from([b"", b"a", b"\r", b"bcd" * 5]), max_size=8),
    st.booleans(),
    st.integers(1, 9),
)
def test_lines_do_not_depend_on_chunks(parts: list[bytes], ended: bool, size: int) -> None:
    data = b"\n".join(parts) + (b"\n" if ended else b"")
    chunks = [data[i : i + size] for i in range(0, len(data), size)]
    found = list(split_lines(chunks, 0, 1 << 20))
    expected = data.split(b"\n")
    if not expected[-1]:
        expected.pop()
    assert [line.data for line in found] == expected
    assert all(data[x.position : x.position + x.n_bytes] == x.data for x in found)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=12), st.integers(1, 60), st.integers(1, 9))
def test_every_line_belongs_to_one_byte_range(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], target: int, chunk: int
) -> None:
    path = tmp_path_factory.mktemp("ranges") / "a.jsonl"
    write_jsonl(path, [{"text": f"{i}-" + "x" * size} for i, size in enumerate(sizes)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "CHUNK", chunk)
        patch.setattr("transforms.ingest.jsonl.CHUNK", chunk)
        documents, dead = read_all(path, target=target)
    assert [int(text.split("-")[0]) for text in texts(documents)] == list(range(len(sizes)))
    assert dead == []


def test_all_dead_letters_of_a_hopeless_file_come_in_pieces(tmp_path: pathlib.Path) -> None:
    """They are handed on as they come, not gathered until the end."""
    path = write_jsonl(tmp_path / "a.jsonl", [b"x"] * 2500)
    batches = read_batches(path)
    assert [(kind, batch.num_rows) for kind, batch in batches] == [
        ("dead", 1000),
        ("dead", 1000),
        ("dead", 500),
    ]
