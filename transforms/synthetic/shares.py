"""How much of a corpus is machine-made, with an interval: no text is judged.

Two estimates of the share p of a stratum, each from a histogram of one measure and what
that measure looks like on human and on machine-made text (the references):

* `words`, the maximum of the mixture likelihood sum_i log((1 - p) f(x_i) + p g(x_i))
  (Liang et al., Monitoring AI-modified content at scale, 2024, equation 1), x being how
  far a text's words speak for machine text (`words`). The densities f and g are those
  of the references, not the product over words: words of one text are not independent,
  and a product would count their evidence several times.
* `classifier`, p = (q - f) / (r - f), with the share q of texts above a cut and the false-
  and true-positive rates f and r of the cut (Rogan and Gladen, Estimating prevalence from
  the results of a screening test, 1978).

Intervals are percentiles of a bootstrap in three places: texts of the stratum, texts of
the references, and the sets that the references come from, since the next generator is
not one that was looked at.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = [
    "REPLICATES",
    "Compared",
    "Estimate",
    "Group",
    "classifier_share",
    "coarse",
    "words_share",
]

REPLICATES = 400
"""Bootstrap samples; the interval lies between their 2.5th and 97.5th percentiles."""

_TAIL = 0.025
_BINS = 16
"""Bins of a length, cut where the references have equal shares."""
_STEPS = 30
"""Halvings of the interval in which the likelihood is greatest."""
_BEYOND = 0.5
"""How far a length's share may lie below 0 or above 1 before the mean is taken."""
_LEAST_GAIN = 0.05
"""Least r - f that is divided by: a length whose cut tells nothing adds noise, no more."""
_GENERATORS = 3
"""Sets of machine-made text in a bootstrap sample: a stratum's machine text is by a few
generators, and nobody knows which."""
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


def coarse(histograms: Sequence[Group], bins: int = _BINS) -> Longs:
    """Where to cut bins so that each holds about as many texts of the references.

    Args:
        histograms: Of both references, fine bins. Shape (lengths, fine) each.
        bins: How many are wanted of each length.

    Returns:
        The coarse bin of every fine bin. Shape (lengths, fine).
    """
    total = np.sum(histograms, axis=0)
    before = np.cumsum(total, axis=1) - total // 2
    whole = np.maximum(1, total.sum(axis=1, keepdims=True))
    return np.asarray(np.minimum(bins - 1, before * bins // whole))


def _density(groups: Floats) -> Floats:
    """The distribution of all groups' texts within each length.

    Args:
        groups: Texts. Shape (..., groups, lengths, bins).
    """
    smooth = groups.sum(axis=-3) + _PSEUDO
    return np.asarray(smooth / smooth.sum(axis=-1, keepdims=True))


def _resampled(groups: Sequence[Group], most: int, rng: np.random.Generator) -> Floats:
    """Densities of `REPLICATES` draws of sets, and of texts within each.

    Args:
        groups: Texts of each set.
        most: Sets that are drawn each time.
        rng: Source of the draws.

    Returns:
        Shape (replicates, lengths, bins).
    """
    drawn = np.stack([_redraw(group, rng) for group in groups], axis=1)
    chosen = rng.integers(0, len(groups), size=(REPLICATES, min(most, len(groups))))
    return _density(drawn[np.arange(REPLICATES)[:, None], chosen])


def _redraw(group: Group, rng: np.random.Generator) -> Floats:
    """Draws of as many texts as there are. Shape (replicates, lengths, bins)."""
    flat = group.reshape(-1)
    total = int(flat.sum())
    if not total:
        return np.zeros((REPLICATES, *group.shape))
    made = rng.multinomial(total, flat / total, size=REPLICATES)
    return made.reshape(REPLICATES, *group.shape).astype(np.float64)


def _most_likely(counts: Floats, human: Floats, machine: Floats) -> Floats:
    """The share at which the likelihood of each row is greatest.

    Lengths are estimated one by one, since machine-made text has lengths of its own, and
    the shares averaged. A length's share may come out a little below 0 or above 1, as
    chance will have it: cut off there, chance would add up to a bias. The mean is cut.

    Args:
        counts: Texts. Shape (rows, lengths, bins).
        human: Their density among human texts, likewise.
        machine: Their density among machine-made texts, likewise.

    Returns:
        Shape (rows,).
    """
    apart = machine - human
    there = counts > 0
    low, high = _bounds(there, human, apart)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        # The likelihood is concave, so that its slope has at most one zero.
        mixture = np.where(there, human + middle[..., None] * apart, 1)
        slope = (counts * apart / mixture).sum(axis=2)
        low = np.where(slope > 0, middle, low)
        high = np.where(slope > 0, high, middle)
    return _averaged((low + high) / 2, counts)


def _bounds(there: npt.NDArray[np.bool_], human: Floats, apart: Floats) -> tuple[Floats, Floats]:
    """Between which shares each length's mixture is a density where there are texts."""
    zero = -human / np.where(apart == 0, 1, apart)
    low = np.where(there & (apart > 0), zero, -_BEYOND).max(axis=2)
    high = np.where(there & (apart < 0), zero, 1 + _BEYOND).min(axis=2)
    return np.maximum(low, -_BEYOND), np.minimum(high, 1 + _BEYOND)


def _averaged(shares: Floats, counts: Floats) -> Floats:
    texts = counts.sum(axis=2)
    mean = (shares * texts).sum(axis=1) / np.maximum(1, texts.sum(axis=1))
    return np.asarray(np.clip(mean, 0, 1))


def _corrected(counts: Floats, human: Floats, machine: Floats, cut: Longs) -> Floats:
    """(q - f) / (r - f) of each length, averaged as in `_most_likely`.

    Args:
        counts: As for `_most_likely`.
        human: As for `_most_likely`.
        machine: As for `_most_likely`.
        cut: By length, the first bin above the cut. Shape (lengths,).
    """
    above = np.arange(counts.shape[-1]) >= cut[:, None]
    q = (counts * above).sum(axis=2) / np.maximum(1, counts.sum(axis=2))
    f, r = (human * above).sum(axis=2), (machine * above).sum(axis=2)
    shares = (q - f) / np.maximum(r - f, _LEAST_GAIN)
    return _averaged(np.clip(shares, -_BEYOND, 1 + _BEYOND), counts)


def _cut(human: Floats, machine: Floats) -> Longs:
    """The bin from which on r - f is greatest, by length (Youden's index)."""
    gain = np.cumsum((machine - human)[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(np.argmax(gain, axis=1), dtype=np.int64)


def _interval(point: float, replicates: Floats) -> Estimate:
    low, high = np.quantile(replicates, [_TAIL, 1 - _TAIL])
    share = round(10_000 * point)
    return Estimate(share, min(share, round(10_000 * low)), max(share, round(10_000 * high)))


@dataclasses.dataclass(frozen=True)
class Compared:
    """Human and machine-made texts that strata are compared with.

    Attributes:
        able: Lengths with enough of both. Shape (lengths,).
        into: The coarse bin of each fine one. Shape (lengths, fine).
        human, machine: Densities, a row for the texts themselves and one for each
            replicate. Shape (1 + replicates, lengths, bins).
        cut: By length, the first bin above the classifier's cut. Shape (lengths,).
    """

    able: npt.NDArray[np.bool_]
    into: Longs
    human: Floats
    machine: Floats
    cut: Longs

    @classmethod
    def of(
        cls,
        human: Sequence[Group],
        machine: Sequence[Group],
        able: npt.NDArray[np.bool_],
        seed: int,
    ) -> Compared:
        """Prepares the references.

        Args:
            human: One histogram a set, fine bins. Shape (lengths, fine) each.
            machine: Likewise.
            able: Lengths to be used. Shape (lengths,).
            seed: Of the bootstrap.
        """
        into = coarse([*human, *machine])
        rng = np.random.Generator(np.random.PCG64(seed))
        made = []
        for groups, most in ((human, len(human)), (machine, _GENERATORS)):
            folded = [_folded(group, into) for group in groups]
            point = _density(np.stack(folded).astype(np.float64))
            made.append(np.concatenate([point[None], _resampled(folded, most, rng)]))
        return cls(able, into, made[0], made[1], _cut(made[0][0], made[1][0]))

    def draws(self, counts: Longs, seed: int) -> Floats:
        """A stratum's texts of usable lengths, then draws of them, in coarse bins."""
        own = _folded(counts, self.into) * self.able[:, None]
        rng = np.random.Generator(np.random.PCG64(seed))
        return np.concatenate([own[None].astype(np.float64), _redraw(own, rng)])


def _folded(group: Group, into: Longs) -> Longs:
    """A histogram in coarse bins."""
    made = np.zeros((len(group), _BINS), dtype=np.int64)
    np.add.at(made, (np.arange(len(group))[:, None], into), group)
    return made


def words_share(counts: Longs, compared: Compared, seed: int) -> Estimate:
    """The mixture's most likely share.

    Args:
        counts: Texts of the stratum. Shape (lengths, fine).
        compared: The references.
        seed: Of the bootstrap.
    """
    drawn = compared.draws(counts, seed)
    shares = _most_likely(drawn, compared.human, compared.machine)
    return _interval(float(shares[0]), shares[1:])


def classifier_share(counts: Longs, compared: Compared, seed: int) -> Estimate:
    """The share that is left of the classifier's when its errors are taken out.

    Args:
        counts: As for `words_share`.
        compared: As for `words_share`.
        seed: As for `words_share`.
    """
    drawn = compared.draws(counts, seed)
    shares = _corrected(drawn, compared.human, compared.machine, compared.cut)
    return _interval(float(shares[0]), shares[1:])
