"""Which sources and hosts hold so much of an attribute's text that their share is capped.

A tail that is one Bible is no tail. How many sources there are is not known beforehand,
and each rule doubles what has to be told apart, so that only those get a rule of their
own that come near the cap. All others are far below it; what selection made of them is
counted at the end (`shards.manifest.check_concentration`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from transforms.errors import InfeasibleError
from transforms.rebalance.cells import Group
from transforms.rebalance.config import MILLION, Concentration, RebalanceConfig
from transforms.schemas import columns

__all__ = ["HOLDINGS", "concentrated", "hold", "holdings"]

HOLDINGS = columns(within=pa.string(), field=pa.string(), value=pa.string(), size=pa.int64())
"""Size of an attribute's text from one source or host."""

_NEAR = 2
"""A source that holds more than this part of its cap has a rule of its own."""


def holdings(table: pa.Table, config: RebalanceConfig) -> pa.Table:
    """Sums rows of `ranks.LIGHT` up, for every concentration that is capped."""
    found = [HOLDINGS.empty_table()]
    for rule in config.concentrations:
        some = table.filter(table.column(rule.within)).group_by(rule.field)
        summed = some.aggregate([("size", "sum")])
        names = [pa.array([name] * len(summed)) for name in (rule.within, rule.field)]
        found.append(
            pa.table(
                [*names, summed.column(rule.field), summed.column("size_sum")], schema=HOLDINGS
            )
        )
    return hold(pa.concat_tables(found))


def hold(table: pa.Table) -> pa.Table:
    """Adds up rows of `HOLDINGS`, largest first."""
    keys = ["within", "field", "value"]
    summed = table.group_by(keys).aggregate([("size", "sum")]).rename_columns(HOLDINGS.names)
    order = [("within", "ascending"), ("field", "ascending"), ("size", "descending")]
    return summed.cast(HOLDINGS).sort_by([*order, ("value", "ascending")])


def concentrated(table: pa.Table, config: RebalanceConfig) -> tuple[Group, ...]:
    """The sources and hosts that need a cap of their own.

    Once the largest have been cut to their caps the text that is left is less, and
    others may come near theirs: they are added until none does.

    Args:
        table: Rows of `HOLDINGS` of the whole run.
        config: Whose `concentration` it is.

    Raises:
        InfeasibleError: There are fewer sources than the cap needs.
    """
    held, groups = hold(table), []
    for rule in config.concentrations:
        mine = pc.and_(pc.equal(held["within"], rule.within), pc.equal(held["field"], rule.field))
        part = held.filter(mine)
        sizes = dict(zip(part["value"].to_pylist(), part["size"].to_pylist(), strict=True))
        groups += [
            Group(rule.within, f"{rule.field}:{value}", rule.share) for value in _near(sizes, rule)
        ]
    return tuple(groups)


def _near(sizes: Mapping[str, int], rule: Concentration) -> Iterator[str]:
    if not sizes:
        return
    least = -(-MILLION // rule.share)
    if len(sizes) < least:
        top, size = next(iter(sizes.items()))
        raise InfeasibleError(
            f"no {rule.field} may hold more than {rule.share / MILLION:g} of {rule.within} text, "
            f"which needs {least} of them, and there are {len(sizes)} ({top!r} holds {size:,}); "
            f"allow a larger share ({rule.within}/{rule.field}={1 / len(sizes):.4g} or more)"
        )
    rest = sum(sizes.values())
    for number, (value, size) in enumerate(sizes.items()):
        # What there can be in all, once those before are cut to their caps.
        free = MILLION - number * rule.share
        whole = rest * MILLION // free if free > 0 else 0
        if free > 0 and size * MILLION * _NEAR <= rule.share * whole:
            return
        yield value
        rest -= size
