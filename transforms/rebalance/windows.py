"""The worst window: how far any run of consecutive documents falls short of a floor."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from transforms.rebalance.config import MILLION

__all__ = ["worst_window"]


def worst_window(
    sizes: npt.NDArray[np.int64], member: npt.NDArray[np.bool_], share: int
) -> tuple[int, int, int]:
    """Finds the window whose members fall furthest short of `share` of its size.

    The shortfall of a window is how much the running surplus (members' size minus
    share times size) drops across it, so the worst is the greatest drop of one
    prefix sum: exact, in one pass.

    Args:
        sizes: Of the documents in order, at most 9e12 in all. Shape (n,).
        member: Whether each has the attribute. Shape (n,).
        share: The floor, in millionths.

    Returns:
        Shortfall in size units (rounded up), and the window [start, stop).
    """
    if not len(sizes):
        return 0, 0, 0
    steps = np.where(member, sizes * (MILLION - share), -sizes * share)
    surplus = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(steps)])
    drops = np.maximum.accumulate(surplus) - surplus
    stop = int(np.argmax(drops))
    start = int(np.argmax(surplus[: stop + 1]))
    return -(-int(drops[stop]) // MILLION), start, stop
