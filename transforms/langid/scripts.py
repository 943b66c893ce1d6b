"""Which script a code point belongs to, and how many letters of each a text has."""

from __future__ import annotations

import functools

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.langid.ranges import COMPOUND, RANGES
from transforms.utf8 import decode, string_buffers

__all__ = ["SCRIPTS", "count_characters", "count_letters", "is_script", "script_classes"]
__all__ += ["script_mask"]

SCRIPTS = tuple(RANGES)
"""ISO 15924 codes in the order of the columns of `count_letters`."""


def script_mask(script: str) -> npt.NDArray[np.bool_]:
    """Columns of `count_letters` whose letters are at home in a script.

    Args:
        script: ISO 15924 code; `Hans`, `Jpan`, `Kore` and the like are known.

    Returns:
        One bool per entry of `SCRIPTS`; all false for a script without ranges.
    """
    return np.isin(SCRIPTS, COMPOUND.get(script, (script,)))


def is_script(script: str) -> bool:
    """Whether letters of an ISO 15924 script can be counted."""
    return script in RANGES or script in COMPOUND


@functools.cache
def script_classes() -> npt.NDArray[np.uint8]:
    """Script of every code point: 0 for no letter, else 1 + its place in `SCRIPTS`."""
    table = np.zeros(0x110000, np.uint8)
    for number, ranges in enumerate(RANGES.values(), start=1):
        for first, last in ranges:
            table[first : last + 1] = number
    return table


def count_characters(text: pa.StringArray) -> npt.NDArray[np.int32]:
    """Characters that are no letters, and letters and marks per script.

    Args:
        text: Valid UTF-8 without nulls.

    Returns:
        int32, one row per text: a column for what is no letter, then one per entry of
        `SCRIPTS`.
    """
    counts = np.zeros((len(text), len(SCRIPTS) + 1), np.int32)
    offsets, data = string_buffers(text)
    _count(offsets, data, script_classes(), counts)
    return counts


def count_letters(text: pa.StringArray) -> npt.NDArray[np.int32]:
    """The columns of `count_characters` that count letters, one per entry of `SCRIPTS`."""
    return count_characters(text)[:, 1:]


@numba.njit(cache=True, nogil=True)
def _count(offsets, data, classes, counts):  # type: ignore[no-untyped-def]
    for row in range(len(offsets) - 1):
        at = np.int64(offsets[row])
        while at < offsets[row + 1]:
            length, point = decode(data, at)
            counts[row, classes[point]] += 1
            at += length
