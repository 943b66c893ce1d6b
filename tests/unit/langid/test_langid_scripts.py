import unicodedata

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.langid.ranges import RANGES
from transforms.langid.registry import load_registry
from transforms.langid.scripts import (
    SCRIPTS,
    count_letters,
    is_script,
    script_classes,
    script_mask,
)

KINDS = ("LETTER", "CHARACTER", "SYLLABLE", "UNIFIED", "CAPITAL", "SMALL")
NAMES = {
    "LATIN": "Latn",
    "GREEK": "Grek",
    "CYRILLIC": "Cyrl",
    "ARMENIAN": "Armn",
    "HEBREW": "Hebr",
    "ARABIC": "Arab",
    "DEVANAGARI": "Deva",
    "BENGALI": "Beng",
    "TAMIL": "Taml",
    "THAI": "Thai",
    "LAO": "Laoo",
    "MYANMAR": "Mymr",
    "GEORGIAN": "Geor",
    "HANGUL": "Hang",
    "ETHIOPIC": "Ethi",
    "CHEROKEE": "Cher",
    "KHMER": "Khmr",
    "HIRAGANA": "Hira",
    "KATAKANA": "Kana",
    "CJK": "Hani",
    "TIFINAGH": "Tfng",
    "NKO": "Nkoo",
    "ADLAM": "Adlm",
}


def counts(text: str) -> dict[str, int]:
    row = count_letters(pa.array([text], pa.string()))[0]
    return {script: int(n) for script, n in zip(SCRIPTS, row, strict=True) if n}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("12.5 % – !? 😀", {}),
        ("Ærø x", {"Latn": 4}),
        ("Привет, world", {"Cyrl": 6, "Latn": 5}),
        ("日本語テスト です", {"Hani": 3, "Kana": 3, "Hira": 2}),
        ("नमस्ते।", {"Deva": 6}),
        ("١٢٣ سلام", {"Arab": 4}),
        ("\ue000\U000f0000\ufffd", {}),
        ("𞤀𞤣𞤤𞤢𞤥", {"Adlm": 5}),
        ("𠀀", {"Hani": 1}),
    ],
)
def test_count_letters(text: str, expected: dict[str, int]) -> None:
    assert counts(text) == expected


def test_ranges_do_not_overlap() -> None:
    table = np.zeros(0x110000, np.int32)
    for ranges in RANGES.values():
        for first, last in ranges:
            table[first : last + 1] += 1
    assert table.max() == 1


@pytest.mark.parametrize(("name", "script"), NAMES.items())
def test_letters_by_name_are_in_their_script(name: str, script: str) -> None:
    letters = [
        point
        for point in range(0x20, 0x20000)
        if unicodedata.name(chr(point), "").startswith(tuple(f"{name} {kind}" for kind in KINDS))
        and unicodedata.category(chr(point))[:2] in ("Lu", "Ll", "Lo")
    ]
    number = SCRIPTS.index(script) + 1
    inside = sum(script_classes()[point] == number for point in letters)
    # A few stray letters (half-width, extensions newer than the table) do not matter.
    assert inside >= 0.97 * len(letters) > 0


@pytest.mark.parametrize(
    ("script", "covers"),
    [
        ("Latn", {"Latn"}),
        ("Hans", {"Hani"}),
        ("Jpan", {"Hani", "Hira", "Kana"}),
        ("Hang", {"Hang", "Hani"}),
        ("Zzzz", set()),
    ],
)
def test_script_mask(script: str, covers: set[str]) -> None:
    assert {SCRIPTS[i] for i in np.flatnonzero(script_mask(script))} == covers
    assert is_script(script) is bool(covers)


def test_usual_scripts_of_listed_languages_can_be_counted() -> None:
    registry = load_registry()
    listed = [registry.get(code) for code in registry._codes.values() if registry.joshi(code) > 0]
    assert listed
    assert not {
        language.code
        for language in listed
        if language and not any(map(is_script, language.scripts))
    }


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), max_size=8))
def test_counts_agree_with_a_look_at_every_character(texts: list[str]) -> None:
    expected = np.zeros((len(texts), len(SCRIPTS)), np.int32)
    for row, text in enumerate(texts):
        for char in text:
            number = script_classes()[ord(char)]
            if number:
                expected[row, number - 1] += 1
    assert (count_letters(pa.array(texts, pa.string())) == expected).all()


def test_a_slice_counts_as_its_own_array() -> None:
    texts = pa.array(["abc", "дом", "x"], pa.string())
    assert (count_letters(texts.slice(1, 2)) == count_letters(texts)[1:]).all()
    assert count_letters(texts.slice(1, 0)).shape == (0, len(SCRIPTS))
