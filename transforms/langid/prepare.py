"""From an excerpt of a document to what the model reads.

The model is trained on text that went through `fold`; a change here asks for a new
model and new word lists.
"""

from __future__ import annotations

import functools

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.utf8 import decode, string_array, string_buffers

__all__ = ["PREPARATION", "fold"]

PREPARATION = 1
"""Version of `fold`; a model is only good for the version that it was trained with."""

_LINKS = r"(?:https?://|www\.)\S+|\S+@\S+|\b(?:\w+\.)+(?:com|org|net|html?|php)\b\S*"
_PUNCTUATION = ',.;:!?"()¡«»¿،؛؟۔।॥།༎၊။።፣፤၌〈〉《》「」『』、。！（），：；？'
# Not NFC: Arrow before 26 leaves out the composition, and later versions would differ.
_NFD = pc.Utf8NormalizeOptions("NFD")
_BLANKS = (
    (0x00, 0x20),
    (0x7F, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200B),
    (0x2010, 0x2017),
    (0x201A, 0x2030),
    (0x2039, 0x203A),
    (0x205F, 0x2060),
    (0x3000, 0x3000),
    (0xE000, 0xF8FF),
    (0xFEFF, 0xFEFF),
    (0xFFFD, 0xFFFD),
    (0xF0000, 0x10FFFF),
)
"""White space, control characters, dashes, quotes, private use, the replacement character."""


def fold(text: pa.StringArray) -> pa.StringArray:
    """Folds away what says nothing about a language.

    NFD; lower case; links and mail addresses dropped; a run of ASCII digits as one
    `0`; a run of white space, sentence punctuation, control, private use and
    replacement characters as one space, and none at either end. Han characters
    stand alone, each a word: a sentence of them is too sparse for n-grams. The
    characters of code and markup stay: they tell `zxx`.
    """
    text = pc.utf8_lower(pc.call_function("utf8_normalize", [text], _NFD))
    text = pc.replace_substring_regex(text, _LINKS, " ")
    offsets, data = string_buffers(text)
    folded = np.zeros(len(text) + 1, np.int32)
    # Spaces are added around characters of three bytes or more: never twice the size.
    out = np.empty(2 * (offsets[-1] - offsets[0]), np.uint8)
    _squeeze(offsets, data, _blanks(), folded, out)
    return string_array(folded, out)


@functools.cache
def _blanks() -> npt.NDArray[np.bool_]:
    """Code points that part words, for `fold`; apostrophes and hyphens do not."""
    table = np.zeros(0x110000, np.bool_)
    for first, last in _BLANKS:
        table[first : last + 1] = True
    table[[ord(point) for point in _PUNCTUATION]] = True
    return table


@numba.njit(cache=True, nogil=True)
def _squeeze(offsets, data, blanks, folded, out):  # type: ignore[no-untyped-def]
    size = 0
    for row in range(len(offsets) - 1):
        at, last = np.int64(offsets[row]), np.int64(offsets[row + 1])
        start, pending, digits, alone = size, False, False, False
        while at < last:
            length, point = decode(data, at)
            if blanks[point]:
                pending, digits = True, False
            elif not (digits and 0x30 <= point <= 0x39):
                han = 0x3400 <= point <= 0x9FFF or 0x20000 <= point <= 0x323AF
                if size > start and (pending or han or alone):
                    out[size] = 0x20
                    size += 1
                pending, digits, alone = False, 0x30 <= point <= 0x39, han
                for byte in range(length):
                    out[size + byte] = data[at + byte]
                if digits:
                    out[size] = 0x30
                size += length
            at += length
        folded[row + 1] = size
