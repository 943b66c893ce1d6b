"""Records of web archives, sound ones: what is a document, and what is none."""

import base64
import gzip
import json
import pathlib
import zlib
from collections import Counter

import brotli
import pytest
import zstandard
from ingest_archives import (
    ENDING,
    arc,
    arc_start,
    http,
    pack,
    page,
    paragraph,
    response,
    warc,
)
from ingest_files import listed, read_all, reasons, texts

from transforms.ingest.config import IngestConfig
from transforms.ingest.read import read_split
from transforms.ingest.splits import plan_splits


def skipped(path: pathlib.Path) -> Counter[str]:
    found: Counter[str] = Counter()
    [split] = plan_splits(0, listed(path))
    list(read_split(split, IngestConfig(), lambda name, n: found.update({name: n})))
    return found


def put(folder: pathlib.Path, *records: bytes, how: str = "plain") -> pathlib.Path:
    path = folder / f"a.{ENDING[how]}"
    path.write_bytes(pack(records, how))
    return path


def test_a_response_is_a_document(tmp_path: pathlib.Path) -> None:
    [row], dead = read_all(put(tmp_path, response(7)))
    assert dead == []
    assert row["text"] == paragraph(7), "menu and footer are left out"
    assert row["id"] == "urn:uuid:00000000-0000-0000-0000-000000000007"
    assert row["url"] == "https://site7.example/page"
    assert row["host"] == "site7.example"
    assert row["date"] == "2019-03-08T04:05:06Z"
    assert json.loads(row["metadata"]) == {
        "content_type": "text/html; charset=utf-8",
        "encoding": "utf-8",
        "warc_type": "response",
    }


def test_a_conversion_is_its_text_to_the_letter(tmp_path: pathlib.Path) -> None:
    text = "  <b>Zwei</b>\r\nZeilen \n"
    record = warc(
        3, text.encode(), "conversion", "text/plain", WARC_Identified_Content_Language="deu,eng"
    )
    (tmp_path / "a.wet").write_bytes(record)
    [row], _ = read_all(tmp_path / "a.wet")
    assert row["text"] == text
    assert row["lang_declared"] == "deu,eng"


NO_DOCUMENTS = {
    "warcinfo": warc(0, b"software: x", "warcinfo", "application/warc-fields"),
    "request": warc(1, b"GET / HTTP/1.1\r\n\r\n", "request"),
    "metadata": warc(2, b"via: x", "metadata", "application/warc-fields"),
    "revisit": warc(3, http(b""), "revisit"),
    "continuation": warc(4, b"x", "continuation"),
    "unknown_type": warc(5, b"x", "x-future"),
    "segmented": warc(6, http(page("x")), WARC_Segment_Number=1),
    "not_http": warc(7, b"127.0.0.1", content_type="text/dns", WARC_Target_URI="dns:a.example"),
    "http_status": warc(8, http(page("gone"), status="404 Not Found")),
    "content_type": warc(9, http(b"\x89PNG", "Content-Type: image/png")),
    "no_text": warc(10, http(b"<html><body><img src=a></body></html>")),
}


@pytest.mark.parametrize("reason", NO_DOCUMENTS)
def test_what_is_no_document_is_counted(tmp_path: pathlib.Path, reason: str) -> None:
    path = put(tmp_path, response(1), NO_DOCUMENTS[reason], response(2))
    documents, dead = read_all(path)
    assert texts(documents) == [paragraph(1), paragraph(2)]
    assert dead == []
    assert skipped(path) == {reason: 1}


def test_resources(tmp_path: pathlib.Path) -> None:
    records = [
        warc(1, page(paragraph(1)), "resource", "text/html"),
        warc(2, b"plain text", "resource", "text/plain"),
        warc(3, b"%PDF", "resource", "application/pdf"),
    ]
    documents, dead = read_all(put(tmp_path, *records))
    assert (texts(documents), dead) == ([paragraph(1), "plain text"], [])


@pytest.mark.parametrize("how", ENDING)
def test_any_packing_gives_the_same_documents(tmp_path: pathlib.Path, how: str) -> None:
    records = [*NO_DOCUMENTS.values(), *(response(i) for i in range(20))]
    documents, dead = read_all(put(tmp_path, *records, how=how))
    expected, _ = read_all(put(tmp_path, *records))
    assert dead == []
    assert documents == expected
    assert len(documents) == 20


@pytest.mark.parametrize("ending", ["arc", "arc.gz"])
def test_arc_gives_the_texts_of_warc(tmp_path: pathlib.Path, ending: str) -> None:
    records = [arc_start(), *(arc(i, http(page(paragraph(i)))) for i in range(5))]
    path = tmp_path / f"a.{ending}"
    path.write_bytes(pack(records, "gz" if "gz" in ending else "plain"))
    documents, dead = read_all(path)
    assert dead == []
    expected, _ = read_all(put(tmp_path, *(response(i) for i in range(5))))
    for name in ("text", "url", "date"):
        assert [row[name] for row in documents] == [row[name] for row in expected]
    assert skipped(path) == {"warcinfo": 1}


def test_arc_urls_may_hold_spaces_and_version_2_has_more_fields(tmp_path: pathlib.Path) -> None:
    data = http(page(paragraph(1)))
    first = b"http://a.example/one two 127.0.0.1 20190301040506 text/html %d\n" % len(data)
    more = b"http://b.example/ 127.0.0.1 20190301040506 text/html 200 - - 0 a.arc %d\n"
    path = tmp_path / "a.arc"
    path.write_bytes(arc_start() + first + data + b"\n" + more % len(data) + data + b"\n")
    documents, dead = read_all(path)
    assert dead == []
    urls = [row["url"] for row in documents]
    assert urls == ["http://a.example/one two", "http://b.example/"]


def test_urls_and_ids_in_angle_brackets(tmp_path: pathlib.Path) -> None:
    record = warc(1, http(page(paragraph(1))), WARC_Target_URI="<http://a.example/>")
    [row], _ = read_all(put(tmp_path, record))
    assert row["url"] == "http://a.example/"


LATIN = "Die größte Brücke über den Fluß wurde früher für Züge benützt und später abgerissen."
RUSSIAN = "Река замёрзла рано той зимой, и никто в долине не помнил такого холода за много лет."
ENCODINGS = [
    ("header", LATIN, "iso-8859-1", "charset=ISO-8859-1", ""),
    ("header in quotes", LATIN, "utf-8", 'charset="utf-8"', ""),
    ("meta", RUSSIAN, "windows-1251", "", '<meta charset="windows-1251">'),
    ("older meta", RUSSIAN, "koi8-r", "", "<meta http-equiv=content-type "
     "content='text/html; charset=koi8-r'>"),
    ("bytes alone", RUSSIAN, "windows-1251", "", ""),
    ("UTF-8 unsaid", RUSSIAN, "utf-8", "", ""),
    ("header is wrong", LATIN, "cp1252", "charset=utf-8", ""),
    ("header is no encoding", LATIN, "utf-8", "charset=../../etc", ""),
    ("Thai", "แม่น้ำแข็งตัวเร็วในฤดูหนาวปีนั้น", "cp874", "charset=windows-874", ""),
    ("mark before all", LATIN, "utf-16", "charset=utf-8", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "encoding", "header", "head"),
    [case[1:] for case in ENCODINGS],
    ids=[case[0] for case in ENCODINGS],
)
def test_encodings(
    tmp_path: pathlib.Path, *, text: str, encoding: str, header: str, head: str
) -> None:
    body = page(" ".join([text] * 4), head).decode().encode(encoding)
    [row], _ = read_all(
        put(tmp_path, warc(1, http(body, f"Content-Type: text/html; {header}".rstrip("; "))))
    )
    assert row["text"] == " ".join([text] * 4)


def test_codecs_that_are_no_encodings_of_text_are_not_tried(tmp_path: pathlib.Path) -> None:
    for charset in ("base64", "zlib", "rot13", "utf-7", "unicode_escape", "idna"):
        body = page(paragraph(1))
        record = warc(1, http(body, f"Content-Type: text/html; charset={charset}"))
        [row], _ = read_all(put(tmp_path, record))
        assert row["text"] == paragraph(1)


def chunked(body: bytes) -> bytes:
    cut = len(body) // 2
    pieces = (body[:cut], body[cut:], b"")
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


BODY = page(paragraph(4))
HTML = "Content-Type: text/html"
WIRE = {
    "chunked": ((HTML, "Transfer-Encoding: chunked"), chunked(BODY)),
    "chunks undone": ((HTML, "Transfer-Encoding: chunked"), BODY),
    "gzip": ((HTML, "Content-Encoding: gzip"), gzip.compress(BODY)),
    "gzip undone": ((HTML, "Content-Encoding: gzip"), BODY),
    "deflate": ((HTML, "Content-Encoding: deflate"), zlib.compress(BODY)),
    "brotli": ((HTML, "Content-Encoding: br"), brotli.compress(BODY)),
    "chunked gzip": (
        (HTML, "Transfer-Encoding: chunked", "Content-Encoding: gzip"),
        chunked(gzip.compress(BODY)),
    ),
    "zstd": ((HTML, "Content-Encoding: zstd"), zstandard.compress(BODY)),
    "bare deflate": ((HTML, "Content-Encoding: deflate"), zlib.compress(BODY)[2:-4]),
    "twice": ((HTML, "Content-Encoding: gzip, br"), brotli.compress(gzip.compress(BODY))),
    "no type": (("Server: x",), BODY),
}


@pytest.mark.parametrize("case", WIRE)
def test_what_servers_do_to_a_body_is_undone(tmp_path: pathlib.Path, case: str) -> None:
    headers, body = WIRE[case]
    documents, dead = read_all(put(tmp_path, warc(1, http(body, *headers))))
    assert (texts(documents), dead) == ([paragraph(4)], [])


def encoded(name: str, body: bytes) -> bytes:
    return http(body, HTML, f"Content-Encoding: {name}")


LOST = {
    "cut gzip": encoded("gzip", gzip.compress(BODY)[:-30]),
    "cut deflate": encoded("deflate", zlib.compress(BODY)[:-30]),
    "cut brotli": encoded("br", brotli.compress(BODY)[:-30]),
    "noise": encoded("br", bytes(range(256))),
    "unknown": encoded("rot13", BODY),
    "too many": encoded(", ".join(["gzip"] * 100), gzip.compress(BODY)),
    "cut chunks": http(chunked(BODY)[:-30], HTML, "Transfer-Encoding: chunked"),
    "no HTTP": b"SSH-2.0-OpenSSH\r\n",
    "an endless header": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000 + b"\r\n" + BODY,
}


@pytest.mark.parametrize("case", LOST)
def test_responses_that_cannot_be_read(tmp_path: pathlib.Path, case: str) -> None:
    first, last = response(1), response(2)
    documents, dead = read_all(put(tmp_path, first, warc(5, LOST[case]), last))
    assert texts(documents) == [paragraph(1), paragraph(2)]
    assert reasons(dead) == [(len(first), "invalid_http")]


def test_an_impossible_date_is_a_dead_letter(tmp_path: pathlib.Path) -> None:
    record = warc(1, http(BODY), WARC_Date="yesterday")
    documents, dead = read_all(put(tmp_path, record, response(2)))
    assert (texts(documents), reasons(dead)) == ([paragraph(2)], [(0, "invalid_date")])


def test_html_that_would_be_a_bomb_is_a_dead_letter_of_its_own(tmp_path: pathlib.Path) -> None:
    bombs = {
        name: encoded(name, pack(b" " * (9 << 20)))
        for name, pack in (
            ("gzip", gzip.compress),
            ("deflate", zlib.compress),
            ("br", lambda data: brotli.compress(data, quality=1)),
            ("zstd", zstandard.compress),
        )
    }
    bombs["gzip, gzip"] = encoded("gzip, gzip", gzip.compress(gzip.compress(b" " * (9 << 20))))
    deep, large = http(b"<div>" * 100_000 + b"x", HTML), http(b" " * (10 << 20), HTML)
    expected = ["oversized_html"] * len(bombs) + ["html_too_complex", "oversized"]
    for how in ("plain", "gz"):
        records = [warc(i, data) for i, data in enumerate([*bombs.values(), deep, large])]
        documents, dead = read_all(put(tmp_path, *records, response(9), how=how))
        assert texts(documents) == [paragraph(9)]
        assert [row["reason"] for row in dead] == expected


def test_binary_excerpts_are_printable(tmp_path: pathlib.Path) -> None:
    junk = base64.b85encode(bytes(range(256))) + b"\x1b[31m\0"
    _, [letter] = read_all(put(tmp_path, warc(1, junk)))
    assert letter["excerpt"].isprintable()
