"""What each code point is to the tokenizer, from a table that ships with the package."""

from __future__ import annotations

import functools
import importlib.resources
import io

import numpy as np

from transforms.kernels import Buffer, njit

__all__ = ["MARK", "SEPARATOR", "SINGLE", "SPACE", "WORD", "classes", "decode"]

SEPARATOR, WORD, SINGLE, MARK, SPACE = range(5)
"""Breaks tokens; letter or digit of a run; letter of a script written without
spaces, a token of its own; combining mark, joins what stands before it; white
space, which breaks tokens, too."""

_POINTS = 0x110000


@functools.cache
def classes() -> Buffer:
    """The class of every code point, uint8, shape (0x110000,)."""
    blob = importlib.resources.files("transforms.data").joinpath("characters.npz").read_bytes()
    with np.load(io.BytesIO(blob), allow_pickle=False) as table:
        starts = np.append(table["starts"], _POINTS).astype(np.int64)
        return np.repeat(table["classes"], np.diff(starts))


@njit
def decode(data: Buffer, at: int) -> tuple[int, np.int64]:  # pragma: no cover - compiled
    """Width in bytes and code point of the character at `at` of valid UTF-8."""
    first = np.int64(data[at])
    if first < 0x80:
        return 1, first
    if first < 0xE0:
        return 2, ((first & 0x1F) << 6) | (data[at + 1] & 0x3F)
    if first < 0xF0:
        return 3, ((first & 0x0F) << 12) | ((data[at + 1] & 0x3F) << 6) | (data[at + 2] & 0x3F)
    return 4, (
        ((first & 0x07) << 18)
        | ((data[at + 1] & 0x3F) << 12)
        | ((data[at + 2] & 0x3F) << 6)
        | (data[at + 3] & 0x3F)
    )
