"""Damaged web archives: what stood before the damage and what comes after it is read."""

from __future__ import annotations

import gzip
import pathlib
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_archives import ENDING, arc, arc_start, http, pack, page, paragraph, response, warc
from ingest_files import Row, read_all, reasons, texts

from transforms.ingest.archive_records import records
from transforms.ingest.archive_stream import Piece, Stream
from transforms.ingest.config import IngestConfig

N = 6
RECORDS = [response(i) for i in range(N)]
PARAGRAPHS = [paragraph(i) for i in range(N)]
MEMBERS = [gzip.compress(record, mtime=0) for record in RECORDS]


def starts(pieces: list[bytes]) -> list[int]:
    return [sum(map(len, pieces[:i])) for i in range(len(pieces))]


def read(
    folder: pathlib.Path, data: bytes, ending: str = "warc", config: IngestConfig | None = None
) -> tuple[list[Row], list[Row]]:
    path = folder / f"a.{ending}"
    path.write_bytes(data)
    return read_all(path, config)


def but(number: int) -> list[str]:
    return [text for i, text in enumerate(PARAGRAPHS) if i != number]


HEADERS = {
    "no version": lambda record: record.replace(b"WARC/1.0", b"WRAC/1.0"),
    "no length": lambda record: record.replace(b"Content-Length", b"Content-Lenght"),
    "a negative length": lambda record: record.replace(b"Content-Length: ", b"Content-Length: -"),
    "a length in words": lambda record: record.replace(b"Content-Length: ", b"Content-Length: x"),
    "a length of 40 digits": lambda record: record.replace(
        b"Content-Length: ", b"Content-Length: " + b"9" * 40
    ),
    "noise": lambda record: b"\xff\x00" * 50 + record[100:],
    "an endless line": lambda record: record.replace(b"WARC-Type", b"X" * 100_000 + b": "),
}


@pytest.mark.parametrize("packing", ENDING)
@pytest.mark.parametrize("case", HEADERS)
def test_a_broken_header_costs_one_record(tmp_path: pathlib.Path, case: str, packing: str) -> None:
    records = [*RECORDS]
    records[2] = HEADERS[case](records[2])
    documents, dead = read(tmp_path, pack(records, packing), ENDING[packing])
    assert texts(documents) == but(2)
    assert [row["reason"] for row in dead] == ["invalid_record"]
    if packing == "plain":
        assert dead[0]["position"] == starts(records)[2]
    if packing == "gz":
        assert dead[0]["position"] == starts([gzip.compress(r, mtime=0) for r in records])[2]


@pytest.mark.parametrize("packing", ENDING)
@pytest.mark.parametrize("wrong", [-40, -1, 1, 40, 500])
def test_a_wrong_length_costs_one_record(tmp_path: pathlib.Path, wrong: int, packing: str) -> None:
    records = [*RECORDS]
    data = http(page(paragraph(2)))
    records[2] = warc(2, data, Content_Length=len(data) + wrong)
    documents, dead = read(tmp_path, pack(records, packing), ENDING[packing])
    found = texts(documents)
    if wrong == 1:  # one of the two line ends behind the record: the record itself is whole
        assert [text.strip() for text in found] == PARAGRAPHS
        assert dead == []
    else:
        assert found == but(2)
        assert {row["reason"] for row in dead} <= {"wrong_length", "truncated_record"}
        assert len(dead) == 1


@pytest.mark.parametrize("packing", ["plain", "gz", "zst"])
def test_a_length_beyond_the_file(tmp_path: pathlib.Path, packing: str) -> None:
    records = [*RECORDS]
    records[2] = warc(2, http(page(paragraph(2))), Content_Length=10**17)
    documents, dead = read(tmp_path, pack(records, packing), ENDING[packing])
    assert texts(documents) == but(2)
    assert len(dead) == 1


@pytest.mark.parametrize("packing", ENDING)
def test_cut_off_anywhere(tmp_path: pathlib.Path, packing: str) -> None:
    data = pack(RECORDS, packing)
    last = -1
    for cut in range(1, len(data), len(data) // 11):
        documents, dead = read(tmp_path, data[:cut], ENDING[packing])
        found = texts(documents)
        assert found == PARAGRAPHS[: len(found)], "nothing is half a document"
        assert len(found) >= last
        last = len(found)
        assert len(dead) <= 2
        whole = packing == "plain" and len(found) == N
        assert dead or whole or cut in starts(MEMBERS)
    assert last >= N - 1


@pytest.mark.parametrize("at", [0.0, 0.3, 0.6, 0.999])
def test_a_damaged_member_costs_one_record(tmp_path: pathlib.Path, at: float) -> None:
    members = [*MEMBERS]
    damaged = bytearray(members[2])
    place = max(int(at * len(damaged)) - 4, 1)
    damaged[place : place + 3] = bytes(byte ^ 0xFF for byte in damaged[place : place + 3])
    members[2] = bytes(damaged)
    documents, dead = read(tmp_path, b"".join(members), "warc.gz")
    assert texts(documents) == but(2)
    assert reasons(dead) == [(starts(MEMBERS)[2], "unreadable_member")]


def test_what_no_member_is_between_members(tmp_path: pathlib.Path) -> None:
    junk = b"\x1f\x8b\x08 and more that is no member" * 30
    data = b"".join(MEMBERS[:3]) + junk + b"".join(MEMBERS[3:])
    documents, dead = read(tmp_path, data, "warc.gz")
    assert texts(documents) == PARAGRAPHS
    assert [(row["reason"], row["n_bytes"]) for row in dead] == [("unreadable_member", len(junk))]


def test_arc_goes_on_behind_damage(tmp_path: pathlib.Path) -> None:
    records = [arc_start(), *(arc(i, http(page(paragraph(i)))) for i in range(N))]
    records[3] = b"https://site2.example/ no header line\n" + records[3]
    for ending, data in (("arc", b"".join(records)), ("arc.gz", pack(records, "gz"))):
        documents, dead = read(tmp_path, data, ending)
        # The line is passed, and behind it is a whole record.
        assert texts(documents) == PARAGRAPHS
        assert [row["reason"] for row in dead] == ["invalid_record"]


def test_files_of_another_format(tmp_path: pathlib.Path) -> None:
    for ending in ("warc", "warc.gz", "warc.zst", "arc", "arc.gz", "wet"):
        documents, dead = read(tmp_path, b'{"text": "no archive"}\n' * 50, ending)
        assert documents == []
        assert len(dead) == 1
        assert dead[0]["position"] == 0
        assert read(tmp_path, b"", ending) == ([], [])


def test_a_warc_within_a_record_is_part_of_it(tmp_path: pathlib.Path) -> None:
    inner = warc(8, b"inner", "conversion", "text/plain")
    records = [warc(1, b"a\r\n\r\n" + inner, "conversion", "text/plain"), RECORDS[2]]
    for packing in ("plain", "gz"):
        documents, dead = read(tmp_path, pack(records, packing), ENDING[packing])
        assert dead == []
        assert len(documents) == 2
        assert "inner" in documents[0]["text"]


def test_records_that_claim_one_another_are_read_in_bounded_time(tmp_path: pathlib.Path) -> None:
    """Each claims all that follow; without a bound every one would be held in turn."""
    head = b"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: 1000000\r\n\r\n"
    stream = _stream(head * 20_000)
    passed = sum(1 for _ in records(stream, lambda *_: 1 << 20))
    assert passed > 1
    assert stream.position == len(head) * 20_000


def _stream(data: bytes) -> Stream:
    made = Stream(iter([Piece(0, data, fresh=False)]), len(data), plain=True)
    made._again = 4 << 20
    return made


def test_an_archive_bomb_ends_reading_at_its_limit(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transforms.ingest.decompress._GRACE", 1 << 20)
    bomb = gzip.compress(warc(9, b"\0" * (4 << 20), "resource", "image/png"), 9, mtime=0)
    data = b"".join([*MEMBERS[:3], bomb, *MEMBERS[3:]])
    documents, dead = read(tmp_path, data, "warc.gz")
    assert texts(documents) == PARAGRAPHS[:3]
    assert [row["reason"] for row in dead] == ["unreadable_bomb"]
    assert "max_ratio" in dead[0]["excerpt"]
    documents, dead = read(tmp_path, data, "warc.gz", IngestConfig(max_ratio=2000))
    assert (texts(documents), dead) == (PARAGRAPHS, [])


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(["gz", "zst"]),
    st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=4
    ),
)
def test_flipped_bytes_make_no_text(
    tmp_path_factory: pytest.TempPathFactory, packing: str, flips: list[tuple[float, int]]
) -> None:
    """Members have checksums: every document is one of the originals, and few are lost."""
    data = bytearray(pack(RECORDS, packing))
    for share, mask in flips:
        data[int(share * len(data))] ^= mask
    folder = tmp_path_factory.mktemp("flips")
    documents, dead = read(folder, bytes(data), ENDING[packing])
    if packing == "gz":
        assert not Counter(texts(documents)) - Counter(PARAGRAPHS)
    assert len(documents) >= N - 2 * len(flips)
    assert len(documents) == N or dead


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.sampled_from([b"WARC/1.0\r\n", b"\r\n\r\n", b"Content-Length: 5\r\n", *RECORDS]),
            st.sampled_from([*MEMBERS, b"\x1f\x8b\x08", arc_start()]),
        ),
        max_size=12,
    ),
    st.sampled_from(["warc", "warc.gz", "warc.zst", "arc"]),
)
def test_any_bytes_come_to_an_end(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], ending: str
) -> None:
    data = b"".join(parts)
    documents, dead = read(tmp_path_factory.mktemp("any"), data, ending)
    assert len(documents) + len(dead) <= len(data)
    assert all(-1 <= row["position"] <= len(data) for row in dead)
    assert not documents or reasons(dead) is not None


def test_lines_that_are_almost_headers_are_read_in_bounded_time(tmp_path: pathlib.Path) -> None:
    """Each holds what could be the middle of a header a hundred times, and is none."""
    almost = b"a:" + b" 1.1.1.1 20190301000000 x" * 160 + b"\n"
    data = b"".join([arc_start(), almost * 500, arc(1, http(page(paragraph(1))))])
    documents, dead = read(tmp_path, data, "arc")
    assert texts(documents) == [paragraph(1)]
    assert {row["reason"] for row in dead} == {"invalid_record"}
