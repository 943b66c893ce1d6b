"""Which script a code point belongs to, and how many letters of each a text has.

The ranges are the letters and combining marks of the scripts that languages of
the registry are written in, by Unicode block with the digits and punctuation
cut out. They stand here, rather than come from `unicodedata`, so that a count
does not change with the version of Python.
"""

from __future__ import annotations

import functools

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["SCRIPTS", "count_letters", "decode", "is_script", "script_mask", "string_buffers"]

_RANGES: dict[str, tuple[tuple[int, int], ...]] = {
    "Latn": (
        (0x41, 0x5A),
        (0x61, 0x7A),
        (0xAA, 0xAA),
        (0xBA, 0xBA),
        (0xC0, 0xD6),
        (0xD8, 0xF6),
        (0xF8, 0x2BF),
        (0x1D00, 0x1D25),
        (0x1D2C, 0x1D5C),
        (0x1D62, 0x1D65),
        (0x1D6B, 0x1D77),
        (0x1D79, 0x1DBE),
        (0x1E00, 0x1EFF),
        (0x2C60, 0x2C7F),
        (0xA722, 0xA7FF),
        (0xAB30, 0xAB64),
        (0xFB00, 0xFB06),
        (0xFF21, 0xFF3A),
        (0xFF41, 0xFF5A),
    ),
    "Grek": ((0x370, 0x373), (0x376, 0x37D), (0x37F, 0x3E1), (0x3F0, 0x3FF), (0x1F00, 0x1FFF)),
    "Copt": ((0x3E2, 0x3EF), (0x2C80, 0x2CF3)),
    "Cyrl": ((0x400, 0x481), (0x483, 0x52F), (0x1C80, 0x1C8F), (0x2DE0, 0x2DFF), (0xA640, 0xA69F)),
    "Armn": ((0x531, 0x556), (0x559, 0x559), (0x560, 0x588), (0xFB13, 0xFB17)),
    "Hebr": ((0x591, 0x5BD), (0x5C1, 0x5C2), (0x5C7, 0x5F2), (0xFB1D, 0xFB4F)),
    "Arab": (
        (0x610, 0x61A),
        (0x620, 0x65F),
        (0x66E, 0x6D3),
        (0x6D5, 0x6DC),
        (0x6DF, 0x6E8),
        (0x6EA, 0x6EF),
        (0x6FA, 0x6FC),
        (0x6FF, 0x6FF),
        (0x750, 0x77F),
        (0x870, 0x8FF),
        (0xFB50, 0xFD3D),
        (0xFD50, 0xFDFB),
        (0xFE70, 0xFEFC),
        (0x10EC0, 0x10EFF),
    ),
    "Syrc": ((0x710, 0x74F), (0x860, 0x86A)),
    "Thaa": ((0x780, 0x7B1),),
    "Nkoo": ((0x7CA, 0x7F5),),
    "Samr": ((0x800, 0x82D),),
    "Mand": ((0x840, 0x85B),),
    "Deva": ((0x900, 0x963), (0x971, 0x97F), (0xA8E0, 0xA8F7), (0xA8FB, 0xA8FF)),
    "Beng": ((0x980, 0x9E3), (0x9F0, 0x9F1), (0x9FC, 0x9FC), (0x9FE, 0x9FE)),
    "Guru": ((0xA01, 0xA5E), (0xA70, 0xA75)),
    "Gujr": ((0xA81, 0xAE3), (0xAF9, 0xAFF)),
    "Orya": ((0xB01, 0xB63), (0xB71, 0xB71)),
    "Taml": ((0xB82, 0xBD7),),
    "Telu": ((0xC00, 0xC63),),
    "Knda": ((0xC80, 0xCE3), (0xCF1, 0xCF3)),
    "Mlym": ((0xD00, 0xD57), (0xD5F, 0xD63), (0xD7A, 0xD7F)),
    "Sinh": ((0xD81, 0xDDF), (0xDF2, 0xDF3)),
    "Thai": ((0xE01, 0xE3A), (0xE40, 0xE4E)),
    "Laoo": ((0xE81, 0xECE), (0xEDC, 0xEDF)),
    "Tibt": ((0xF00, 0xF00), (0xF18, 0xF19), (0xF35, 0xF35), (0xF37, 0xF37), (0xF39, 0xFBC)),
    "Mymr": (
        (0x1000, 0x103F),
        (0x1050, 0x108F),
        (0x109A, 0x109F),
        (0xA9E0, 0xA9EF),
        (0xA9FA, 0xA9FE),
        (0xAA60, 0xAA7F),
    ),
    "Geor": ((0x10A0, 0x10FA), (0x10FC, 0x10FF), (0x1C90, 0x1CBF), (0x2D00, 0x2D2D)),
    "Hang": (
        (0x1100, 0x11FF),
        (0x3131, 0x318E),
        (0xA960, 0xA97C),
        (0xAC00, 0xD7FB),
        (0xFFA0, 0xFFDC),
    ),
    "Ethi": (
        (0x1200, 0x135F),
        (0x1380, 0x138F),
        (0x2D80, 0x2DDE),
        (0xAB01, 0xAB2E),
        (0x1E7E0, 0x1E7FE),
    ),
    "Cher": ((0x13A0, 0x13FD), (0xAB70, 0xABBF)),
    "Cans": ((0x1401, 0x166C), (0x166F, 0x167F), (0x18B0, 0x18F5)),
    "Ogam": ((0x1681, 0x169A),),
    "Runr": ((0x16A0, 0x16EA), (0x16EE, 0x16F8)),
    "Tglg": ((0x1700, 0x171F),),
    "Hano": ((0x1720, 0x1734),),
    "Buhd": ((0x1740, 0x1753),),
    "Tagb": ((0x1760, 0x1773),),
    "Khmr": ((0x1780, 0x17D3), (0x17D7, 0x17D7), (0x17DC, 0x17DD)),
    "Mong": ((0x1820, 0x18AA), (0x11660, 0x1166C)),
    "Limb": ((0x1900, 0x193B),),
    "Tale": ((0x1950, 0x1974),),
    "Talu": ((0x1980, 0x19C9),),
    "Bugi": ((0x1A00, 0x1A1B),),
    "Lana": ((0x1A20, 0x1A7C), (0x1AA7, 0x1AA7)),
    "Bali": ((0x1B00, 0x1B4C),),
    "Sund": ((0x1B80, 0x1BAF), (0x1BBA, 0x1BBF)),
    "Batk": ((0x1BC0, 0x1BF3),),
    "Lepc": ((0x1C00, 0x1C37), (0x1C4D, 0x1C4F)),
    "Olck": ((0x1C5A, 0x1C7D),),
    "Glag": ((0x2C00, 0x2C5F), (0x1E000, 0x1E02A)),
    "Tfng": ((0x2D30, 0x2D67), (0x2D6F, 0x2D7F)),
    "Hira": ((0x3041, 0x3096), (0x309D, 0x309F), (0x1B001, 0x1B11F), (0x1B150, 0x1B152)),
    "Kana": (
        (0x30A1, 0x30FA),
        (0x30FC, 0x30FF),
        (0x31F0, 0x31FF),
        (0xFF66, 0xFF9D),
        (0x1AFF0, 0x1B000),
        (0x1B155, 0x1B155),
        (0x1B164, 0x1B167),
    ),
    "Bopo": ((0x3105, 0x312F), (0x31A0, 0x31BF)),
    "Hani": (
        (0x2E80, 0x2FD5),
        (0x3005, 0x3007),
        (0x3021, 0x3029),
        (0x3400, 0x4DBF),
        (0x4E00, 0x9FFF),
        (0xF900, 0xFAD9),
        (0x20000, 0x323AF),
    ),
    "Yiii": ((0xA000, 0xA48C),),
    "Lisu": ((0xA4D0, 0xA4FD),),
    "Vaii": ((0xA500, 0xA60C), (0xA610, 0xA61F), (0xA62A, 0xA62B)),
    "Bamu": ((0xA6A0, 0xA6F1), (0x16800, 0x16A38)),
    "Sylo": ((0xA800, 0xA827),),
    "Phag": ((0xA840, 0xA873),),
    "Saur": ((0xA880, 0xA8C5),),
    "Kali": ((0xA90A, 0xA92D),),
    "Rjng": ((0xA930, 0xA953),),
    "Java": ((0xA980, 0xA9C0),),
    "Cham": ((0xAA00, 0xAA4D),),
    "Tavt": ((0xAA80, 0xAADD),),
    "Mtei": ((0xAAE0, 0xAAEF), (0xAAF2, 0xAAF6), (0xABC0, 0xABEA), (0xABEC, 0xABED)),
    "Goth": ((0x10330, 0x1034A),),
    "Dsrt": ((0x10400, 0x1044F),),
    "Shaw": ((0x10450, 0x1047F),),
    "Osma": ((0x10480, 0x1049D),),
    "Osge": ((0x104B0, 0x104FB),),
    "Rohg": ((0x10D00, 0x10D27),),
    "Cakm": ((0x11100, 0x11134), (0x11144, 0x11147)),
    "Mahj": ((0x11150, 0x11173),),
    "Shrd": ((0x11180, 0x111C4), (0x111C9, 0x111CC)),
    "Sind": ((0x112B0, 0x112EA),),
    "Gran": ((0x11300, 0x11374),),
    "Newa": ((0x11400, 0x1144A), (0x1145E, 0x11461)),
    "Tirh": ((0x11480, 0x114C5),),
    "Modi": ((0x11600, 0x11640),),
    "Dogr": ((0x11800, 0x1183A),),
    "Wara": ((0x118A0, 0x118DF),),
    "Gong": ((0x11D60, 0x11D97),),
    "Gonm": ((0x11D00, 0x11D47),),
    "Mroo": ((0x16A40, 0x16A5E),),
    "Bass": ((0x16AD0, 0x16AF4),),
    "Hmng": ((0x16B00, 0x16B36), (0x16B40, 0x16B43), (0x16B63, 0x16B8F)),
    "Plrd": ((0x16F00, 0x16F9F),),
    "Hmnp": ((0x1E100, 0x1E13D),),
    "Wcho": ((0x1E2C0, 0x1E2EF),),
    "Adlm": ((0x1E900, 0x1E94B),),
}

SCRIPTS = tuple(_RANGES)
"""ISO 15924 codes in the order of the columns of `count_letters`."""

_COMPOUND = {
    "Hans": ("Hani",),
    "Hant": ("Hani",),
    "Hanb": ("Hani", "Bopo"),
    "Jpan": ("Hani", "Hira", "Kana"),
    "Hrkt": ("Hira", "Kana"),
    "Hang": ("Hang", "Hani"),
    "Kore": ("Hang", "Hani"),
    "Geok": ("Geor",),
    "Cyrs": ("Cyrl",),
    "Aran": ("Arab",),
    "Latf": ("Latn",),
    "Latg": ("Latn",),
    "Syre": ("Syrc",),
    "Syrj": ("Syrc",),
    "Syrn": ("Syrc",),
}
"""Scripts that are variants of one above, or are written with several."""


def script_mask(script: str) -> npt.NDArray[np.bool_]:
    """Columns of `count_letters` whose letters are at home in a script.

    Args:
        script: ISO 15924 code; `Hans`, `Jpan`, `Kore` and the like are known.

    Returns:
        One bool per entry of `SCRIPTS`; all false for a script without ranges.
    """
    return np.isin(SCRIPTS, _COMPOUND.get(script, (script,)))


def is_script(script: str) -> bool:
    """Whether letters of an ISO 15924 script can be counted."""
    return script in _RANGES or script in _COMPOUND


@functools.cache
def _classes() -> npt.NDArray[np.uint8]:
    """Script of every code point: 0 for no letter, else 1 + its place in `SCRIPTS`."""
    table = np.zeros(0x110000, np.uint8)
    for number, ranges in enumerate(_RANGES.values(), start=1):
        for first, last in ranges:
            table[first : last + 1] = number
    return table


def string_buffers(text: pa.StringArray) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Views of an array's Arrow buffers: n + 1 offsets (int32), UTF-8 bytes (uint8)."""
    _, offsets, data = text.buffers()
    if offsets is None or len(text) == 0:
        return np.zeros(1, np.int32), np.zeros(0, np.uint8)
    view = np.frombuffer(memoryview(offsets), np.int32)[text.offset : text.offset + len(text) + 1]
    return view, np.frombuffer(memoryview(data or b""), np.uint8)


def count_letters(text: pa.StringArray) -> npt.NDArray[np.int32]:
    """Letters and marks per script.

    Args:
        text: Valid UTF-8 without nulls.

    Returns:
        int32, one row per text, one column per entry of `SCRIPTS`.
    """
    counts = np.zeros((len(text), len(SCRIPTS) + 1), np.int32)
    offsets, data = string_buffers(text)
    _count(offsets, data, _classes(), counts)
    return counts[:, 1:]


@numba.njit(cache=True, nogil=True, inline="always")
def decode(data, at):  # type: ignore[no-untyped-def]
    """The code point at a byte position of valid UTF-8, and its length in bytes."""
    lead = np.uint32(data[at])
    if lead < 0x80:
        return lead, 1
    if lead < 0xE0:
        return (lead & 0x1F) << 6 | (data[at + 1] & 0x3F), 2
    if lead < 0xF0:
        return (lead & 0x0F) << 12 | (data[at + 1] & 0x3F) << 6 | (data[at + 2] & 0x3F), 3
    high = (lead & 0x07) << 18 | (data[at + 1] & 0x3F) << 12
    return high | (data[at + 2] & 0x3F) << 6 | (data[at + 3] & 0x3F), 4


@numba.njit(cache=True, nogil=True)
def _count(offsets, data, classes, counts):  # type: ignore[no-untyped-def]
    for row in range(len(offsets) - 1):
        at = offsets[row]
        while at < offsets[row + 1]:
            point, length = decode(data, at)
            counts[row, classes[point]] += 1
            at += length
