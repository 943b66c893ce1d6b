"""`holdfast plan`: the plan of a finished staging folder, without touching text."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import pyarrow as pa

from pipelines.bridges import to_rebalance
from pipelines.config import Config
from pipelines.policies import tail_policy
from transforms import storage
from transforms.errors import InfeasibleError, InputError, UsageError
from transforms.outcome import read_outcome
from transforms.rebalance.cells import Rules
from transforms.rebalance.concentration import HOLDINGS, concentrated, holdings
from transforms.rebalance.plan import Plan
from transforms.rebalance.planning import make_plan
from transforms.rebalance.ranks import LIGHT, STRATA, mark, rank_strata, split_large
from transforms.staging.record import ANNOTATED, KEPT_RECORD, read_kept, read_record
from transforms.staging.survey.decisions import Decisions, Policy, apply_decisions, decide_rows

__all__ = ["plan_staging"]


def plan_staging(config: Config) -> Plan:
    """Plans from the rows that deduplication kept.

    Raises:
        InputError: The folder was never deduplicated, or that kept nothing.
        UsageError: Its sizes are in another unit.
        InfeasibleError: No output can meet the floors and caps.
    """
    _check_kept(str(config.staging))
    record, counted = read_kept(str(config.staging))
    if record["unit"] != config.unit:
        raise UsageError(
            f"{config.staging} was deduplicated with sizes in {record['unit']}; plan with "
            f"--unit {record['unit']}, or run select with --unit {config.unit}"
        )
    strata = [STRATA.empty_table()]
    annotated = read_record(str(config.staging), ANNOTATED)["config"]
    tail = tail_policy(config.annotated_as(annotated, str(config.staging)))
    listed = decide_rows(counted, tail)
    asked, fitting = config.rebalance, functools.partial(_fitting, config, (tail,), listed)
    held = [HOLDINGS.empty_table()]
    if any(asked.concentrations):
        held += [holdings(rows, asked) for rows in fitting()]
    groups = concentrated(pa.concat_tables(held), asked)
    for number, rows in enumerate(fitting()):
        marked = mark(rows, Rules.of(asked, groups), asked)
        strata.append(rank_strata(number, marked)[1])
    return make_plan(pa.concat_tables(strata), asked, groups)


def _fitting(
    config: Config, policies: tuple[Policy, ...], decisions: Decisions
) -> Iterator[pa.Table]:
    """Rows of LIGHT that fit a shard, as the graph has them."""
    for batch in read_kept(str(config.staging))[1]:
        marked = apply_decisions(pa.Table.from_batches([batch]), policies, decisions)
        rows = pa.Table.from_batches([to_rebalance(b) for b in marked.to_batches()], LIGHT)
        yield split_large(rows, config.rebalance)[0]


def _check_kept(staging: str) -> None:
    """Refuses a folder of which deduplication kept nothing: such a run records no kept rows."""
    if storage.exists(storage.join(staging, KEPT_RECORD)):
        return
    outcome = read_outcome(staging)
    if outcome and outcome["exit_code"] in (0, InfeasibleError.exit_code):
        raise InputError(
            f"deduplication kept no document of {staging}: every one is a duplicate or excluded, "
            "so there is nothing to plan; add new text"
        )
