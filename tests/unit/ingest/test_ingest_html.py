"""The text of pages, and pages that are made to keep a parser busy."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_archives import http, page, paragraph, warc
from ingest_files import read_all, reasons, texts, write_jsonl, write_parquet

from transforms.ingest.config import FieldMapping, IngestConfig
from transforms.ingest.html import PageError, decode_page, page_text
from transforms.ingest.page_cost import MAX_COST, page_cost

HTML = IngestConfig(html=True)
MOST = 8 << 20


def cost(text: str) -> int:
    return int(page_cost(np.frombuffer(text.encode(), np.uint8)))


def test_one_page_has_one_text_whatever_holds_it(tmp_path: pathlib.Path) -> None:
    raw = page(paragraph(1)).decode()
    row = {"text": raw, "url": "https://a.example/"}
    (tmp_path / "a.csv").write_text("text\n" + '"' + raw.replace('"', '""') + '"\n')
    (tmp_path / "a.warc").write_bytes(warc(1, http(raw.encode())))
    files = [
        write_jsonl(tmp_path / "a.jsonl", [row]),
        write_parquet(tmp_path / "a.parquet", pa.Table.from_pylist([row])),
        tmp_path / "a.csv",
        tmp_path / "a.warc",
    ]
    for path in files:
        documents, dead = read_all(path, HTML)
        assert (texts(documents), dead) == ([paragraph(1)], []), path


def test_another_column_may_hold_the_page(tmp_path: pathlib.Path) -> None:
    mapped = IngestConfig(html=True, fields=FieldMapping(text="raw"))
    row = {"raw": page(paragraph(1)).decode(), "text": "kept as metadata"}
    [found], _ = read_all(write_jsonl(tmp_path / "a.jsonl", [row]), mapped)
    assert found["text"] == paragraph(1)
    assert json.loads(found["metadata"]) == {"text": "kept as metadata"}


def test_text_is_left_alone_unless_it_is_said_to_be_html(tmp_path: pathlib.Path) -> None:
    row = {"text": "<p>a &amp; b</p>"}
    assert texts(read_all(write_jsonl(tmp_path / "a.jsonl", [row]))[0]) == ["<p>a &amp; b</p>"]


def test_pages_without_text_are_dead_letters_where_a_record_promises_one(
    tmp_path: pathlib.Path,
) -> None:
    rows: list[bytes | dict[str, object]] = [
        {"text": "<img src=x>"},
        {"text": None},
        {"text": "<p>fine</p>"},
        {"text": "<div>" * 50_000},
        {"text": "x" * 2000},
    ]
    path = write_jsonl(tmp_path / "a.jsonl", rows)
    documents, dead = read_all(path, IngestConfig(html=True, max_html_bytes=1 << 20))
    assert len(documents) == 2
    assert [reason for _, reason in reasons(dead)] == [
        "empty_text", "null_text", "html_too_complex",
    ]  # fmt: skip
    _, dead = read_all(path, IngestConfig(html=True, max_html_bytes=1000))
    assert reasons(dead)[-1][1] == "oversized_html"
    assert dead[-1]["excerpt"] == "x" * 200


BUSY = {
    "depth": "<div>" * 100_000,
    "depth and breadth": "<div>" * 1000 + "<b>x</b>" * 100_000,
    "ends of what never began": "<div></foo>" * 50_000,
    "overlapping": "<b><div></b>" * 50_000,
    "lists in lists": "<ul><li>" * 50_000,
    "tables in tables": "<table><tr><td>" * 20_000,
    "attributes": "<p " + " ".join(f"a{i}=1" for i in range(50_000)) + ">x",
    "attributes in quotes": "<p " + "".join(f"a{i}='>'" for i in range(50_000)) + ">x",
    "attributes after slashes": "<p/" + "/".join(f"a{i}" for i in range(50_000)) + ">x",
    "attributes without end": "<p " + "a " * 50_000,
    "foreign elements": "<svg>" + "<g>" * 50_000,
}


@pytest.mark.parametrize("case", BUSY)
def test_pages_that_would_take_long_are_not_parsed(case: str) -> None:
    assert cost(BUSY[case]) > MAX_COST
    with pytest.raises(PageError, match="html_too_complex"):
        page_text(BUSY[case], MOST)


LONG = {
    "a long text": "<p>" + "word " * 200_000,
    "paragraphs that are not closed": "<p>one<li>two<td>three" * 20_000,
    "a script": "<script>" + "if (a<b c d e f) x = '<div>';" * 50_000 + "</script><p>hello",
    "breaks": "line<br>" * 100_000,
    "a long attribute": "<img alt='" + "a b c > d " * 50_000 + "'><p>hello",
    "a table of many rows": "<table>" + "<tr><td>a</td><td>b</td></tr>" * 20_000 + "</table>",
}


@pytest.mark.parametrize("case", LONG)
def test_large_pages_are_no_attack(case: str) -> None:
    assert cost(LONG[case]) <= MAX_COST
    assert page_text(LONG[case], MOST).strip()


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                ["<div>", "</div>", "<p", ">", "<!--", "-->", "<script>", "</script", "<![CDATA["]
            ),
            st.sampled_from(
                ["<svg><math>", "<table>", "<select>", "&#x0;", "&#xD800;", "\0", "\r"]
            ),
            st.text(max_size=10),
        ),
        max_size=30,
    )
)
def test_any_page_gives_text_that_can_be_stored(parts: list[str]) -> None:
    html = "".join(parts)
    text = page_text(html.encode(errors="replace").decode(), MOST)
    text.encode()
    assert "\0" not in text


@given(st.binary(max_size=300), st.one_of(st.none(), st.text(max_size=12)))
def test_any_bytes_become_text(data: bytes, charset: str | None) -> None:
    text, name = decode_page(data, charset)
    assert isinstance(text, str)
    "".encode(name)


def test_surrogates_of_a_page_become_replacement_characters() -> None:
    assert page_text("<p>a\ud800b</p>", MOST) == "a?b"
