"""Sharing a cell's quota out among its languages, and each language's among its bands.

All are instances of one thing: amounts as near in proportion to given weights as their
bounds allow, clip(level x weight, low, high) with the level at which they add up. Weights
that are the sizes share proportionally, equal ones give UniMax, a power between them is
temperature sampling. Where a cell is cut the bounds are 0 and what there is; where it
is repeated, what there is and the repeat cap times it, so that all text comes once
before any comes twice.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Mapping, Sequence

import pyarrow as pa

from transforms.rebalance.bands import order_of, weight_of
from transforms.rebalance.config import RebalanceConfig

__all__ = ["Stratum", "language_weights", "share_out", "strata_of", "stratum_quotas"]

_MANTISSA = 24
"""Bits that are kept of a power, so that the last ones of a float never decide."""
_FINE = 60
"""Binary digits of the level."""

Key = tuple[int, str]
"""A cell and a language."""


@dataclasses.dataclass(frozen=True)
class Stratum:
    """What there is of one cell, language and band.

    Attributes:
        cell: Bit mask, see `cells`.
        lang: Label.
        band: See `bands`.
        documents: Their number.
        unique: Their size.
        largest: Size of the largest.
    """

    cell: int
    lang: str
    band: int
    documents: int
    unique: int
    largest: int


def strata_of(strata: pa.Table) -> tuple[Stratum, ...]:
    """Sums rows of `ranks.STRATA` of all partitions up, in the order of their keys."""
    keys = ["cell", "lang", "band"]
    sums = [("documents", "sum"), ("size", "sum"), ("largest", "max")]
    summed = strata.group_by(keys).aggregate(sums).sort_by([(key, "ascending") for key in keys])
    names = (*keys, *(f"{name}_{how}" for name, how in sums))
    columns = (summed.column(name).to_pylist() for name in names)
    return tuple(Stratum(*row) for row in zip(*columns, strict=True))


def share_out(
    quantity: int, weights: Sequence[int], lows: Sequence[int], highs: Sequence[int]
) -> list[int]:
    """Amounts that add up to `quantity`, as near in proportion to `weights` as bounds allow.

    Args:
        quantity: Between the sum of the lows and the sum of the highs.
        weights: Above 0.
        lows: The least of each.
        highs: The most of each, at least the least.

    Returns:
        Integers; the first ones get odd units.
    """
    for bound in (lows, highs):
        if sum(bound) == quantity:
            return list(bound)

    def amounts(level: int) -> list[int]:
        return [
            min(max(weight * level >> _FINE, low), high)
            for weight, low, high in zip(weights, lows, highs, strict=True)
        ]

    below, above = 0, (max(highs, default=0) + 1) << _FINE
    while below < above:  # the highest level that needs no more than there is
        middle = (below + above + 1) // 2
        below, above = (middle, above) if sum(amounts(middle)) <= quantity else (below, middle - 1)
    shared = amounts(below)
    lifted = amounts(below + 1)
    odd = [i for i, size in enumerate(shared) if size < lifted[i]]
    for place in odd[: quantity - sum(shared)]:
        shared[place] += 1
    return shared


def language_weights(strata: Sequence[Stratum], config: RebalanceConfig) -> dict[Key, int]:
    """By how much the languages of each cell are shared out, by the `allocation`.

    A language that is in several cells has its size in all of them raised to the power,
    and what that gives is split among them in proportion to their text.
    """
    unique: dict[Key, int] = defaultdict(int)
    whole: dict[str, int] = defaultdict(int)
    for stratum in strata:
        unique[stratum.cell, stratum.lang] += stratum.unique
        whole[stratum.lang] += stratum.unique
    if config.power == 1:
        return dict(unique)
    ease = max(whole.values(), default=1) ** (1 - config.power)
    return {
        key: _short(ease * size * float(whole[key[1]]) ** (config.power - 1))
        for key, size in unique.items()
    }


def _short(value: float) -> int:
    bits = max(0, int(value).bit_length() - _MANTISSA)
    return max(1, (int(value) >> bits) << bits)


def stratum_quotas(
    strata: Sequence[Stratum],
    quotas: Mapping[int, int],
    weights: Mapping[Key, int],
    appearances: Mapping[int, int],
    *,
    whole_first: bool = True,
) -> tuple[int, ...]:
    """The size to publish of each stratum.

    Args:
        strata: Of the whole run, in the order of their keys.
        quotas: Size to publish, by cell.
        weights: Of cells and languages.
        appearances: Most appearances of a document, by cell.
        whole_first: Whether all text of a cell comes once before any comes twice.
    """
    members: dict[Key, list[int]] = defaultdict(list)
    for place, stratum in enumerate(strata):
        members[stratum.cell, stratum.lang].append(place)
    found = [0] * len(strata)
    by_cell: dict[int, list[Key]] = defaultdict(list)
    for key in members:
        by_cell[key[0]].append(key)
    for cell, quota in quotas.items():
        keys = by_cell[cell]
        unique = [sum(strata[place].unique for place in members[key]) for key in keys]
        once, most = sum(unique), [size * appearances[cell] for size in unique]
        if whole_first:
            lows, highs = (unique, most) if quota >= once else ([0] * len(keys), unique)
        else:
            lows, highs = [0] * len(keys), most
        shared = share_out(quota, [weights[key] for key in keys], lows, highs)
        for key, size in zip(keys, shared, strict=True):
            some = [strata[place] for place in members[key]]
            for place, part in zip(
                members[key], _by_band(some, size, appearances[cell]), strict=True
            ):
                found[place] = part
    return tuple(found)


def _by_band(strata: Sequence[Stratum], quota: int, appearances: int) -> list[int]:
    """A language's quota among its bands: those of a lower order first."""
    weights = [stratum.unique * weight_of(stratum.band) for stratum in strata]
    unique = [stratum.unique for stratum in strata]
    if quota >= sum(unique):
        return share_out(quota, weights, unique, [size * appearances for size in unique])
    found = [0] * len(strata)
    for order in sorted({order_of(stratum.band) for stratum in strata}):
        here = [i for i, stratum in enumerate(strata) if order_of(stratum.band) == order]
        size = min(quota, sum(unique[i] for i in here))
        highs = [unique[i] for i in here]
        shared = share_out(size, [weights[i] for i in here], [0] * len(here), highs)
        for i, part in zip(here, shared, strict=True):
            found[i] = part
        quota -= size
    return found
