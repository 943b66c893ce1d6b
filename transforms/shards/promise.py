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

from transforms.staging.survey import Decisions

__all__ = ["ATTRIBUTES", "Assess", "CountTokens", "Judge", "Promise", "members", "tail_reasons"]

Assess = Callable[[pa.RecordBatch], pa.RecordBatch]
"""Recomputes the columns of `records.ORIGIN` from a document's own fields."""

Judge = Callable[[pa.Table, Decisions], pa.Table]
"""Recomputes published columns that follow from others and from what was decided."""

CountTokens = Callable[[pa.Array], pa.Array]
"""Recomputes `n_tokens` (int32) from texts."""

Flags = npt.NDArray[np.bool_]

ATTRIBUTES: Mapping[str, Callable[[pa.Table], pa.Array]] = {
    "original": lambda table: pc.equal(table.column("origin"), "anchor"),
    "tail": lambda table: table.column("tail"),
    "synthetic": lambda table: pc.equal(table.column("origin"), "synthetic"),
}
"""Which published rows a floor or cap of this name speaks of."""


def members(table: pa.Table, attribute: str) -> Flags:
    """Bool per row: counts towards the attribute."""
    return np.asarray(ATTRIBUTES[attribute](table).to_numpy(), dtype=bool)


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
    count_tokens: CountTokens | None = None

    def decided(self, decisions: Decisions) -> Self:
        """The same promise once the run has decided."""
        is_tail = frozenset(tail_reasons(decisions)).__contains__
        return dataclasses.replace(self, decisions=decisions, is_tail=is_tail)

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
