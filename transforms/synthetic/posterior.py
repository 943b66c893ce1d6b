"""From a score to a probability: monotone, at a stated prior, in whole numbers.

The curve is the weighted isotonic regression of "machine-made" on the score (pool
adjacent violators; Barlow et al., Statistical inference under order restrictions,
1972), where all human texts together weigh 1 - prior and all machine texts the prior.
One human text more at the highest score and one machine text more at the lowest keep
it from certainty that no finite sample can give: the new text counts among those
that it is compared with, as in conformal prediction.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["UNIT", "Curve", "fit"]

UNIT = 10_000
"""Probabilities are whole ten-thousandths."""

_MASS = 1 << 40
"""What all texts of one kind weigh together, before the prior."""

Scores = npt.NDArray[np.int16]
Longs = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Curve:
    """A monotone step function of the score.

    Attributes:
        at: Scores at which it rises, ascending.
        p: Probability from there on, in ten-thousandths, ascending; `p[0]` holds below
            `at[0]`, too, so that there is one more than in `at`.
    """

    at: tuple[int, ...]
    p: tuple[int, ...]

    def __call__(self, scores: Scores) -> npt.NDArray[np.int16]:
        """Probabilities of scores, in ten-thousandths. Shape (n,)."""
        steps = np.searchsorted(np.array(self.at, dtype=np.int64), scores, side="right")
        return np.array(self.p, dtype=np.int16)[steps]

    @classmethod
    def of(cls, at: Sequence[int], p: Sequence[int]) -> Curve:
        """A curve from elsewhere.

        Raises:
            ValueError: It is no monotone step function.
        """
        curve = cls(tuple(map(int, at)), tuple(map(int, p)))
        rising = all(a < b for a, b in itertools.pairwise(curve.at))
        rising &= all(a <= b for a, b in itertools.pairwise(curve.p))
        if len(curve.p) != len(curve.at) + 1 or not rising:
            raise ValueError("a curve's scores and probabilities must ascend")
        if not 0 <= curve.p[0] <= curve.p[-1] <= UNIT:
            raise ValueError(f"probabilities lie between 0 and {UNIT}")
        return curve


def _weighed(groups: Sequence[Scores], extra: int) -> tuple[Longs, Longs]:
    """Scores and weights: groups count alike, texts of one group do, one text is added."""
    each = [np.full(len(g), _MASS // (len(groups) * (len(g) + 1)), np.int64) for g in groups]
    more = sum(_MASS // (len(groups) * (len(g) + 1)) for g in groups)
    scores = np.concatenate([*groups, [extra]]).astype(np.int64)
    return scores, np.concatenate([*each, [more]]).astype(np.int64)


def fit(human: Sequence[Scores], machine: Sequence[Scores], prior: int) -> Curve:
    """The curve of two samples.

    Args:
        human: Scores of human texts, one array per source; none is empty.
        machine: Scores of machine-made texts, one array per generator; likewise.
        prior: Share of machine-made text, in ten-thousandths.
    """
    top = max(int(group.max()) for group in (*human, *machine))
    low = min(int(group.min()) for group in (*human, *machine))
    human_at, human_weight = _weighed(human, top)
    machine_at, machine_weight = _weighed(machine, low)
    at, where = np.unique(np.concatenate([human_at, machine_at]), return_inverse=True)
    against, speaking = np.zeros(len(at), np.int64), np.zeros(len(at), np.int64)
    np.add.at(against, where[: len(human_at)], human_weight)
    np.add.at(speaking, where[len(human_at) :], machine_weight)
    blocks = _pool(
        [value * prior for value in speaking.tolist()],
        [value * (UNIT - prior) for value in against.tolist()],
    )
    return _curve(at, blocks)


def _pool(yes: Sequence[int], no: Sequence[int]) -> list[tuple[int, int, int]]:
    """Pools adjacent violators: first index, weight for, weight against, of each block."""
    blocks: list[tuple[int, int, int]] = []
    for index, (speaking, against) in enumerate(zip(yes, no, strict=True)):
        block = (index, speaking, against)
        # Shares are compared crosswise: exact, where a quotient would round.
        while blocks and blocks[-1][1] * block[2] >= block[1] * blocks[-1][2]:
            first, more, less = blocks.pop()
            block = (first, more + block[1], less + block[2])
        blocks.append(block)
    return blocks


def _curve(at: Longs, blocks: Sequence[tuple[int, int, int]]) -> Curve:
    """Blocks as steps, those that round to the same probability joined."""
    steps: list[int] = []
    levels: list[int] = []
    for first, yes, no in blocks:
        level = yes * UNIT // (yes + no)
        if not levels or level > levels[-1]:
            levels.append(level)
            steps.append(int(at[first]))
    return Curve(tuple(steps[1:]), tuple(levels))
