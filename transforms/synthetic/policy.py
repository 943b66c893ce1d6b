"""Run-wide decisions of this room: what is counted, what is decided, how it is applied.

Pure functions with the signatures of `staging.survey.decisions.Policy`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.synthetic.calibrate import calibrate
from transforms.synthetic.cells import Calibration
from transforms.synthetic.config import SyntheticConfig
from transforms.synthetic.hosts import HOST, PAGE, host_rows
from transforms.synthetic.judge import JUDGED, judge, tags, weights
from transforms.synthetic.posterior import UNIT
from transforms.synthetic.reference import load_reference
from transforms.synthetic.sample import clusters, controls_of, first_words

__all__ = [
    "APPLIED",
    "CONTROLS_COUNTED",
    "PAGES_OF",
    "apply_calibration",
    "apply_hosts",
    "count_controls",
    "count_hosts",
    "decide_calibration",
    "judge_hosts",
    "pages_of",
]

CONTROLS_COUNTED = (
    "lang",
    "n_chars",
    "source",
    "host",
    "text_hash",
    "date_day",
    "origin_tier",
    "synthetic_score",
    "synthetic_words",
    "synthetic_letters",
)
"""Columns that `count_controls` reads."""

APPLIED = (*JUDGED, "origin_tier", "synthetic_tag", "p_synthetic", "weight")
"""Columns that `apply_calibration` reads and replaces."""

PAGES_OF = ("host", "text_hash", "origin_tier", "p_synthetic")
"""Columns that `pages_of` reads."""


def count_controls(rows: pa.Table, before: int) -> pa.Table:
    """The controls among staged rows (`sample.CONTROL`)."""
    return controls_of(rows, before)


def decide_calibration(controls: pa.Table, config: SyntheticConfig) -> pa.Table:
    """The calibration of a run (`cells.CELL`).

    Args:
        controls: Rows of `sample.CONTROL` of the whole run.
        config: Of the room; names the reference.
    """
    return calibrate(controls, load_reference(config.reference).rows, config).table()


def apply_calibration(rows: pa.Table, decision: pa.Table, gamma: float) -> pa.Table:
    """Rows with `p_synthetic`, `synthetic_tag` and `weight` as the run has them."""
    said = judge(rows, Calibration.of(decision))
    tiered = rows.column("origin_tier").is_valid().to_numpy(zero_copy_only=False)
    p = pa.array((said.p / UNIT).astype(np.float32), mask=said.p < 0)
    replaced = {
        "p_synthetic": p,
        "synthetic_tag": tags(rows.column("synthetic_tag"), tiered, said),
        "weight": pa.array(weights(said.p, gamma)),
    }
    for name, column in replaced.items():
        if name in rows.column_names:
            rows = rows.set_column(rows.schema.get_field_index(name), name, column)
    return rows


def pages_of(rows: pa.Table) -> pa.Table:
    """Pages that say something of their host: scored, and not known to be human.

    Args:
        rows: Columns `PAGES_OF`, with the calibration applied.

    Returns:
        Rows of `hosts.PAGE`.
    """
    telling = pc.and_(rows.column("host").is_valid(), rows.column("p_synthetic").is_valid())
    rows = rows.filter(pc.and_(telling, rows.column("origin_tier").is_null()))
    hosts = clusters(rows.column("host"), rows.column("host"))
    p = np.rint(UNIT * rows.column("p_synthetic").to_numpy()).astype(np.int16)
    return pa.table([hosts, first_words(rows.column("text_hash")), p], schema=PAGE)


def judge_hosts(
    partition: int, tables: Mapping[str, pa.Table], *, prior: int
) -> Iterator[tuple[str, pa.Table]]:
    """`hosts.host_rows` on a partition of `pages`; yields `hosts` (HOST)."""
    del partition
    yield "hosts", host_rows(tables["pages"], prior)


def count_hosts(rows: pa.Table) -> pa.Table:
    """Hosts as they are: each lies in one partition only."""
    return rows.select(HOST.names).cast(HOST)


def apply_hosts(rows: pa.Table, decision: pa.Table) -> pa.Table:
    """Rows with `p_synthetic_host`, null for hosts with too few pages."""
    known, p = decision.column("host").to_numpy(), decision.column("p").to_numpy()
    hosts = clusters(rows.column("host"), rows.column("host"))
    at = np.minimum(np.searchsorted(known, hosts), len(known) - 1)
    there = rows.column("host").is_valid().to_numpy(zero_copy_only=False)
    there &= known[at] == hosts
    column = pa.array((p[at] / UNIT).astype(np.float32), mask=~there)
    place = rows.schema.get_field_index("p_synthetic_host")
    return rows.set_column(place, "p_synthetic_host", column)
