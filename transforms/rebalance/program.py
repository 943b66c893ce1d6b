"""The linear program behind a plan, for HiGHS.

Variables are, per cell, the size published X and the unique part u of it
(u <= X, u <= U, X <= k U with U the unique size there is and k the most
appearances). Floors and caps are linear and homogeneous in X, so that every size
up to the largest feasible one is feasible too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from transforms.errors import InfeasibleError
from transforms.rebalance.cells import Rules
from transforms.rebalance.config import MILLION

__all__ = ["Program", "Stock", "Vector"]

Vector = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Stock:
    """What there is of one cell.

    Attributes:
        cell: Bit mask, see `cells`.
        documents: Their number.
        unique: Their size.
        largest: Size of the largest.
        appearances: Most appearances of each.
    """

    cell: int
    documents: int
    unique: int
    largest: int
    appearances: int

    @property
    def most(self) -> int:
        """Size that the cell can fill at most."""
        return self.unique * self.appearances


class Program:
    """A linear program over X, u, the least kept share and the greatest multiple.

    Sizes are divided by `scale`, the largest that the output may have, so that
    tolerances mean the same for every output.
    """

    def __init__(self, stocks: Sequence[Stock], rules: Rules, most: int, spare: int = 0) -> None:
        self._cells = [stock.cell for stock in stocks]
        n = len(stocks)
        self._width = 2 * n + 2
        self.scale = float(max(1, most))
        unique = np.array([stock.unique / self.scale for stock in stocks])
        ranges = [(0.0, min(1.0, stock.most / self.scale)) for stock in stocks]
        ranges += [(0.0, min(1.0, float(x))) for x in unique]
        self._bounds: list[tuple[float, float | None]] = [*ranges, (0.0, 1.0), (0.0, None)]
        self._rows: list[Vector] = []
        self._limits: list[float] = []
        self.published = self._vector(range(n))
        self.uniqueness = self._vector(range(n, 2 * n))
        self.evenness = self._vector([2 * n])
        self.peak = self._vector([2 * n + 1])
        self.solution = np.zeros(n)
        for i in range(n):
            self.at_most(self._vector([n + i]) - self._vector([i]), 0.0)
            self.at_least(self._vector([i]) - unique[i] * self.evenness, 0.0)
            self.at_least(unique[i] * self.peak - self._vector([i]), 0.0)
        for rule in range(len(rules.constraints)):
            slack = self._weighed([rules.helps(rule, cell) for cell in self._cells])
            self.at_least(slack, spare / self.scale)

    def _vector(self, ones: Sequence[int] | range) -> Vector:
        vector = np.zeros(self._width)
        vector[list(ones)] = 1.0
        return vector

    def _weighed(self, millionths: Sequence[int]) -> Vector:
        vector = np.zeros(self._width)
        vector[: len(millionths)] = np.array(millionths) / MILLION
        return vector

    def inside(self, rules: Rules, rule: int) -> Vector:
        """The size published that counts for rule number `rule`."""
        return self._weighed([rules.mass(rule, cell) for cell in self._cells])

    def at_most(self, vector: Vector, value: float) -> None:
        """Adds a bound from above on a sum of variables."""
        self._rows.append(vector)
        self._limits.append(value)

    def at_least(self, vector: Vector, value: float) -> None:
        """Adds a bound from below."""
        self.at_most(-vector, -value)

    def best(self, objective: Vector) -> float:
        """Maximises the objective and remembers the solution."""
        # Here, since only the one worker that plans needs SciPy, and it takes its time.
        from scipy.optimize import linprog  # noqa: PLC0415

        result = linprog(
            -objective,
            A_ub=np.array(self._rows),
            b_ub=np.array(self._limits),
            bounds=self._bounds,
            method="highs",
            options={
                "primal_feasibility_tolerance": 1e-10,
                "dual_feasibility_tolerance": 1e-10,
            },
        )
        if result.x is None:
            raise InfeasibleError(f"no output keeps every floor and cap ({result.message})")
        self.solution = result.x[: len(self._cells)]
        return float(objective @ result.x)
