"""The linear program behind a plan: how much of each cell to publish.

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
from transforms.rebalance.cells import Constraint, Rules
from transforms.rebalance.config import MILLION

__all__ = ["Limit", "Stock", "allocate", "best_share", "largest_size", "limits"]

Vector = npt.NDArray[np.float64]

_SLACK = 1e-9
"""What a later objective may give up of an earlier one, of the output."""
_SNAP = 1e-7
"""Quotas this near to all of a cell, relative to the output, are all of it."""
_GRID = 26
"""Quotas are multiples of the output divided by 2 to this power."""
_REPAIRS = 10_000


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


@dataclasses.dataclass(frozen=True)
class Limit:
    """An upper bound of the output's size, and what sets it.

    Attributes:
        rules: The floors and caps that meet here; none for the stock as a whole.
        have: Size, repeats included, of the text that all these rules want.
        unique: The same without repeats.
        share: Least share of the output, in millionths, that this text must be.
    """

    rules: tuple[Constraint, ...]
    have: int
    unique: int
    share: int

    @property
    def size(self) -> int:
        """The largest output that the text suffices for."""
        return self.have * MILLION // self.share


def limits(stocks: Sequence[Stock], rules: Rules) -> list[Limit]:
    """Bounds in closed form: every rule, every pair, and the stock as a whole.

    A cap is a floor of 1 - cap on all other text. Two floors a and b with a + b > 1
    need a + b - 1 of text that serves both. Up to two rules the least bound is the
    largest feasible size exactly; with more it may be lower.
    """
    wants = [
        (rule, rule.share if rule.kind == "floor" else MILLION - rule.share, bit)
        for bit, rule in enumerate(rules.constraints)
        if rule.share != (0 if rule.kind == "floor" else MILLION)
    ]

    def serves(stock: Stock, rule: Constraint, bit: int) -> bool:
        return bool(stock.cell >> bit & 1) == (rule.kind == "floor")

    found = [_limit((), list(stocks), MILLION)]
    for i, (rule, share, bit) in enumerate(wants):
        mine = [stock for stock in stocks if serves(stock, rule, bit)]
        found.append(_limit((rule,), mine, share))
        for other, other_share, other_bit in wants[:i]:
            if share + other_share > MILLION:
                both = [stock for stock in mine if serves(stock, other, other_bit)]
                found.append(_limit((other, rule), both, share + other_share - MILLION))
    return found


def _limit(rules: tuple[Constraint, ...], stocks: list[Stock], share: int) -> Limit:
    have, unique = (sum(s.most for s in stocks), sum(s.unique for s in stocks))
    return Limit(rules, have, unique, share)


def largest_size(stocks: Sequence[Stock], rules: Rules) -> int:
    """The largest output that keeps every floor and cap under the repeat cap."""
    bound = min(limit.size for limit in limits(stocks, rules))
    if len(rules.constraints) <= 2 or not bound:
        return bound
    program = _Program(stocks, rules, bound)
    return min(bound, int(program.best(program.published) * program.scale * (1 + 1e-12)))


def best_share(stocks: Sequence[Stock], rules: Rules, bit: int, size: int) -> float | None:
    """The strictest share that rule `bit` could ask for at `size`; None if none can."""
    rule = rules.constraints[bit]
    others = tuple(
        dataclasses.replace(r, share=0 if r.kind == "floor" else MILLION) if i == bit else r
        for i, r in enumerate(rules.constraints)
    )
    if largest_size(stocks, Rules(others)) < size:
        return None
    program = _Program(stocks, Rules(others), size)
    program.at_least(program.published, size / program.scale * (1 - _SLACK))
    program.at_most(program.published, size / program.scale)
    inside = program.inside(bit)
    sign = 1.0 if rule.kind == "floor" else -1.0
    return sign * program.best(sign * inside) * program.scale / size


def allocate(stocks: Sequence[Stock], rules: Rules, low: int, high: int) -> dict[int, int]:
    """How much of each cell to publish, between `low` and `high` in all.

    In order: most unique text; fewest repeats; then, where these leave a choice,
    the largest least share of a cell kept, and the smallest most often repeated.
    Quotas are integers that keep every rule exactly.

    Raises:
        InfeasibleError: If the rules leave nothing.
    """
    # Room for rounding, so that nothing need be repaired, unless rules leave none.
    spare = 2 * len(stocks) * max(1, high >> _GRID)
    for room in (spare, 0) if high > 100 * spare else (0,):
        try:
            quotas = _quotas(stocks, rules, (low, high), room)
        except InfeasibleError:
            if not room:
                raise
        else:
            break
    return _repair(quotas, rules)


def _quotas(
    stocks: Sequence[Stock], rules: Rules, size: tuple[int, int], spare: int
) -> dict[int, int]:
    low, high = size
    program = _Program(stocks, rules, high, spare)
    program.at_least(program.published, (low - 2 * spare) / program.scale - 4 * _SLACK)
    program.at_most(program.published, high / program.scale)
    for objective in (program.uniqueness, -program.published, program.evenness, -program.peak):
        program.at_least(objective, program.best(objective) - _SLACK)
    return _rounded(stocks, rules, program.solution * program.scale)


class _Program:
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
        for bit, rule in enumerate(rules.constraints):
            share = self.inside(bit) - rule.share / MILLION * self.published
            sign = 1.0 if rule.kind == "floor" else -1.0
            self.at_least(sign * share, spare / self.scale)

    def _vector(self, ones: Sequence[int] | range) -> Vector:
        vector = np.zeros(self._width)
        vector[list(ones)] = 1.0
        return vector

    def inside(self, bit: int) -> Vector:
        """The size published of the cells that own `bit`."""
        return self._vector([i for i, cell in enumerate(self._cells) if cell >> bit & 1])

    def at_most(self, vector: Vector, value: float) -> None:
        self._rows.append(vector)
        self._limits.append(value)

    def at_least(self, vector: Vector, value: float) -> None:
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


def _rounded(stocks: Sequence[Stock], rules: Rules, solution: Vector) -> dict[int, int]:
    """Integers on a grid too coarse for rounding errors; protected text is rounded up."""
    total = int(solution.sum())
    grid, near = max(1, total >> _GRID), max(1, int(total * _SNAP))
    quotas = {}
    for stock, value in zip(stocks, solution, strict=True):
        size = int(value)
        up = grid if rules.protected(stock.cell) else 0
        quota = min((size + up) // grid * grid, stock.most)
        for whole in {stock.unique, stock.most, 0}:
            quota = whole if abs(size - whole) <= near else quota
        quotas[stock.cell] = quota
    return quotas


def _repair(quotas: dict[int, int], rules: Rules) -> dict[int, int]:
    """Lowers quotas, of unprotected cells first, until every rule holds exactly."""
    for _ in range(_REPAIRS):
        broken = rules.broken(quotas)
        if not broken or not any(quotas.values()):
            break
        rule, inside, total = broken[0]
        bit = rules.constraints.index(rule)
        is_cap = rule.kind == "cap"
        against = rule.share if not is_cap else MILLION - rule.share
        excess = -(rule.slack(inside, total) // against)
        wrong = [c for c in quotas if bool(c >> bit & 1) == is_cap and quotas[c]]

        def harm(cell: int, excess: int = excess) -> tuple[bool, int, int]:
            after = quotas | {cell: max(0, quotas[cell] - excess)}
            return (
                rules.protected(cell),
                -sum(r.slack(i, t) for r, i, t in rules.broken(after)),
                cell,
            )

        cell = min(wrong, key=harm)
        quotas[cell] -= min(excess, quotas[cell])
    if rules.broken(quotas) or not any(quotas.values()):
        named = ", ".join(str(rule) for rule in rules.constraints)
        raise InfeasibleError(
            f"{named} leave no output: they meet in a single point that whole documents "
            "cannot hit; lower one of the floors or raise a cap"
        )
    return quotas
