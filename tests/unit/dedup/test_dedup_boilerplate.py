"""Paragraphs that recur, and texts without them, against plain Python."""

import unicodedata
from collections import defaultdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from transforms.dedup.boilerplate import (
    PARAGRAPH,
    RECURRING,
    cut,
    paragraph_hashes,
    paragraph_rows,
    recurring,
)
from transforms.dedup.normalize import letters

BANNER = "We use cookies to give you the best experience."
SEPARATORS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
LINES = st.text(
    st.sampled_from("aBc é\u3000\tΣ.,ﬁ人e\u0301İ\xa0" + SEPARATORS), max_size=14
) | st.sampled_from([BANNER, f" {BANNER.upper()} ", "\u3000", "Σ", "ΑΣ"])
TEXTS = st.builds(
    "".join, st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r\n", "\u2028", ""])).map("".join))
)


def normal(line: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", line).lower().split())


def one_hash(line: str) -> int:
    (found,) = paragraph_hashes(pa.array([line]), 1)[1].tolist()
    return found


def hashes(*lines: str) -> np.ndarray:
    return np.array(sorted(map(one_hash, lines)), dtype=np.uint64)


def pieces(text: str) -> list[str]:
    """Lines with their ends; Python takes CR LF for one end, and here it is two."""
    found = []
    for piece in text.splitlines(keepends=True):
        found += [piece[:-1], "\n"] if piece.endswith("\r\n") else [piece]
    return found


@settings(max_examples=200, deadline=None, database=None)
@given(st.lists(TEXTS, max_size=4), st.integers(1, 6), st.integers(0, 2))
def test_a_text_has_the_paragraphs_of_its_lines(texts, least, offset):
    column = pa.array(texts, pa.string()).slice(min(offset, len(texts)))
    rows, found = paragraph_hashes(column, least)
    assert sorted(zip(rows, found, strict=True)) == list(zip(rows, found, strict=True))
    for row, text in enumerate(column.to_pylist()):
        lines = {normal(line) for line in pieces(text)}
        long = {line for line in lines if len(line) >= least}
        assert set(found[rows == row]) == {one_hash(line) for line in long}


@settings(max_examples=200, deadline=None, database=None)
@given(st.lists(TEXTS, max_size=4), st.integers(1, 6), st.randoms(use_true_random=False))
@example(["a\r\nb", f"{BANNER}"], 1, None)
def test_cutting_leaves_every_other_line_as_it_was(texts, least, random):
    lines = sorted({normal(line) for text in texts for line in pieces(text)} - {""})
    chosen = {line for line in lines if random is None or random.random() < 0.5}
    gone = np.sort(np.array([one_hash(line) for line in chosen], dtype=np.uint64))
    left, characters = cut(pa.array(texts, pa.string()), gone, least)
    chosen = {line for line in chosen if len(line) >= least}
    expected = ["".join(p for p in pieces(t) if normal(p) not in chosen) for t in texts]
    assert left.to_pylist() == expected
    assert characters.to_pylist() == [len(t) - len(e) for t, e in zip(texts, expected, strict=True)]


def test_normal_forms_have_the_line_ends_of_their_texts():
    known = [chr(p) for p in range(0x110000) if not 0xD800 <= p < 0xE000]
    for character, form in zip(known, letters(pa.array(known)).to_pylist(), strict=True):
        assert sum(c in SEPARATORS for c in form) == (character in SEPARATORS)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"{BANNER}\nNews of today\n", "News of today\n"),
        (f"News of today\r\n{BANNER}\r\n", "News of today\r\n\n"),
        (f"News of today\u2028{BANNER}", "News of today\u2028"),
        (f"  {BANNER.upper()}\t\n\nNews", "\nNews"),
        (f"{BANNER} And more.", f"{BANNER} And more."),  # only a whole line is a paragraph
        (BANNER, ""),
        (f"{BANNER}\n" * 3, ""),
        ("", ""),
        ("\n\n\n", "\n\n\n"),
    ],
)
def test_bad_input(text, left):
    found, characters = cut(pa.array([text]), hashes(BANNER), 20)
    assert found.to_pylist() == [left]
    assert characters.to_pylist() == [len(text) - len(left)]


def test_one_line_of_a_megabyte():
    long = "wörter und mehr " * 65_536
    column = pa.array([long, f"x\n{long}\ny"])
    rows, found = paragraph_hashes(column, 20)
    assert rows.tolist() == [0, 1]
    assert found[0] == found[1]
    left, characters = cut(column, found[:1], 20)
    assert left.to_pylist() == ["", "x\ny"]
    assert characters.to_pylist() == [len(long), len(long) + 1]


def test_short_lines_are_no_paragraphs():
    column = pa.array(["Home\n}\n" + "x" * 19, "Home\n}\n" + "x" * 20])
    assert paragraph_hashes(column, 20)[0].tolist() == [1]
    # However wide its white space is.
    assert paragraph_hashes(pa.array(["a" + " " * 50 + "b"]), 20)[0].tolist() == []


def test_nothing_gives_nothing():
    for empty in (pa.array([], pa.string()), pa.array(["gone"]).slice(1)):
        assert paragraph_hashes(empty, 1)[0].tolist() == []
        left, characters = cut(empty, hashes(BANNER), 1)
        assert (left.to_pylist(), characters.to_pylist()) == ([], [])


def paragraphs(rows) -> pa.Table:
    """Rows of PARAGRAPH from (paragraph, text, document)."""
    made = [
        {"paragraph": p, "text_hi": t >> 1, "text_lo": t & 1, "doc_id": bytes([d]) * 16}
        for p, t, d in rows
    ]
    return pa.Table.from_pylist(made, schema=PARAGRAPH)


ROWS = st.lists(
    st.tuples(st.sampled_from([1, 2, 2**64 - 1]), st.integers(0, 5), st.integers(0, 255)),
    max_size=40,
)


@settings(max_examples=200, deadline=None, database=None)
@given(ROWS, st.integers(2, 4), st.randoms(use_true_random=False))
def test_what_recurs_is_counted_by_distinct_texts(rows, least, random):
    texts, documents = defaultdict(set), defaultdict(set)
    for paragraph, text, document in rows:
        texts[paragraph].add(text)
        documents[paragraph].add(document)
    expected = [
        {"paragraph": p, "documents": len(texts[p]), "example": bytes([min(documents[p])]) * 16}
        for p in sorted(texts)
        if len(texts[p]) >= least
    ]
    random.shuffle(rows)
    found = list(recurring(0, {"paragraphs": paragraphs(rows)}, min_documents=least))
    assert [row for _, table in found for row in table.to_pylist()] == expected
    assert all(table.schema == RECURRING for _, table in found)


def test_a_page_crawled_a_thousand_times_is_no_boilerplate():
    rows = [(7, 1, document % 256) for document in range(1000)]
    ((_, found),) = recurring(0, {"paragraphs": paragraphs(rows)}, min_documents=2)
    assert len(found) == 0


def test_rows_name_text_and_document():
    staged = pa.table(
        {
            "text": [f"{BANNER}\n{BANNER}", "short"],
            "text_hash": pa.array([bytes(range(16)), bytes(16)], pa.binary()),
            "doc_id": pa.array([b"d" * 16, b"e" * 16], pa.binary()),
        }
    )
    (row,) = paragraph_rows(staged, 20).to_pylist()
    assert row == {
        "paragraph": one_hash(BANNER),
        "text_hi": 0x0001020304050607,
        "text_lo": 0x08090A0B0C0D0E0F,
        "doc_id": b"d" * 16,
    }
