"""How much of each cell to publish: the largest feasible size, and quotas for a size."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from transforms.errors import InfeasibleError
from transforms.rebalance.cells import Constraint, Rules
from transforms.rebalance.config import MILLION
from transforms.rebalance.program import Program, Stock, Vector

__all__ = ["Limit", "Stock", "allocate", "best_share", "largest_size", "limits", "repaired"]

_SLACK = 1e-9
"""What a later objective may give up of an earlier one, of the output."""
_SNAP = 1e-7
"""Quotas this near to all of a cell, relative to the output, are all of it."""
_GRID = 26
"""Quotas are multiples of the output divided by 2 to this power."""
_REPAIRS = 10_000


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
    largest feasible size exactly where text counts wholly or not at all; with more
    rules, or with text that counts in part, it may be lower. Rules on the share of an
    attribute's text bound no size by themselves.
    """
    wants = [
        (rule, rule.share if rule.kind == "floor" else MILLION - rule.share, number)
        for number, rule in enumerate(rules.constraints)
        if not rule.within and rule.share != (0 if rule.kind == "floor" else MILLION)
    ]

    def serves(stock: Stock, number: int) -> int:
        mass = rules.mass(number, stock.cell)
        return mass if rules.constraints[number].kind == "floor" else MILLION - mass

    found = [_limit((), [(stock, MILLION) for stock in stocks], MILLION)]
    for i, (rule, share, number) in enumerate(wants):
        mine = [(stock, serves(stock, number)) for stock in stocks]
        found.append(_limit((rule,), mine, share))
        for other, other_share, also in wants[:i]:
            if share + other_share > MILLION:
                both = [(stock, mass + serves(stock, also) - MILLION) for stock, mass in mine]
                found.append(_limit((other, rule), both, share + other_share - MILLION))
    return found


def _limit(rules: tuple[Constraint, ...], stocks: Sequence[tuple[Stock, int]], share: int) -> Limit:
    some = [(stock, mass) for stock, mass in stocks if mass > 0]
    have = sum(stock.most * mass for stock, mass in some) // MILLION
    return Limit(rules, have, sum(stock.unique * mass for stock, mass in some) // MILLION, share)


def _is_closed(stocks: Sequence[Stock], rules: Rules) -> bool:
    """Whether the least of the `limits` is the largest size exactly."""
    count = len(rules.constraints)
    parts = {rules.mass(rule, stock.cell) for rule in range(count) for stock in stocks}
    return count <= 2 and parts <= {0, MILLION} and not any(r.within for r in rules.constraints)


def largest_size(stocks: Sequence[Stock], rules: Rules) -> int:
    """The largest output that keeps every floor and cap under the repeat cap."""
    bound = min(limit.size for limit in limits(stocks, rules))
    if not bound or _is_closed(stocks, rules):
        return bound
    program = Program(stocks, rules, bound)
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
    program = Program(stocks, Rules(others), size)
    program.at_least(program.published, size / program.scale * (1 - _SLACK))
    program.at_most(program.published, size / program.scale)
    inside = program.inside(rules, bit)
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
    return repaired(quotas, rules)


def _quotas(
    stocks: Sequence[Stock], rules: Rules, size: tuple[int, int], spare: int
) -> dict[int, int]:
    low, high = size
    program = Program(stocks, rules, high, spare)
    program.at_least(program.published, (low - 2 * spare) / program.scale - 4 * _SLACK)
    program.at_most(program.published, high / program.scale)
    for objective in (program.uniqueness, -program.published, program.evenness, -program.peak):
        program.at_least(objective, program.best(objective) - _SLACK)
    return _rounded(stocks, rules, program.solution * program.scale)


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


def repaired(quotas: dict[int, int], rules: Rules) -> dict[int, int]:
    """Lowers quotas, of unprotected cells first, until every rule holds exactly.

    Raises:
        InfeasibleError: Nothing would be left.
    """
    for _ in range(_REPAIRS):
        broken = rules.broken(quotas)
        if not broken or not any(quotas.values()):
            break
        cell, size = min(_remedies(quotas, rules, *broken[0]))[2:]
        quotas = quotas | {cell: quotas[cell] - min(size, quotas[cell])}
    if rules.broken(quotas) or not any(quotas.values()):
        named = ", ".join(str(rule) for rule in rules.constraints)
        raise InfeasibleError(
            f"{named} leave no output: they meet in a single point that whole documents "
            "cannot hit; lower one of the floors or raise a cap"
        )
    return quotas


def _remedies(
    quotas: dict[int, int], rules: Rules, rule: int, slack: int
) -> Iterator[tuple[bool, int, int, int]]:
    """Cells that count against a rule, and what to take; the least harm comes first."""
    for cell, quota in quotas.items():
        harm = -rules.helps(rule, cell)
        if quota and harm > 0:
            size = -(slack // harm)
            after = quotas | {cell: max(0, quota - size)}
            worse = -sum(left for _, left in rules.broken(after))
            yield rules.protected(cell), worse, cell, size
