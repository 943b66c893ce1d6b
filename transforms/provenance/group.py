"""The origin of exact copies, judged together.

One copy that says it is machine-made speaks for all of them, since they are the
same text; unless a copy with a tier is dated strictly before the first such
declaration. Then the text is older than the claim: whoever declared it had it
from somewhere. Copies with a tier keep it in that case, and only the copies
without one share the declaration's fate.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from transforms.provenance.assess import ANCHOR, SYNTHETIC_ORIGIN, UNVERIFIED

__all__ = ["NO_TIER", "UNDATED", "Settled", "settle_groups"]

UNDATED: Final = 2**31 - 1
"""`date_day` of a copy without a date: later than every date."""

NO_TIER: Final = 2
"""Tier of a copy that is not an anchor."""


class Settled(NamedTuple):
    """What became of every row.

    Attributes:
        origin: int8, positions in `assess.ORIGINS`.
        tier: int8, 0 = A, 1 = B, 2 = none.
        changed: bool, true where a copy's declaration changed the row's own origin.
    """

    origin: npt.NDArray[np.int8]
    tier: npt.NDArray[np.int8]
    changed: npt.NDArray[np.bool_]


def settle_groups(
    group: npt.NDArray[np.int64],
    tier: npt.NDArray[np.int8],
    date_day: npt.NDArray[np.int32],
    declared: npt.NDArray[np.bool_],
    convicted: npt.NDArray[np.bool_],
) -> Settled:
    """Applies declarations to whole groups of exact copies.

    An undated declaration is later than every date, and an undated copy with a
    tier is earlier than none.

    Args:
        group: Group of each row, from 0 without large gaps; rows in any order.
        tier: What `assess` gave the row: 0 = A, 1 = B, 2 = none.
        date_day: Ordinal of the row's day; `UNDATED` where it has none, and in
            every row when dates are no evidence (`ProvenanceConfig.dates_count`).
        declared: Whether the row itself is declared machine-made; its tier is
            then disregarded.
        convicted: Whether an artefact convicts the row.

    Returns:
        Arrays of the rows' length, in the rows' order.
    """
    own_tier = np.where(declared, np.int8(NO_TIER), tier).astype(np.int8)
    tiered = own_tier < NO_TIER
    own_origin = np.where(tiered, ANCHOR, UNVERIFIED).astype(np.int8)
    own_origin[~tiered & (declared | convicted)] = SYNTHETIC_ORIGIN
    if not declared.any():
        return Settled(own_origin, own_tier, np.zeros(len(group), dtype=np.bool_))

    n_groups = int(group.max()) + 1
    spoken_for = np.zeros(n_groups, dtype=np.bool_)
    spoken_for[group[declared]] = True
    predated = _first(group, date_day, tiered, n_groups) < _first(
        group, date_day, declared, n_groups
    )
    machine = spoken_for[group] & ~(tiered & predated[group])
    origin = np.where(machine, np.int8(SYNTHETIC_ORIGIN), own_origin)
    settled_tier = np.where(machine, np.int8(NO_TIER), own_tier)
    return Settled(origin, settled_tier, origin != own_origin)


def _first(
    group: npt.NDArray[np.int64],
    date_day: npt.NDArray[np.int32],
    rows: npt.NDArray[np.bool_],
    n_groups: int,
) -> npt.NDArray[np.int32]:
    """Earliest day of each group among the given rows."""
    first = np.full(n_groups, UNDATED, dtype=np.int32)
    np.minimum.at(first, group[rows], date_day[rows])
    return first
