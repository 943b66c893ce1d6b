"""Bands: parts of a stratum that are not cut, or not repeated, alike.

Where not all text of a language is published, what the bands before have room for goes
first: documents that keep their place (their selection weight says with which chance),
and of them those that hold most rare types. Inside these, a document with many copies counts
for more where `rehydrate` says so.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.rebalance.cells import Cells, Rules
from transforms.rebalance.config import MILLION
from transforms.rebalance.draws import Keys, mix

__all__ = ["Bands", "bands_of", "order_of", "weight_of"]

Bands = npt.NDArray[np.uint8]

_RARE_LEVELS = 15
_PLACES = 2 * (_RARE_LEVELS + 1)
"""Ways in which a document can stand before another; the rest of a band is its weight."""
_HEAVIEST = 8


def order_of(band: int) -> int:
    """Bands with a lower order are filled before others."""
    return band % _PLACES


def weight_of(band: int) -> int:
    """How many documents a document of the band counts as, where they are shared out."""
    return 1 + band // _PLACES


def bands_of(table: pa.Table, cells: Cells, draws: Keys, rules: Rules, *, rehydrate: bool) -> Bands:
    """The band of each document.

    A document that serves no floor keeps its place with the probability that is its
    weight, and otherwise stands behind all that keep theirs.

    Args:
        table: Rows of `ranks.LIGHT`.
        cells: Their cells. Shape (rows,).
        draws: Their draws. Shape (rows,).
        rules: The run's floors and caps.
        rehydrate: Whether copies count.
    """
    weights = table.column("weight").to_numpy().astype(np.uint64)
    # Another draw, of 32 bits, which times a million fill 52.
    chance = (mix(draws) >> np.uint64(32)) * np.uint64(MILLION) >> np.uint64(32)
    free = cells & np.uint32(rules.floor_bits) == 0
    behind = free & (chance >= weights)
    rare = np.clip(table.column("rare").to_numpy(), 0, _RARE_LEVELS)
    bands = behind * (_RARE_LEVELS + 1) + (_RARE_LEVELS - rare)
    if rehydrate:
        copies = np.maximum(1, table.column("copies").to_numpy())
        # Exact: a float's exponent is the number of bits of an integer below 2^53.
        doublings = np.frexp(copies.astype(np.float64))[1] - 1
        bands = bands + _PLACES * np.minimum(doublings, _HEAVIEST - 1)
    return np.asarray(bands, dtype=np.uint8)
