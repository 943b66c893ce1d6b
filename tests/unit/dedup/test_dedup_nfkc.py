"""NFKC and lower case against `unicodedata` and `str.lower`, character by character."""

import importlib.resources
import itertools
import random
import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.dedup.nfkc import GROWTH
from transforms.dedup.nfkc_table import UNICODE, table
from transforms.dedup.normalize import letters

TABLE = table()
OLD = unicodedata.ucd_3_2_0
KNOWN = [
    chr(point)
    for point in range(0x110000)
    if not 0xD800 <= point < 0xE000
    and (unicodedata.unidata_version == UNICODE or OLD.category(chr(point)) != "Cn")
]
"""Characters that the table and the interpreter know alike, whatever its version."""
SECONDS = {int(pair) & 0x1FFFFF for pair in TABLE.pairs}
SECONDS |= {*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)}
FIRSTS = {int(pair) >> 21 for pair in TABLE.pairs} | set(range(0x1100, 0x1113))
MARKS = [c for c in KNOWN if TABLE.classes[ord(c)] or ord(c) in SECONDS]
BASES = [c for c in KNOWN if ord(c) in FIRSTS or TABLE.which[ord(c)] >= 0 or c.lower() != c]
BASES += list("한가각Σσςa1'. \u00ad")
SIGMAS = list("ΣΣΣσςAa'.: \u00ad\u0345İ1") * 60


def expected(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


def hold(texts: list[str]) -> None:
    """Compares quickly, and shows the first text that differs."""
    found = letters(pa.array(texts, pa.string())).to_pylist()
    wrong = ((t, f) for t, f in zip(texts, found, strict=True) if f != expected(t))
    assert next(wrong, None) is None


def test_every_single_character():
    hold(KNOWN)


def test_every_character_around_a_sigma():
    for text in ("AΣ{}", "AΣ{}b", "{}Σ", "A{}Σ", "A{0}Σ{0}b"):
        hold([text.format(c) for c in KNOWN])


def test_every_base_with_a_mark_of_each_kind():
    by_class = {TABLE.classes[ord(c)]: c for c in MARKS if ord(c) not in SECONDS}
    marks = sorted({*by_class.values(), *map(chr, SECONDS)} & set(KNOWN))
    assert len(marks) > 100
    assert len(BASES) > 4000
    some = random.Random(5).sample(BASES, 1500)
    for base in some:
        hold([base + mark for mark in marks])


def test_every_pair_of_marks_on_a_base():
    by_class = sorted({TABLE.classes[ord(c)]: c for c in MARKS}.values())
    for base in ("a", "é", "ệ", "가", "1", "", "\u09c7", "Σ"):
        hold([base + "".join(pair) + "x" for pair in itertools.product(by_class, repeat=2)])


CHARACTERS = st.sampled_from(BASES) | st.sampled_from(MARKS) | st.sampled_from(SIGMAS)
TEXTS = st.text(st.sampled_from(KNOWN), max_size=12) | st.text(CHARACTERS, max_size=30)


@settings(max_examples=400, deadline=None, database=None)
@given(st.lists(TEXTS, max_size=6), st.integers(0, 3))
def test_any_text_of_any_plane(texts, offset):
    column = pa.array(texts, pa.string()).slice(min(offset, len(texts)))
    assert letters(column).to_pylist() == [expected(t) for t in column.to_pylist()]


@settings(max_examples=100, deadline=None, database=None)
@given(st.text(CHARACTERS, max_size=8), st.integers(0, 40), st.integers(0, 40))
def test_ascii_blocks_end_where_they_end(text, before, after):
    hold(["Ab c" * before + text + "X y1" * after, "é"])


def test_of_random_heaps():
    draw = random.Random(7)
    pool = MARKS * 4 + BASES + SIGMAS
    hold(["".join(draw.choices(pool, k=draw.randint(0, 50))) for _ in range(5000)])


@pytest.mark.parametrize(
    "text",
    [
        "\u0301\u0323" * 100_000,  # nothing but marks, none in its place
        "a" + "\u0323" * 100_000 + "\u0301",
        "Σ." * 100_000,
        "，" * 300_000,
        "\u1161\u11a8" * 100_000,
        "\ufdfa" * 50_000,  # grows elevenfold
    ],
    ids=["marks", "one letter", "sigmas", "wide commas", "jamo", "growing"],
)
def test_hostile_texts_take_linear_time_and_room(text):
    found = letters(pa.array([text, "é"])).to_pylist()
    assert found[1] == "é"
    if text[0] != "\u0301":  # `unicodedata` sorts those in quadratic time
        assert found[0] == expected(text)
    else:
        assert found[0] == "\u0323" * 100_000 + "\u0301" * 100_000


class TestWhatTheKernelRestsOn:
    def test_the_version_is_that_of_the_file(self):
        blob = importlib.resources.files("transforms.data").joinpath("normal_form.npz")
        with blob.open("rb") as file:
            assert str(np.load(file)["unicode_version"]) == UNICODE

    def test_nothing_grows_more(self):
        most = max(len(expected(c).encode()) / len(c.encode()) for c in KNOWN)
        assert most == GROWTH

    def test_lower_case_leaves_what_a_letter_is_to_a_sigma(self):
        assert np.array_equal(TABLE.case[TABLE.lower], TABLE.case)

    def test_composing_does_so_too_unless_the_first_is_skipped(self):
        first = (TABLE.pairs >> np.uint64(21)).astype(np.int64)
        differs = TABLE.case[first] != TABLE.case[TABLE.composed]
        assert set(TABLE.case[first[differs]]) == {2}

    def test_a_mark_takes_a_byte_or_more_in_scratch(self):
        for character in KNOWN:
            pieces = [ord(c) for c in unicodedata.normalize("NFKD", character)]
            joined = list(itertools.takewhile(lambda p: TABLE.kinds[p], reversed(pieces)))
            # After one that stands apart, the scratch is empty but for the 32 to spare.
            room = len(character.encode()) if len(joined) == len(pieces) else 28
            assert len(joined) <= room
