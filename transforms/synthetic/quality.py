"""How good scores are: ranks, shares found at a false-positive rate, calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["auroc", "expected_calibration_error", "share_above", "threshold_at", "tpr_at"]

Scores = npt.NDArray[Any]


def auroc(human: Scores, machine: Scores) -> float:
    """The chance that a machine text scores above a human one; ties count half.

    The Mann-Whitney statistic over the number of pairs. NaN without either.
    """
    if not len(human) or not len(machine):
        return float("nan")
    ordered = np.sort(human)
    below = np.searchsorted(ordered, machine, side="left")
    ties = np.searchsorted(ordered, machine, side="right") - below
    return float((below + ties / 2).sum() / (len(human) * len(machine)))


def threshold_at(human: Scores, rate: float) -> float:
    """The least human score that at most a share `rate` of the human scores exceed."""
    ordered = np.sort(human)[::-1]
    return float(ordered[int(rate * len(ordered))])


def share_above(scores: Scores, threshold: float) -> float:
    """The share of scores above a threshold; NaN of none."""
    return float((scores > threshold).mean()) if len(scores) else float("nan")


def tpr_at(human: Scores, machine: Scores, rate: float) -> float:
    """The share of machine texts above the threshold that `rate` of the human ones exceed."""
    if not len(human) or not len(machine):
        return float("nan")
    return share_above(machine, threshold_at(human, rate))


def expected_calibration_error(
    chances: Scores,
    machine: npt.NDArray[np.bool_],
    *,
    prior: float | None = None,
    bins: int = 10,
) -> float:
    """Mean distance between stated and realised chance, over equal bins (Naeini et al. 2015).

    Args:
        chances: Stated probabilities of machine text, 0 to 1.
        machine: What each text is.
        prior: Share of machine text that the chances are stated for: texts are weighed so
            that there is as much of it. None for the share that there is.
        bins: Intervals of equal width.
    """
    if not len(chances):
        return float("nan")
    place = np.minimum((np.asarray(chances) * bins).astype(np.int64), bins - 1)
    weight = np.ones(len(machine)) / len(machine)
    if prior is not None:
        if machine.all() or not machine.any():
            return float("nan")
        made = machine.sum()
        weight = np.where(machine, prior / made, (1 - prior) / (len(machine) - made))
    off = weight * (np.asarray(chances) - machine)
    return float(np.abs(np.bincount(place, weights=off, minlength=bins)).sum())
