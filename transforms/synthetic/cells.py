"""What a calibration is: cells of language and length, or register, with thresholds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa
import xxhash
from orjson import OPT_SORT_KEYS, dumps

from transforms.synthetic.posterior import Curve
from transforms.synthetic.sample import BUCKETS, REGISTERS

__all__ = ["CELL", "ELSEWHERE", "Calibration", "Cell", "named_bucket"]

ELSEWHERE: Final = REGISTERS * (len(BUCKETS) + 1)
"""From here on buckets are those of `sample.cells_of`, with register: what holds for texts
that no cell of a length covers."""


_NAMES: Final = ("plain", "formal")


def named_bucket(bucket: int) -> tuple[int, str | None]:
    """The length of a cell, and its register if it is for sources without controls."""
    register, length = divmod(bucket % ELSEWHERE, len(BUCKETS) + 1)
    return length, _NAMES[register] if bucket >= ELSEWHERE else None


@dataclasses.dataclass(frozen=True)
class Cell:
    """What scores mean for texts of one language and length.

    Attributes:
        lang, bucket: Which texts: their length, or `ELSEWHERE` and length and register.
        controls: Human controls, by source; those of sources with too few included.
        threshold: Texts above it are unlike human ones; null where nobody can say.
        covers: Sources that the threshold speaks for; null for all.
        left_out: Highest false-positive rate of a source under the threshold of the
            others, in ten-thousandths; null with fewer than two sources.
        curve: Probability by score; null without machine-made texts to compare with.
    """

    lang: str
    bucket: int
    controls: Mapping[str, int]
    threshold: int | None
    covers: tuple[str, ...] | None
    left_out: int | None
    curve: Curve | None

    def row(self) -> dict[str, Any]:
        """As a row of `CELL`, without the columns that all cells share."""
        curve = self.curve or Curve((), ())
        return {
            "lang": self.lang,
            "bucket": self.bucket,
            "controls": [{"source": n, "texts": c} for n, c in self.controls.items()],
            "threshold": self.threshold,
            "covers": None if self.covers is None else list(self.covers),
            "left_out": self.left_out,
            "at": list(curve.at),
            "p": list(curve.p),
        }

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Cell:
        """Reads a row of `CELL`."""
        covers = row["covers"]
        return cls(
            lang=str(row["lang"]),
            bucket=int(row["bucket"]),
            controls={str(given["source"]): int(given["texts"]) for given in row["controls"]},
            threshold=None if row["threshold"] is None else int(row["threshold"]),
            covers=None if covers is None else tuple(map(str, covers)),
            left_out=row["left_out"],
            curve=Curve.of(row["at"], row["p"]) if row["p"] else None,
        )


CELL = pa.schema(
    [
        ("lang", pa.string()),
        ("bucket", pa.int8()),
        ("controls", pa.list_(pa.struct([("source", pa.string()), ("texts", pa.int64())]))),
        ("threshold", pa.int32()),
        ("covers", pa.list_(pa.string())),
        ("left_out", pa.int32()),
        ("at", pa.list_(pa.int32())),
        ("p", pa.list_(pa.int32())),
        ("prior", pa.int32()),
        ("max_fpr", pa.int32()),
        ("digest", pa.string()),
    ]
)
"""A cell, the prior and rate that it was made with in ten-thousandths, and the digest of
the whole calibration."""


@dataclasses.dataclass(frozen=True)
class Calibration:
    """All cells of a run, and at what prior and rate they were made.

    Attributes:
        prior: Share of machine-made text, in ten-thousandths.
        max_fpr: Promised false-positive rate, in ten-thousandths.
        cells: By language and bucket, in that order.
    """

    prior: int
    max_fpr: int
    cells: tuple[Cell, ...]

    def _rows(self) -> list[dict[str, Any]]:
        shared = {"prior": self.prior, "max_fpr": self.max_fpr}
        return [cell.row() | shared for cell in self.cells]

    @property
    def digest(self) -> str:
        """XXH3-128 of the cells."""
        return xxhash.xxh3_128_hexdigest(dumps(self._rows(), option=OPT_SORT_KEYS))

    def table(self) -> pa.Table:
        """Rows of `CELL`."""
        rows = [row | {"digest": self.digest} for row in self._rows()]
        return pa.Table.from_pylist(rows, schema=CELL)

    @classmethod
    def of(cls, table: pa.Table) -> Calibration:
        """Reads what `table` made, also from JSON and back.

        Raises:
            ValueError: Its digest is not that of its content, or a value is none.
        """
        rows = table.to_pylist()
        shared = {(row["prior"], row["max_fpr"], row["digest"]) for row in rows}
        if not rows:
            return cls(0, 0, ())
        if len(shared) > 1:
            raise ValueError("the cells of the calibration are of several")
        (prior, max_fpr, digest) = shared.pop()
        made = cls(int(prior), int(max_fpr), tuple(Cell.of(row) for row in rows))
        if made.digest != digest:
            raise ValueError(f"the calibration has digest {made.digest}, and says {digest}")
        return made
