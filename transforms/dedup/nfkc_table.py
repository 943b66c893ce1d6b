"""What NFKC and lower case must know of each code point, from a table that ships."""

from __future__ import annotations

import functools
import importlib.resources
import io
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.kernels import Buffer, Hashes

__all__ = ["APART", "CASED", "EXPANDS", "FOLLOWS", "IGNORED", "JOINED", "UNICODE"]
__all__ += ["Points", "Table", "table"]

UNICODE = "14.0.0"
"""Version of the tables. Characters newer than that are left as they are."""
PLAIN, CASED, IGNORED = range(3)
"""To a sigma: ends the search for a letter; is one; is skipped."""
APART, JOINED, EXPANDS, FOLLOWS = range(4)
"""Changes nothing before it; needs the whole algorithm; becomes characters that all stand
apart; is its own NFKC, but may join or move before what stands before it."""
_POINTS = 0x110000

Points = npt.NDArray[np.uint32]
"""Code points."""


class Table(NamedTuple):
    """What is known of each code point; arrays of shape (0x110000,) but for the last four.

    Attributes:
        kinds: `APART` to `FOLLOWS`.
        classes: Canonical combining class.
        case: What it is to a capital sigma near it.
        lower: Lower case, where that is one character.
        which: Which of the decompositions is its own; -1 for none.
        ends: Decomposition i is `pieces[ends[i]:ends[i + 1]]`: NFKD, without Hangul.
        pieces: All decompositions, end to end.
        pairs: First << 21 | second of each canonical composition, ascending.
        composed: What becomes of each of the pairs.
    """

    kinds: Buffer
    classes: Buffer
    case: Buffer
    lower: Points
    which: npt.NDArray[np.int16]
    ends: Points
    pieces: Points
    pairs: Hashes
    composed: Points


@functools.cache
def table() -> Table:
    """The tables, read once per process."""
    blob = importlib.resources.files("transforms.data").joinpath("normal_form.npz").read_bytes()
    with np.load(io.BytesIO(blob), allow_pickle=False) as stored:
        dense = []
        for name in ("joined", "class", "case"):
            starts = np.append(stored[f"{name}_starts"], _POINTS).astype(np.int64)
            dense.append(np.repeat(stored[f"{name}_values"], np.diff(starts)))
        lower = np.arange(_POINTS, dtype=np.uint32)
        lower[stored["upper"]] = stored["lower"]
        index = np.full(_POINTS, -1, dtype=np.int16)
        index[stored["whole"]] = np.arange(len(stored["whole"]), dtype=np.int16)
        rest = [stored[name] for name in ("ends", "pieces", "pairs", "composed")]
        kinds = _kinds(dense[0], stored["whole"], rest[0], rest[1])
        return Table(kinds, dense[1], dense[2], lower, index, *rest)


def _kinds(joined: Buffer, whole: Points, ends: Points, pieces: Points) -> Buffer:
    """Tells the characters that do not stand apart from each other."""
    kinds = np.where(joined, np.uint8(FOLLOWS), np.uint8(APART))
    changed = whole[joined[whole] > 0]
    kinds[changed] = JOINED
    some = np.add.reduceat(joined[pieces].astype(np.int64), ends[:-1].astype(np.int64))
    simple = (some == 0) & (joined[whole] > 0)
    kinds[whole[simple]] = EXPANDS
    return kinds
