"""What a run promises, as its manifest states it: the yardstick of every check."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.rebalance.attributes import FLAGS, check_attribute, has_field
from transforms.rebalance.config import MILLION
from transforms.staging.survey.decisions import Decisions

__all__ = ["EXPECTED", "Assess", "CountTokens", "Judge", "Promise", "check_attribute", "counted_as"]
__all__ += ["masses", "members", "tail_reasons"]

Assess = Callable[[pa.RecordBatch], pa.RecordBatch]
"""Recomputes the columns of `records.ORIGIN` from a document's own fields."""

Judge = Callable[[pa.Table, Decisions], pa.Table]
"""Recomputes published columns that follow from others and from what was decided."""

CountTokens = Callable[[pa.Array], pa.Array]
"""Recomputes `n_tokens` (int32) from texts."""

Flags = npt.NDArray[np.bool_]

Masses = npt.NDArray[np.int64]

EXPECTED = "synthetic_expected"
"""What a cap on `synthetic` counts: text that is, and of text that likely is its part."""

_ORIGINS = {"original": "anchor", "synthetic": "synthetic"}


def members(table: pa.Table, attribute: str) -> Flags:
    """Bool per published row: has the attribute, wholly."""
    if attribute not in FLAGS:
        return has_field(table, attribute)
    if attribute == "tail":
        return np.asarray(table.column("tail").to_numpy(), dtype=bool)
    found = pc.equal(table.column("origin"), _ORIGINS[attribute])
    return np.asarray(found.to_numpy(), dtype=bool)


def counted_as(kind: str, attribute: str) -> str:
    """The name under which shards state what a floor or cap (`floors`, `caps`) counts."""
    return EXPECTED if kind == "caps" and attribute == "synthetic" else attribute


def masses(table: pa.Table, name: str) -> Masses:
    """What a size unit of each published row counts, in millionths.

    Args:
        table: Published rows.
        name: An attribute, or `EXPECTED`.
    """
    if name != EXPECTED:
        return members(table, name) * np.int64(MILLION)
    likely = pc.equal(table.column("synthetic_tag"), "likely_synthetic").fill_null(False)
    chance = pc.round(pc.multiply(table.column("p_synthetic").fill_null(0), float(MILLION)))
    part = pc.if_else(likely, chance, 0).cast(pa.int64()).to_numpy()
    return np.where(members(table, "synthetic"), np.int64(MILLION), part)


def tail_reasons(decisions: Decisions) -> dict[str, str]:
    """The frozen list of tail languages, and why each is one: by the decision `tail`."""
    if "tail" not in decisions:
        return {}
    columns = (decisions["tail"].column(n).to_pylist() for n in ("lang", "reason", "tail"))
    return {lang: reason for lang, reason, tail in zip(*columns, strict=True) if tail}


@dataclasses.dataclass(frozen=True)
class Promise:
    """Floors, caps and what they are measured in.

    Attributes:
        floors: Least share by attribute, of every shard.
        caps: Greatest share by attribute, of every shard.
        concentration: Greatest share of one source or host in an attribute's text, in
            the whole run, by names such as `tail/source`.
        unit: `chars`, `bytes`, `docs` or `tokens`.
        is_tail: Whether a language is frozen as tail.
        repeat_cap: Most appearances of a protected document.
        threshold: Least similarity of a removed near-duplicate to its witness.
        judge: Recomputes columns by the decisions; None recomputes none.
        decisions: Of the run.
        count_tokens: Recomputes `n_tokens`; None takes the column as it is given.
    """

    floors: Mapping[str, float]
    caps: Mapping[str, float]
    unit: str
    is_tail: Callable[[str], bool]
    repeat_cap: int
    threshold: float
    judge: Judge | None = None
    decisions: Decisions = dataclasses.field(default_factory=dict)
    concentration: Mapping[str, float] = dataclasses.field(default_factory=dict)
    count_tokens: CountTokens | None = None

    def decided(self, decisions: Decisions) -> Self:
        """The same promise once the run has decided."""
        is_tail = frozenset(tail_reasons(decisions)).__contains__
        return dataclasses.replace(self, decisions=decisions, is_tail=is_tail)

    @property
    def named(self) -> list[str]:
        """The attributes that floors and caps speak of, in order."""
        return sorted({*self.floors, *self.caps})

    def sizes(self, table: pa.Table) -> npt.NDArray[np.int64]:
        """Size of each row in the unit; 0 where the row does not tell."""
        if self.unit == "docs":
            return np.ones(len(table), dtype=np.int64)
        given = table.column(f"n_{self.unit}").cast(pa.int64()).fill_null(0)
        return given.to_numpy()  # type: ignore[no-any-return]

    @staticmethod
    def exact(share: float) -> Fraction:
        """The share as it was written, so that 0.3 means three tenths."""
        return Fraction(repr(share))
