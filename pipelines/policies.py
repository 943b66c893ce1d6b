"""Who decides from the statistics of a whole run, in which order."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from pipelines.config import Config
from transforms.langid import policy, tail
from transforms.langid.config import LangidConfig
from transforms.langid.identify import script_columns
from transforms.staging.survey import Decisions, Policy, apply_decisions

__all__ = ["JUDGED", "STATED", "judge_for", "published", "surveyed", "tail_policy"]

STATED = ("langid", "tail")
"""Policies whose decisions the manifest holds, so that a run can be verified by them."""

JUDGED = ("lang", "mixed", "tail", "script", "script_share", "letter_share")
"""Published columns that follow from the text, from other columns and what was decided."""


def surveyed(config: Config) -> tuple[Policy, ...]:
    """Policies that count the parts of staging.

    Their decisions are applied, in this order, to the light rows that deduplication
    works on and to the rows that are published.
    """
    return (_languages(config.langid),)


def published(config: Config) -> tuple[Policy, ...]:
    """Policies that the published rows follow: the surveyed ones, then what came later."""
    return (*surveyed(config), tail_policy(config))


def _languages(config: LangidConfig) -> Policy:
    return Policy(
        name="langid",
        keys=policy.KEYS,
        counted=policy.READS,
        count=functools.partial(policy.count, config=config),
        decide=functools.partial(policy.decide, config=config),
        applied=policy.READS,
        apply=functools.partial(policy.apply, config=config),
    )


def tail_policy(config: Config) -> Policy:
    """Decides the tail from the rows (KEPT) that deduplication kept."""
    return Policy(
        name="tail",
        keys=tail.KEYS,
        counted=("lang", "size"),
        count=tail.count,
        decide=functools.partial(tail.decide, config=config.langid),
        applied=tail.READS,
        apply=tail.apply,
    )


def judge_for(config: Mapping[str, Any]) -> Callable[[pa.Table, Decisions], pa.Table]:
    """Recomputes the columns `JUDGED` of published rows, by the `config` of a manifest."""
    return functools.partial(_judge, Config(langid=LangidConfig(**config["langid"])))


def _judge(config: Config, table: pa.Table, decisions: Decisions) -> pa.Table:
    table = table.combine_chunks()
    text, best = (_one(table.column(name)) for name in ("text", "lang_best"))
    for name, column in script_columns(text, best).items():
        at = table.schema.get_field_index(name)
        table = table.set_column(at, table.schema.field(at), column)
    return apply_decisions(table, published(config), decisions).select(JUDGED)


def _one(column: pa.ChunkedArray) -> pa.StringArray:
    return column.chunk(0) if column.num_chunks else pa.array([], pa.string())
