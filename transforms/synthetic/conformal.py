"""Thresholds from human controls, with a guarantee that holds for any classifier.

Let n controls and a new human text be exchangeable, and let the threshold be the
control score with m controls above it. The false-positive rate of the threshold is
then, over the draw of the controls, at most a Beta(m + 1, n - m) variable (Vovk,
Conditional validity of inductive conformal predictors, 2012, proposition 2a; Wilks,
Determination of sample sizes for setting tolerance limits, 1941). It is at most
`max_fpr` with probability 1 - P(Binomial(n, max_fpr) <= m).

The weaker guarantee of split conformal prediction, a mean rate of at most `max_fpr`,
would let the realised rate be above it nearly half of the time.
"""

from __future__ import annotations

import decimal
import functools

import numpy as np
import numpy.typing as npt

__all__ = ["MIN_CONTROLS", "exceedances", "threshold"]

MIN_CONTROLS = 300
"""With fewer controls of one kind nothing is said of that kind."""

_DIGITS = decimal.Context(prec=50)


@functools.lru_cache(maxsize=4096)
def exceedances(n: int, max_fpr: str, miss: str) -> int | None:
    """The most controls that may lie above a threshold.

    The largest m with P(Binomial(n, max_fpr) <= m) <= miss, in decimal arithmetic, so
    that every machine finds the same.

    Args:
        n: Number of controls.
        max_fpr: Greatest false-positive rate, in decimal notation.
        miss: Greatest chance that the rate is exceeded, likewise.

    Returns:
        None where not even the highest control is high enough.
    """
    with decimal.localcontext(_DIGITS):
        rate, allowed = decimal.Decimal(max_fpr), decimal.Decimal(miss)
        odds = rate / (1 - rate)
        mass = (1 - rate) ** n
        total, m = mass, 0
        while total <= allowed and m < n:
            mass *= odds * (n - m) / (m + 1)
            m += 1
            total += mass
        return m - 1 if m else None


def threshold(scores: npt.NDArray[np.int16], max_fpr: float, miss: str) -> int | None:
    """The score above which a text is unlike the controls.

    Args:
        scores: Of controls from one source, in any order. Shape (n,).
        max_fpr: Greatest share of human texts of that source above the threshold.
        miss: Greatest chance, over the draw of the controls, that it is exceeded.

    Returns:
        None for fewer than `MIN_CONTROLS` scores, or too few for the guarantee.
    """
    if len(scores) < MIN_CONTROLS:
        return None
    above = exceedances(len(scores), repr(max_fpr), miss)
    return None if above is None else int(np.sort(scores)[len(scores) - 1 - above])
