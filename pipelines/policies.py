"""Who decides from the statistics of a whole run, in which order."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import orjson
import pyarrow as pa

from pipelines.config import Config
from transforms import storage
from transforms.errors import InputError
from transforms.langid import policy, tail
from transforms.langid.config import LangidConfig
from transforms.langid.identify import script_columns
from transforms.shards.layout import MANIFEST
from transforms.staging.survey.decisions import Decisions, Policy, apply_decisions
from transforms.synthetic import estimate, strata
from transforms.synthetic import policy as synthetic
from transforms.synthetic.config import SyntheticConfig
from transforms.synthetic.hosts import HOST
from transforms.synthetic.reference import load_reference
from transforms.synthetic.sample import merge_controls
from transforms.synthetic.tag import by_evidence

__all__ = ["HOSTS", "JUDGED", "STATED", "judge_for", "previous_manifest", "published"]
__all__ += ["surveyed", "tail_policy"]

STATED = ("langid", "tail", "synthetic_calibration", "synthetic_shares")
"""Policies whose decisions the manifest holds, so that a run can be verified by them."""

JUDGED = (
    *("lang", "mixed", "tail", "script", "script_share", "letter_share"),
    *("synthetic_tag", "p_synthetic", "weight"),
)
"""Published columns that follow from the text, from other columns and what was decided."""


def surveyed(config: Config) -> tuple[Policy, ...]:
    """Policies that count the parts of staging.

    Their decisions are applied, in this order, to the light rows that deduplication
    works on and to the rows that are published.
    """
    return (_languages(config.langid), _calibration(config), _shares(config))


def published(config: Config) -> tuple[Policy, ...]:
    """Policies that the published rows follow: the surveyed ones, then what came later."""
    return (*surveyed(config), tail_policy(config), HOSTS)


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


def _calibration(config: Config) -> Policy:
    before = config.provenance.tier_b_before.toordinal()
    return Policy(
        name="synthetic_calibration",
        keys=(),
        counted=synthetic.CONTROLS_COUNTED,
        count=functools.partial(synthetic.count_controls, before=before),
        decide=functools.partial(synthetic.decide_calibration, config=config.synthetic),
        applied=synthetic.APPLIED,
        apply=functools.partial(synthetic.apply_calibration, gamma=config.synthetic.gamma),
        merge=merge_controls,
    )


def _shares(config: Config) -> Policy:
    before = config.provenance.tier_b_before.toordinal()
    return Policy(
        name="synthetic_shares",
        keys=tuple(strata.STRATUM.names[:-1]),
        counted=strata.COUNTED,
        count=functools.partial(strata.count_strata, before=before),
        decide=functools.partial(_decide_shares, config=config.synthetic),
        applied=(),
        apply=_as_they_are,
    )


HOSTS = Policy(
    name="synthetic_hosts",
    keys=("host",),
    counted=tuple(HOST.names),
    count=synthetic.count_hosts,
    decide=lambda hosts: hosts,
    applied=("host", "p_synthetic_host"),
    apply=synthetic.apply_hosts,
)
"""Decides from the pages of hosts, once these have their probabilities."""


def _as_they_are(rows: pa.Table, decision: pa.Table) -> pa.Table:
    del decision
    return rows


def _decide_shares(counted: pa.Table, config: SyntheticConfig) -> pa.Table:
    """The shares of the strata, with warnings where they have risen."""
    shares = estimate.estimate_shares(counted, load_reference(config.reference).rows)
    before = _before(config.previous) if config.previous else []
    return shares.append_column("warning", estimate.risen(shares, before))


def previous_manifest(path: str) -> str:
    """The manifest that `synthetic.previous` names, itself or by its folder."""
    return path if path.endswith(".json") else storage.join(path, MANIFEST)


def _before(previous: str) -> list[Mapping[str, Any]]:
    path = previous_manifest(previous)
    try:
        shares = orjson.loads(storage.read_bytes(path))["decisions"].get("synthetic_shares", {})
        return list(pa.table(shares).to_pylist())
    except (
        orjson.JSONDecodeError,
        pa.ArrowException,
        AttributeError,
        KeyError,
        TypeError,
    ) as error:
        raise InputError(f"{path} is no manifest of holdfast: {error!r}") from error


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
    rooms = {"langid": LangidConfig(**config["langid"])}
    made = Config(**rooms, synthetic=SyntheticConfig(**config["synthetic"]))
    return functools.partial(_judge, made)


def _judge(config: Config, table: pa.Table, decisions: Decisions) -> pa.Table:
    table = table.combine_chunks()
    text, best = (_one(table.column(name)) for name in ("text", "lang_best"))
    for name, column in script_columns(text, best).items():
        at = table.schema.get_field_index(name)
        table = table.set_column(at, table.schema.field(at), column)
    evident = by_evidence(table.column("synthetic_evidence"), table.column("origin_evidence"))
    at = table.schema.get_field_index("synthetic_tag")
    table = table.set_column(at, table.schema.field(at), evident)
    return apply_decisions(table, published(config), decisions).select(JUDGED)


def _one(column: pa.ChunkedArray) -> pa.StringArray:
    return column.chunk(0) if column.num_chunks else pa.array([], pa.string())
