"""What rebalancing can be told: floors, caps, sizes, repeats."""

from __future__ import annotations

import difflib
from fractions import Fraction
from typing import Self

import pydantic

from transforms.records import Unit
from transforms.settings import Settings

__all__ = ["ATTRIBUTES", "MILLION", "RebalanceConfig", "millionths"]

ATTRIBUTES = ("original", "synthetic", "tail")
"""Boolean columns of a row that a floor or a cap may name."""

MILLION = 1_000_000
"""Shares are exact multiples of one millionth, so that no decision needs a float."""

LARGEST_PART = 8
"""A document larger than the shard size divided by this fits no shard."""


def millionths(share: float) -> int:
    """The share, read as its decimal notation, in millionths.

    Raises:
        ValueError: If the share has more than six decimals.
    """
    exact = Fraction(str(share)) * MILLION
    if exact.denominator != 1:
        raise ValueError(
            f"share {share!r} has more than six decimals; write {round(float(share), 6)!r}"
        )
    return exact.numerator


class RebalanceConfig(Settings):
    """Floors and caps of every shard, and what the output may be made of.

    Attributes:
        floors: Least share of a shard's size per attribute, 0 to 1, at most six
            decimals. A floor of 0 asks for nothing and is ignored.
        caps: Greatest share of a shard's size per attribute, 0 to 1. A cap of 1
            forbids nothing and is ignored.
        target: Size of the output in `unit`; null for as much unique text as the
            floors allow.
        repeat_cap: Most appearances, in all, of a document that serves a floor;
            others appear once.
        shard_size: Size that a shard should have, in `unit`.
        unit: What sizes and shares are measured in.
        rotation: Seed of every draw.
    """

    floors: dict[str, float] = pydantic.Field(default_factory=dict)
    caps: dict[str, float] = pydantic.Field(default_factory=dict)
    target: int | None = pydantic.Field(None, ge=1, le=10**15)
    repeat_cap: int = pydantic.Field(4, ge=1, le=100)
    shard_size: int = pydantic.Field(64_000_000, ge=LARGEST_PART, le=10**12)
    unit: Unit = "chars"
    rotation: int = pydantic.Field(0, ge=0, lt=2**63)

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> Self:
        for kind, shares in (("floor", self.floors), ("cap", self.caps)):
            for name, share in shares.items():
                _check_share(kind, name, share)
        for name in sorted(self.floors.keys() & self.caps.keys()):
            if self.floors[name] > self.caps[name]:
                raise ValueError(
                    f"floor {name}={self.floors[name]} is above cap {name}={self.caps[name]}, "
                    "so no shard can meet both; lower the floor or raise the cap"
                )
        return self

    @property
    def largest_document(self) -> int:
        """Size above which a document is dropped as `too_large` before planning."""
        return self.shard_size // LARGEST_PART


def _check_share(kind: str, name: str, share: float) -> None:
    if name not in ATTRIBUTES:
        near = difflib.get_close_matches(name, ATTRIBUTES, n=1, cutoff=0)[0]
        raise ValueError(
            f"{kind} {name}={share}: there is no attribute {name!r}; did you mean {near!r}? "
            f"(known: {', '.join(ATTRIBUTES)})"
        )
    if not 0 <= share <= 1:
        hint = f"; did you mean {share / 100:g}?" if 1 < share <= 100 else ""
        raise ValueError(
            f"{kind} {name}={share} is not a share of a shard, which lies between 0 and 1{hint}"
        )
    try:
        millionths(share)
    except ValueError as error:
        raise ValueError(f"{kind} {name}={share}: {error}") from error
