"""What each code point is to the tokenizer, from a table that ships with the package."""

from __future__ import annotations

import functools
import importlib.resources
import io

import numpy as np

from transforms.kernels import Buffer

__all__ = ["MARK", "SEPARATOR", "SINGLE", "SPACE", "WORD", "classes"]

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
