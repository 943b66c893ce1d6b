"""From staged scores to what a run says of a text: probability, tag, weight."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.synthetic.cells import ELSEWHERE, Calibration, Cell
from transforms.synthetic.posterior import UNIT
from transforms.synthetic.sample import BUCKETS, cells_of
from transforms.synthetic.tag import WHOLE

__all__ = ["JUDGED", "Judgement", "judge", "tags", "weights"]

JUDGED = ("lang", "n_chars", "source", "synthetic_score", "synthetic_letters")
"""Columns that a judgement rests on."""

_LENGTHS = len(BUCKETS) + 1
_KEYS = 64
"""More than there are buckets of a language."""


@dataclasses.dataclass(frozen=True)
class Judgement:
    """What the score says of each text. Shape (n,) each.

    Attributes:
        p: Probability in ten-thousandths; -1 where nobody knows.
        covered: Whether controls speak for texts like this one.
        above: Whether the score is above their threshold; false where not covered.
    """

    p: npt.NDArray[np.int16]
    covered: npt.NDArray[np.bool_]
    above: npt.NDArray[np.bool_]


def judge(rows: pa.Table | pa.RecordBatch, calibration: Calibration) -> Judgement:
    """Applies a calibration.

    Args:
        rows: Columns `JUDGED`.
        calibration: Of the run.
    """
    n = rows.num_rows
    p = np.full(n, -1, dtype=np.int16)
    covered, above = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    score = rows.column("synthetic_score")
    known = np.flatnonzero(score.is_valid().to_numpy(zero_copy_only=False))
    cells = _cells(calibration)
    if not len(known) or not cells:
        return Judgement(p, covered, above)
    rows = rows.select(JUDGED).take(pa.array(known))
    values = rows.column("synthetic_score").to_numpy(zero_copy_only=False).astype(np.int16)
    source = rows.column("source").fill_null("")
    said = Judgement(p, covered, above)
    # Who has controls of their own is judged by them, everybody else by their register.
    for elsewhere in (False, True):
        for cell, those in _by_cell(rows, cells, elsewhere=elsewhere):
            which = those[~covered[known[those]]]
            if cell.covers is not None:
                named = pc.is_in(source, value_set=pa.array(cell.covers, pa.string()))
                which = which[named.to_numpy(zero_copy_only=False)[which]]
            _say(said, cell, known[which], values[which])
    return said


def _say(said: Judgement, cell: Cell, at: npt.NDArray[np.int64], values: Any) -> None:
    """Writes down what a cell says of some texts."""
    said.covered[at] = True
    said.above[at] = values > cell.threshold
    if cell.curve is not None:
        said.p[at] = cell.curve(values)


def _cells(calibration: Calibration) -> Mapping[tuple[str, int], Cell]:
    """The cells in which anything is said."""
    able = (cell for cell in calibration.cells if cell.threshold is not None)
    return {(cell.lang, cell.bucket): cell for cell in able if cell.covers != ()}


def _by_cell(
    rows: pa.Table | pa.RecordBatch, cells: Mapping[tuple[str, int], Cell], *, elsewhere: bool
) -> list[tuple[Cell, npt.NDArray[np.int64]]]:
    """The rows of each cell that has any: by length and register, or by register."""
    column = rows.column("lang")
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    coded: Any = column.dictionary_encode()
    langs = coded.dictionary.to_pylist()
    bucket = cells_of(rows.column("n_chars"), rows.column("synthetic_letters")).astype(np.int64)
    bucket = ELSEWHERE + bucket if elsewhere else bucket % _LENGTHS
    keys = coded.indices.to_numpy().astype(np.int64) * _KEYS + bucket
    found = []
    for key in np.unique(keys).tolist():
        cell = cells.get((langs[key // _KEYS], key % _KEYS))
        if cell is not None:
            found.append((cell, np.flatnonzero(keys == key)))
    return found


def tags(given: pa.Array, tiered: npt.NDArray[np.bool_], judgement: Judgement) -> pa.Array:
    """The tag of each text.

    Args:
        given: Tags by evidence: `synthetic`, or anything else for none.
        tiered: Whether evidence of human origin outranks the score.
        judgement: What the score says.

    Returns:
        `synthetic`, `likely_synthetic`, `unverified` or `uncalibrated`.
    """
    likely = pa.array(judgement.above & ~tiered)
    measured = pc.if_else(likely, "likely_synthetic", "unverified")
    said = pc.if_else(pa.array(judgement.covered), measured, "uncalibrated")
    return pc.if_else(pc.equal(given, "synthetic"), "synthetic", said)


@functools.lru_cache(maxsize=4)
def _table(gamma: float) -> npt.NDArray[np.int32]:
    """The weight by probability; the last entry is for p = -1."""
    made = [round(WHOLE * (1 - p / UNIT) ** gamma) for p in range(UNIT + 1)]
    return np.array([*made, WHOLE], dtype=np.int32)


def weights(p: npt.NDArray[np.int16], gamma: float) -> npt.NDArray[np.int32]:
    """Selection weights (1 - p)^gamma in millionths; text without a probability weighs all.

    Args:
        p: Ten-thousandths; -1 where unknown.
        gamma: At least 0.
    """
    return _table(gamma)[p]
