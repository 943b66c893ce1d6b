"""The deal: which appearances are taken, and which shard gets each.

Done in two rounds on one worker, from summaries. The first deals protected cells.
What it gave each shard is then counted exactly (`place.tally`), and the second
deals the rest, to each shard as much as its floors can carry. So whole documents
that make one shard's share of a floor a little smaller make that shard smaller,
instead of being trimmed away afterwards.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.errors import InfeasibleError
from transforms.rebalance.cells import Constraint
from transforms.rebalance.config import MILLION
from transforms.rebalance.level import deal_boulders, proportional, water_fill
from transforms.rebalance.plan import Cell, Plan
from transforms.rebalance.rounds import Deal, Level, Longs, Round, longs, within

__all__ = ["Deal", "Level", "deal_protected", "deal_rest"]

_STRETCH = 2
"""No shard is dealt more than so many times the mean, however much it could carry."""

_NOTED = 100
"""A deal that loses more than one part in so many of the plan says so."""

_ENDLESS = 1 << 60


def deal_protected(bins: pa.Table, boulders: pa.Table, plan: Plan) -> Deal:
    """Deals the cells that serve a floor, as evenly as documents allow.

    Cells that serve most go first; the others fill up what these leave uneven.

    Args:
        bins: Rows of `lines.BINS` of all partitions, in any order.
        boulders: Rows of `lines.BOULDERS` likewise.
        plan: The run's plan.
    """
    state = Round.of(plan, bins, boulders)
    protected = [cell for cell in plan.cells if plan.rules.protected(cell.cell)]
    rest = plan.total - sum(cell.quota for cell in protected)
    # With nothing to lower in the second round, an overshoot would break the target.
    over = plan.config.target is None or rest > sum(cell.largest for cell in protected)
    mean = np.full(plan.shards, plan.total // plan.shards, dtype=np.int64)
    for cell in _in_order(protected):
        room = _under_caps(state, cell, mean, np.full(plan.shards, _ENDLESS, dtype=np.int64))
        _deal_cell(state, cell, cell.quota, np.zeros_like(mean), room, over=over)
    return state.finish()


def deal_rest(bins: pa.Table, boulders: pa.Table, plan: Plan, tally: pa.Table) -> Deal:
    """Deals the cells without a floor: to each shard what its floors can carry.

    Args:
        bins: As for `deal_protected`.
        boulders: As for `deal_protected`.
        plan: The run's plan.
        tally: Rows of `place.TALLY` of what the first round placed, in any order.

    Raises:
        InfeasibleError: If a shard got no document of a floor, or if the target is
            out of reach.
    """
    state = Round.of(plan, bins, boulders)
    state.dealt = _dealt(tally, plan, "size")
    _check_served(_dealt(tally, plan, "documents"), plan)
    others = [cell for cell in plan.cells if not plan.rules.protected(cell.cell)]
    wanted = sum(cell.quota for cell in others)
    room = _room(state)
    quantity = min(wanted, int(room.sum()), *_to_target(state))
    protected = state.beneath(0)
    goals = protected + water_fill(protected, quantity, room)
    if int(goals.sum()) < plan.least:
        _refuse_size(plan, int(goals.sum()))
    limit = protected + room
    for cell in _in_order(others):
        quota = cell.quota * quantity // wanted if wanted else 0
        share = sum(state.beneath(cell.cell).tolist()) + quota
        goal = proportional(goals, share)
        room = _under_caps(state, cell, goals, limit - state.beneath(0))
        _deal_cell(state, cell, quota, goal, room, over=False)
    return state.finish(_notes(plan, sum(goals.tolist())))


def _notes(plan: Plan, size: int) -> tuple[str, ...]:
    if size >= plan.total - plan.total // _NOTED:
        return ()
    return (
        f"{plan.shards} shards carry {size} of {plan.total} {plan.config.unit} planned: the "
        "documents that serve the floors are too few or too large to spread evenly; a larger "
        "--shard-size keeps more",
    )


def _under_caps(state: Round, cell: Cell, sizes: Longs, room: Longs) -> Longs:
    """The room for a cell in shards of these sizes, by the caps that it counts for."""
    rules = state.plan.rules
    for number, rule in enumerate(rules.constraints):
        mass = rules.mass(number, cell.cell)
        if rule.kind == "cap" and mass:
            left = _of_whole(state, rule, sizes) * rule.share - state.counted(number)
            room = np.minimum(room, left // mass)
    return np.asarray(np.maximum(0, room), dtype=np.int64)


def _in_order(cells: list[Cell]) -> list[Cell]:
    return sorted(cells, key=lambda cell: (-cell.cell.bit_count(), -cell.cell))


def _of_whole(state: Round, rule: Constraint, sizes: Longs) -> Longs:
    """The size that a rule's share is of: shards of these sizes, or their part of it."""
    if not rule.within:
        return sizes
    bit = state.plan.rules.whole.index(rule.within)
    inside = sum(cell.quota for cell in state.plan.cells if cell.cell >> bit & 1)
    return sizes * inside // max(1, state.plan.total)


def _dealt(tally: pa.Table, plan: Plan, name: str) -> dict[int, Longs]:
    cells, shards, values = (longs(tally, column) for column in ("cell", "shard", name))
    dealt = {}
    for mask in np.unique(cells).tolist():
        dealt[mask] = np.zeros(plan.shards, dtype=np.int64)
        np.add.at(dealt[mask], shards[cells == mask], values[cells == mask])
    return dealt


def _room(state: Round) -> Longs:
    """Per shard, the unprotected size that all its floors can carry."""
    plan, protected = state.plan, state.beneath(0)
    carry = np.full(plan.shards, _STRETCH * -(-plan.total // plan.shards), dtype=np.int64)
    for bit, rule in enumerate(plan.rules.floors):
        carry = np.minimum(carry, state.beneath(1 << bit) * MILLION // rule.share)
    return np.asarray(np.maximum(0, carry - protected), dtype=np.int64)


def _to_target(state: Round) -> list[int]:
    target = state.plan.config.target
    return [] if target is None else [max(0, target - int(state.beneath(0).sum()))]


def _deal_cell(
    state: Round, cell: Cell, quota: int, goal: Longs, room: Longs, *, over: bool
) -> None:
    """Cuts one cell's line and deals it so that levels beneath approach `goal`."""
    mask = cell.cell
    mine = state.bins["cell"] == mask
    level = state.beneath(mask) - goal
    before = level.copy()
    dealt = _take_boulders(state, cell, quota, level, room, over=over)
    sand = int(state.bins["sand"][mine].sum())
    quantity = min(sand, max(0, quota - dealt))
    # No shard gets two appearances of a document, if there is room elsewhere.
    bound = np.minimum(room, quantity * cell.spacing // max(1, cell.quota))
    if int(np.minimum(bound, quantity).sum()) < quantity:
        bound = room
    poured = water_fill(level, quantity, bound)
    state.dealt[mask] = level - before + poured
    state.levels[mask] = Level(int(poured.sum()), over, np.cumsum(poured, dtype=np.int64))


def _take_boulders(
    state: Round, cell: Cell, quota: int, level: Longs, room: Longs, *, over: bool
) -> int:
    """Takes a cell's boulders up to its quota and deals them; returns their size."""
    large = state.large
    mine = np.flatnonzero(large["cell"] == cell.cell)
    start = _line_starts(state, mine)
    mine = mine[np.argsort(start)]
    mine = mine[_taken(np.sort(start), large["size"][mine], quota, over=over)]
    order = np.lexsort((large["repeat"][mine], large["document"][mine], -large["size"][mine]))
    mine = mine[order]
    owners = deal_boulders(large["size"][mine], large["document"][mine], level, room)
    mine, owners = mine[owners >= 0], owners[owners >= 0]
    keys = (large["partition"][mine] << np.int64(40)) | large["row"][mine]
    state.taken.append((keys, owners))
    return int(large["size"][mine].sum())


def _line_starts(state: Round, mine: Longs) -> Longs:
    """Where boulders start on the whole line of their cell, sand included."""
    pieces = (state.bins["cell"] << np.int64(32)) | state.bins["partition"]
    offsets = within(state.bins["size"], state.bins["cell"])
    wanted = (state.large["cell"][mine] << np.int64(32)) | state.large["partition"][mine]
    found = np.searchsorted(pieces, wanted)  # bins are sorted by cell and partition
    return np.asarray(offsets[found] + state.large["before"][mine], dtype=np.int64)


def _taken(start: Longs, sizes: Longs, quota: int, *, over: bool) -> npt.NDArray[np.bool_]:
    """Boulders in line order: those that start inside the quota, or that fit into it."""
    if over:
        return np.asarray(start < quota, dtype=np.bool_)
    fits = np.zeros(len(sizes), dtype=np.bool_)
    filled = 0
    for row, size in enumerate(sizes.tolist()):
        if filled + size <= quota:
            fits[row] = True
            filled += size
    return fits


def _check_served(documents: dict[int, Longs], plan: Plan) -> None:
    for bit, rule in enumerate(plan.rules.floors):
        served = np.zeros(plan.shards, dtype=np.int64)
        for cell, counts in documents.items():
            served += counts if cell >> bit & 1 else 0
        if (served == 0).any():
            _refuse_shards(plan, rule, int((served > 0).sum()), int(served.sum()))


def _refuse_shards(plan: Plan, rule: Constraint, served: int, documents: int) -> None:
    most = max(1, min(documents, served, plan.shards - 1))
    raise InfeasibleError(
        f"{rule}: only {served} of {plan.shards} shards get a document that serves it "
        f"({documents} appearances in all); at most {most} shards are possible: "
        f"set --shard-size {-(-plan.total // most)} or more"
    )


def _refuse_size(plan: Plan, size: int) -> None:
    config = plan.config
    raise InfeasibleError(
        f"target {config.target:,} {config.unit}: the documents that serve the floors are too "
        f"few or too large to spread evenly over {plan.shards} shards, which carry {size:,}; "
        f"set --target {size} or a larger --shard-size"
    )
