"""Who decides from the statistics of a whole run, in which order."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import orjson
import pyarrow as pa

from pipelines.config import Config
from transforms import storage
from transforms.errors import InputError
from transforms.shards.layout import MANIFEST
from transforms.staging.survey import Policy
from transforms.synthetic import estimate, policy, strata
from transforms.synthetic.config import SyntheticConfig
from transforms.synthetic.hosts import HOST
from transforms.synthetic.reference import load_reference
from transforms.synthetic.sample import merge_controls

__all__ = ["HOSTS", "decided", "previous_manifest", "surveyed"]

_CALIBRATION, _SHARES = "synthetic_calibration", "synthetic_shares"


def surveyed(config: Config) -> tuple[Policy, ...]:
    """Policies that count the parts of staging.

    Their decisions are applied, in this order, to the light rows that deduplication
    works on and to the rows that are published.
    """
    before = config.provenance.tier_b_before.toordinal()
    calibration = Policy(
        name=_CALIBRATION,
        keys=(),
        counted=policy.CONTROLS_COUNTED,
        count=functools.partial(policy.count_controls, before=before),
        decide=functools.partial(policy.decide_calibration, config=config.synthetic),
        applied=policy.APPLIED,
        apply=functools.partial(policy.apply_calibration, gamma=config.synthetic.gamma),
        merge=merge_controls,
    )
    shares = Policy(
        name=_SHARES,
        keys=tuple(strata.STRATUM.names[:-1]),
        counted=strata.COUNTED,
        count=functools.partial(strata.count_strata, before=before),
        decide=functools.partial(_decide_shares, config=config.synthetic),
        applied=(),
        apply=_as_they_are,
    )
    return (calibration, shares)


HOSTS = Policy(
    name="synthetic_hosts",
    keys=("host",),
    counted=tuple(HOST.names),
    count=policy.count_hosts,
    decide=lambda hosts: hosts,
    applied=("host", "p_synthetic_host"),
    apply=policy.apply_hosts,
)
"""Decides from the pages of hosts, once these have their probabilities."""


def _as_they_are(rows: pa.Table, decision: pa.Table) -> pa.Table:
    del decision
    return rows


def previous_manifest(path: str) -> str:
    """The manifest that `synthetic.previous` names, itself or by its folder."""
    return path if path.endswith(".json") else storage.join(path, MANIFEST)


def _decide_shares(counted: pa.Table, config: SyntheticConfig) -> pa.Table:
    """The shares of the strata and the warnings about them, as one row of JSON."""
    shares = estimate.estimate_shares(counted, load_reference(config.reference).rows).to_pylist()
    before = _before(config.previous) if config.previous else []
    told = {"shares": shares, "warnings": estimate.risen(shares, before)}
    return pa.table({"json": [orjson.dumps(told).decode()]})


def _before(previous: str) -> list[Mapping[str, Any]]:
    path = previous_manifest(previous)
    try:
        given = orjson.loads(storage.read_bytes(path))
        return [] if "synthetic" not in given else list(given["synthetic"]["shares"])
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise InputError(f"{path} is no manifest of holdfast: {error!r}") from error


def decided(decisions: Mapping[str, pa.Table]) -> dict[str, Any]:
    """What the manifest says of the decisions: its key `synthetic`."""
    said: dict[str, Any] = {"calibration": None, "shares": [], "warnings": []}
    if _CALIBRATION in decisions:
        said["calibration"] = policy.calibration_of(decisions[_CALIBRATION]).to_json()
    if _SHARES in decisions:
        said |= orjson.loads(decisions[_SHARES].column("json")[0].as_py())
    return {"synthetic": said}
