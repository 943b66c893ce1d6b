"""What rebalancing can be told: floors, caps, sizes, repeats, allocation."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Literal, NamedTuple, Self

import pydantic

from transforms.rebalance.attributes import FLAGS, check_attribute
from transforms.records import Unit
from transforms.settings import Settings

__all__ = ["MILLION", "Concentration", "RebalanceConfig", "millionths"]

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


class Concentration(NamedTuple):
    """The most that one value of a field may hold of an attribute's text.

    Attributes:
        within: The attribute: `original`, `synthetic` or `tail`.
        field: `source` or `host`.
        share: In millionths.
    """

    within: str
    field: str
    share: int


class RebalanceConfig(Settings):
    """Floors and caps of every shard, and what the output may be made of.

    Attributes:
        floors: Least share of a shard's size per attribute (`original`, `tail`,
            `synthetic`, `lang:LABEL`, `source:NAME`, `host:NAME`), 0 to 1, at most six
            decimals. A floor of 0 asks for nothing and is ignored.
        caps: Greatest share of a shard's size per attribute, 0 to 1. A cap of 1
            forbids nothing and is ignored. What is `likely_synthetic` counts towards a
            cap of `synthetic` by its probability, rounded up to the next third.
        concentration: Greatest share that any one source or host may have of an
            attribute's text, such as `{"tail/source": 0.5}`.
        target: Size of the output in `unit`; null for as much unique text as the
            floors allow.
        repeat_cap: Most appearances, in all, of a document that serves a floor;
            others appear once.
        allocation: Which languages' text is cut or repeated first: `proportional` to what
            there is, by `temperature`, or `unimax`: as much of each as of any other, up
            to what its text and the repeat cap allow (Chung et al., UniMax, ICLR 2023).
        temperature: A language's share goes with its size to this power; for
            `temperature` only.
        objective: What comes first after floors, caps and target: the most `unique` text,
            or the `allocation`.
        rehydrate: A document with c copies counts as 1 + floor(log2 c) documents, at most
            8, where it is shared out which are cut or repeated (as FineWeb2 does by the
            size of clusters, Penedo et al. 2025).
        shard_size: Size that a shard should have, in `unit`.
        unit: What sizes and shares are measured in.
        rotation: Seed of every draw.
    """

    floors: dict[str, float] = pydantic.Field(default_factory=dict)
    caps: dict[str, float] = pydantic.Field(default_factory=dict)
    concentration: dict[str, float] = pydantic.Field(default_factory=dict)
    target: int | None = pydantic.Field(None, ge=1, le=10**15)
    repeat_cap: int = pydantic.Field(4, ge=1, le=100)
    allocation: Literal["proportional", "temperature", "unimax"] = "proportional"
    temperature: float = pydantic.Field(0.3, ge=0, le=1)
    objective: Literal["unique", "allocation"] = "unique"
    rehydrate: bool = False
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
        list(self.concentrations)
        return self

    @property
    def largest_document(self) -> int:
        """Size above which a document is dropped as `too_large` before planning."""
        return self.shard_size // LARGEST_PART

    @property
    def power(self) -> float:
        """A language's share of what is allocated goes with its size to this power."""
        return {"proportional": 1.0, "temperature": self.temperature, "unimax": 0.0}[
            self.allocation
        ]

    @property
    def concentrations(self) -> Iterator[Concentration]:
        """The entries of `concentration` that forbid anything, in the order of their names."""
        for name, share in sorted(self.concentration.items()):
            within, slash, field = name.partition("/")
            if not slash or within not in FLAGS or field not in ("source", "host"):
                raise ValueError(
                    f"concentration {name!r} is not ATTRIBUTE/FIELD, such as tail/source "
                    f"(attributes: {', '.join(FLAGS)}; fields: source, host)"
                )
            _check_range("concentration", name, share)
            if 0 < share < 1:
                yield Concentration(within, field, millionths(share))
            elif share == 0:
                raise ValueError(f"concentration {name}=0 leaves no text of {within}; raise it")


def _check_share(kind: str, name: str, share: float) -> None:
    try:
        check_attribute(name)
    except ValueError as error:
        raise ValueError(f"{kind} {name}={share}: {error}") from error
    _check_range(kind, name, share)


def _check_range(kind: str, name: str, share: float) -> None:
    if not 0 <= share <= 1:
        hint = f"; did you mean {share / 100:g}?" if 1 < share <= 100 else ""
        raise ValueError(
            f"{kind} {name}={share} is not a share of a shard, which lies between 0 and 1{hint}"
        )
    try:
        millionths(share)
    except ValueError as error:
        raise ValueError(f"{kind} {name}={share}: {error}") from error
