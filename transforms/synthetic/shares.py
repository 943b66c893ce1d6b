"""How much of a corpus is machine-made, with an interval: no text is judged.

A stratum's texts are a mixture: (1 - p) h + p m, with h the human texts' distribution of a
measure (the classifier's score, or how far the words speak for a machine) over its bins and
m that of the machine-made ones (Liang et al., Monitoring AI-modified content at scale,
2024, section 3, who maximise the likelihood of such a mixture). Nobody knows m: the next
generator is none of those that were looked at, and an estimate that trusts their mean is
too low wherever the next one looks less like a machine.

So m is a draw, too: its mean and its covariance are those of the kinds of machine-made
text in the reference (a random effect, DerSimonian and Laird, Meta-analysis in clinical
trials, 1986). With V(p) the covariance of what is seen under the share p,

    V(p) = multinomial / n + (1 - p)^2 cov(h) + p^2 cov(m),

each p is tested by generalised least squares: z(p) = d' V^-1 (y - (1 - p) h - p m) /
sqrt(d' V^-1 d), d = m - h. The estimate is where z is 0, the interval all p that the test
does not reject. At small shares bins that human texts hardly reach count most; at large
ones those on which all machines agree, such as that their texts are never the most human.

Bins are cut at the human texts' quantiles of each length, so that human text of every
length is distributed alike and lengths can be added up.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["Compared", "Estimate", "Group", "coarse", "mixed_share"]

_CUTS = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98])
"""Human quantiles at which bins are cut."""
_BINS = len(_CUTS) + 1
_STEPS = 200
"""Shares that are tested, besides 0; what lies between is interpolated."""
_STUDENT = 2.57
"""97.5th percentile of Student's t with five degrees of freedom: the kinds of machine-made
text that are known come from about six families, not from as many as there are kinds."""
_WIDER = 2.0
"""How much larger the covariance of the next kind is taken to be than that of those known,
which were gathered in the same years by people with similar questions."""
_SHRUNK = 0.3
"""Part of a covariance of groups that is taken from its diagonal: a few groups leave
directions in which they seem not to differ at all (Ledoit and Wolf 2004)."""
_FEW_KINDS = 3
"""With fewer kinds their covariance says nothing."""
_ALONE = 0.3
"""Relative standard deviation of m - h that is assumed then."""
_LEAST_KIND = 50
"""Fewest texts of a kind whose distribution counts."""
_PSEUDO = 0.5
"""Texts that are added to every bin of a reference (Jeffreys)."""

Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Group = Longs
"""Texts of one set by bin. Shape (lengths, bins)."""


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A share and its interval, in ten-thousandths."""

    share: int
    low: int
    high: int


def coarse(human: Group) -> Longs:
    """Which bin each fine bin falls into, by the human texts of its length.

    Args:
        human: Fine bins. Shape (lengths, fine).

    Returns:
        Shape (lengths, fine).
    """
    middle = np.cumsum(human, axis=1) - human / 2
    quantiles = middle / np.maximum(1, human.sum(axis=1, keepdims=True))
    return np.asarray(np.searchsorted(_CUTS, quantiles, side="right"), dtype=np.int64)


def _folded(group: Group, into: Longs) -> Longs:
    """A histogram in coarse bins."""
    made = np.zeros((len(group), _BINS), dtype=np.int64)
    np.add.at(made, (np.arange(len(group))[:, None], into), group)
    return made


def _density(counts: Longs) -> Floats:
    """The distribution within each row."""
    smooth = counts + _PSEUDO
    return np.asarray(smooth / smooth.sum(axis=-1, keepdims=True))


def _multinomial(density: Floats) -> Floats:
    """The covariance of one draw, for each row. Shape (..., bins, bins)."""
    diagonal = density[..., :, None] * np.eye(density.shape[-1])
    return np.asarray(diagonal - density[..., :, None] * density[..., None, :])


def _next(deviations: Floats) -> Floats:
    """The covariance of one more group with what the mean of those known says of it."""
    n = len(deviations)
    found = deviations.T @ deviations / (n - 1) * (1 + 1 / n)
    return np.asarray((1 - _SHRUNK) * found + _SHRUNK * np.diag(np.diag(found)))


@dataclasses.dataclass(frozen=True)
class Compared:
    """Human and machine-made texts that strata are compared with.

    Attributes:
        able: Lengths with enough of both. Shape (lengths,).
        into: The coarse bin of each fine one. Shape (lengths, fine).
        human: Their density. Shape (lengths, bins).
        texts: How many there are. Shape (lengths,).
        apart: How far sets of human text lie apart. Shape (bins, bins).
        machine: The mean of the kinds' densities. Shape (bins,).
        spread: The covariance of the next kind. Shape (bins, bins).
    """

    able: npt.NDArray[np.bool_]
    into: Longs
    human: Floats
    texts: Longs
    apart: Floats
    machine: Floats
    spread: Floats

    @classmethod
    def of(
        cls, human: Sequence[Group], machine: Sequence[Group], able: npt.NDArray[np.bool_]
    ) -> Compared:
        """Prepares the references.

        Args:
            human: One histogram a set, fine bins. Shape (lengths, fine) each.
            machine: One a kind, likewise.
            able: Lengths to be used. Shape (lengths,).
        """
        total = np.sum(human, axis=0)
        into = coarse(total)
        sets = [_folded(group, into) * able[:, None] for group in human]
        density = _density(_folded(total, into))
        kinds = [_folded(group, into)[able].sum(axis=0) for group in machine]
        mean, spread = _kinds(kinds, density[able].mean(axis=0))
        texts = np.asarray(total.sum(axis=1))
        return cls(able, into, density, texts, _apart(sets, density), mean, spread)


def _apart(sets: Sequence[Longs], density: Floats) -> Floats:
    """How far the sets of human text lie from what all of them say; nothing for a single one."""
    large = [held for held in sets if held.sum() >= _LEAST_KIND]
    if len(large) < 2:
        return np.zeros((_BINS, _BINS))
    expected = [held.sum(axis=1) @ density / held.sum() for held in large]
    found = [_density(held.sum(axis=0)) for held in large]
    return _next(np.stack(found) - np.stack(expected))


def _kinds(kinds: Sequence[Longs], human: Floats) -> tuple[Floats, Floats]:
    """The mean density of the kinds, and the covariance of the next one."""
    large = [held for held in kinds if held.sum() >= _LEAST_KIND] or [np.sum(kinds, axis=0)]
    densities = np.stack([_density(held) for held in large])
    mean = densities.mean(axis=0)
    if len(large) < _FEW_KINDS:
        return mean, _ALONE**2 * np.outer(mean - human, mean - human)
    return mean, _WIDER * _next(densities - mean)


def mixed_share(counts: Longs, compared: Compared) -> Estimate:
    """The share of machine-made text and its interval.

    Args:
        counts: Texts of the stratum. Shape (lengths, fine).
        compared: The references.
    """
    own = _folded(counts, compared.into) * compared.able[:, None]
    n = int(own.sum())
    if not n:
        return Estimate(0, 0, 10_000)
    part = own.sum(axis=1) / n
    human = part @ compared.human
    unsure = part**2 / np.maximum(1, compared.texts)
    doubt = np.einsum("l,lij->ij", unsure, _multinomial(compared.human)) + compared.apart
    shares = np.linspace(0, 1, _STEPS + 1)
    z = _tested(own.sum(axis=0) / n, n, shares, (human, doubt), (compared.machine, compared.spread))
    share = _crossing(shares, z, 0.0)
    low, high = _crossing(shares, z, _STUDENT), _crossing(shares[::-1], -z[::-1], _STUDENT)
    units = [round(10_000 * value) for value in (share, min(low, share), max(high, share))]
    return Estimate(*units)


def _tested(
    seen: Floats,
    n: int,
    shares: Floats,
    human: tuple[Floats, Floats],
    machine: tuple[Floats, Floats],
) -> Floats:
    """The test statistic of each share: above 0 where there seems to be more machine text.

    Args:
        seen: Shares of the bins. Shape (bins,).
        n: Texts of the stratum.
        shares: Shape (steps,).
        human: Mean and covariance of the human texts' density.
        machine: Those of the machine-made texts'.
    """
    p = shares[:, None]
    expected = (1 - p) * human[0] + p * machine[0]
    squares = (1 - p[:, None]) ** 2 * human[1] + p[:, None] ** 2 * machine[1]
    # All bins together hold everything: one says nothing that the others do not.
    covariance = (_multinomial(expected) / n + squares)[:, :-1, :-1]
    apart = (machine[0] - human[0])[:-1]
    sides = np.broadcast_to(apart, (len(shares), _BINS - 1))[..., None]
    weights = np.linalg.solve(covariance, sides)[..., 0]
    gap = (weights * (seen - expected)[:, :-1]).sum(axis=1)
    return np.asarray(gap / np.sqrt(weights @ apart))


def _crossing(shares: Floats, z: Floats, level: float) -> float:
    """The first share at which the statistic is no longer above a level."""
    below = np.flatnonzero(z <= level)
    if not len(below):
        return float(shares[-1])
    at = int(below[0])
    if at == 0:
        return float(shares[0])
    part = (z[at - 1] - level) / (z[at - 1] - z[at])
    return float(shares[at - 1] + part * (shares[at] - shares[at - 1]))
