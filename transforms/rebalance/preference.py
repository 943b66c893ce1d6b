"""Quotas where the allocation comes first: languages as near to their shares as rules allow.

A linear program over cells and languages, for HiGHS: the least sum of what languages are
off their shares of the output; then, at that, the most unique text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from transforms.errors import InfeasibleError
from transforms.rebalance.allocation import Key, Stratum, share_out
from transforms.rebalance.cells import Rules
from transforms.rebalance.config import MILLION

__all__ = ["preferred"]

_SLACK = 1e-7
"""What the second objective may give up of the first, of the output."""

Vector = npt.NDArray[np.float64]


def preferred(
    strata: Sequence[Stratum],
    weights: Mapping[Key, int],
    appearances: Mapping[int, int],
    rules: Rules,
    size: int,
) -> dict[Key, int]:
    """The size to publish of each cell and language, `size` in all but for rounding.

    Args:
        strata: Of the whole run.
        weights: What languages are shared out by, of each cell.
        appearances: Most appearances of a document, by cell.
        rules: The run's floors and caps.
        size: Of the output; it is feasible.

    Raises:
        InfeasibleError: The program cannot be solved.
    """
    unique: dict[Key, int] = defaultdict(int)
    for stratum in strata:
        unique[stratum.cell, stratum.lang] += stratum.unique
    keys = sorted(unique)
    most = {key: unique[key] * appearances[key[0]] for key in keys}
    wanted = _wanted(keys, weights, most, size)
    solution = _solve(keys, unique, most, wanted, rules, size)
    return {key: min(int(x * size), most[key]) for key, x in zip(keys, solution, strict=True)}


def _wanted(
    keys: Sequence[Key], weights: Mapping[Key, int], most: Mapping[Key, int], size: int
) -> dict[str, int]:
    """The size that each language should have, as far as its text suffices."""
    weight: dict[str, int] = defaultdict(int)
    room: dict[str, int] = defaultdict(int)
    for key in keys:
        weight[key[1]] += weights[key]
        room[key[1]] += most[key]
    langs = sorted(weight)
    highs = [room[lang] for lang in langs]
    shares = share_out(
        min(size, sum(highs)), [weight[lang] for lang in langs], [0] * len(langs), highs
    )
    return dict(zip(langs, shares, strict=True))


def _solve(
    keys: Sequence[Key],
    unique: Mapping[Key, int],
    most: Mapping[Key, int],
    wanted: Mapping[str, int],
    rules: Rules,
    size: int,
) -> Vector:
    # Only the one worker that plans needs SciPy, and it takes its time.
    from scipy import sparse  # noqa: PLC0415
    from scipy.optimize import linprog  # noqa: PLC0415

    n, langs = len(keys), sorted(wanted)
    place = {lang: i for i, lang in enumerate(langs)}
    one, none = sparse.identity(n), sparse.csr_matrix((n, len(langs)))
    of_lang = sparse.csr_matrix(
        (np.ones(n), ([place[lang] for _, lang in keys], range(n))), (len(langs), n)
    )
    aims = np.array([wanted[lang] / size for lang in langs])
    empty = sparse.csr_matrix((len(langs), n))
    off = sparse.identity(len(langs))
    helps = np.array(
        [
            [-rules.helps(r, cell) / MILLION for cell, _ in keys]
            for r in range(len(rules.constraints))
        ]
    ).reshape(-1, n)
    blank = sparse.csr_matrix((len(helps), n + len(langs)))
    # Variables: sizes, their unique parts, and by how much each language is off.
    above = sparse.vstack(
        [
            sparse.hstack([-one, one, none]),
            sparse.hstack([of_lang, empty, -off]),
            sparse.hstack([-of_lang, empty, -off]),
            sparse.hstack([sparse.csr_matrix(helps), blank]),
        ]
    ).tocsr()
    bounds = np.concatenate([np.zeros(n), aims, -aims, np.zeros(len(helps))])
    box: list[tuple[float, float | None]]
    box = [(0.0, min(1.0, most[key] / size)) for key in keys]
    box += [(0.0, min(1.0, unique[key] / size)) for key in keys]
    box += [(0.0, None)] * len(langs)
    whole = sparse.csr_matrix(np.concatenate([np.ones(n), np.zeros(n + len(langs))])[None, :])
    cost = np.concatenate([np.zeros(2 * n), np.ones(len(langs))])
    first = linprog(cost, above, bounds, whole, [1.0], box, method="highs")
    if first.x is None:
        raise InfeasibleError(f"no allocation keeps every floor and cap ({first.message})")
    above = sparse.vstack([above, sparse.csr_matrix(cost[None, :])])
    bounds = np.append(bounds, first.fun + _SLACK)
    cost = np.concatenate([np.zeros(n), -np.ones(n), np.zeros(len(langs))])
    second = linprog(cost, above, bounds, whole, [1.0], box, method="highs")
    found = first if second.x is None else second
    return np.asarray(np.maximum(0.0, found.x[:n]), dtype=np.float64)
