"""The origin of a document, from its source, its date, and what speaks against it.

A document is an anchor when a trusted source or an early date says so; no
classifier has a say. In order of precedence:

1. Declared machine-made: synthetic, whatever its source or date.
2. Trusted source, or seen before `tier_a_before`: anchor of tier A. An artefact
   in its text is kept as evidence and changes nothing: what was said before
   there were chat systems cannot be theirs, and a trusted source may quote.
3. An artefact that convicts: synthetic, even if seen before `tier_b_before`,
   since there were generators by then.
4. Seen before `tier_b_before`: anchor of tier B.
5. Otherwise unverified, also if the input claims a human origin.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.provenance.config import ProvenanceConfig
from transforms.records import ORIGIN

__all__ = ["ANCHOR", "ORIGINS", "SYNTHETIC_ORIGIN", "TIERS", "UNVERIFIED", "assess"]

ORIGINS = ("anchor", "unverified", "synthetic")
ANCHOR, UNVERIFIED, SYNTHETIC_ORIGIN = range(3)
"""Positions in `ORIGINS`."""

TIERS = ("A", "B", None)
"""Tiers by their code: 0, 1, and 2 for none."""

_Mask = npt.NDArray[np.bool_]


def assess(batch: pa.RecordBatch, config: ProvenanceConfig) -> pa.RecordBatch:
    """Tells where documents come from.

    Args:
        batch: Rows with `source`, `host`, `date_day`, `origin_declared` and
            `synthetic_evidence`.
        config: What is trusted.

    Returns:
        A batch of schema `ORIGIN`. Evidence lists, in this order: `source:trusted`,
        `host:trusted`, `date<DAY`, `declared:human`, `declared:synthetic`, and the
        artefacts that convict.
    """
    source, host = _trusted(batch, config)
    tier_a, tier_b = _dated(batch, config)
    human, machine = (_equals(batch.column("origin_declared"), w) for w in ("human", "synthetic"))
    artefacts, artefact_rows = _artefacts(batch.column("synthetic_evidence"))
    convicted = np.zeros(batch.num_rows, dtype=np.bool_)
    convicted[artefact_rows] = True

    strong = (source | host | tier_a) & ~machine
    weak = tier_b & ~strong & ~machine & ~convicted
    tier = np.where(strong, 0, np.where(weak, 1, 2))
    origin = np.where(strong | weak, ANCHOR, UNVERIFIED)
    origin[(machine | convicted) & (tier == 2)] = SYNTHETIC_ORIGIN
    evidence = _evidence(
        {
            "source:trusted": source,
            "host:trusted": host,
            f"date<{config.tier_a_before}": tier_a,
            f"date<{config.tier_b_before}": tier_b & ~tier_a,
            "declared:human": human,
            "declared:synthetic": machine,
        },
        artefacts,
        artefact_rows,
    )
    columns = [pa.array(ORIGINS).take(origin), pa.array(TIERS, pa.string()).take(tier), evidence]
    return pa.RecordBatch.from_arrays(columns, schema=ORIGIN)


def _trusted(batch: pa.RecordBatch, config: ProvenanceConfig) -> tuple[_Mask, _Mask]:
    """Rows whose source, and rows whose host, is trusted."""
    names = pa.array(config.trusted_sources, pa.string())
    hosts = frozenset(entry.lower() for entry in config.trusted_sources if "." in entry)
    by_name = pc.is_in(batch.column("source"), value_set=names).to_numpy(zero_copy_only=False)
    if not hosts:
        return by_name, np.zeros(batch.num_rows, dtype=np.bool_)
    # Hosts repeat within a batch: each is looked up once.
    given: Any = pc.dictionary_encode(batch.column("host"))
    trusted = [_under(host, hosts) for host in given.dictionary.to_pylist()] + [False]
    codes = given.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return by_name, np.array(trusted, dtype=np.bool_)[codes]


def _under(host: str, trusted: frozenset[str]) -> bool:
    """Whether a host, or one of its parent domains, is in the set."""
    while host not in trusted:
        _, dot, host = host.partition(".")
        if not dot:
            return False
    return True


def _dated(batch: pa.RecordBatch, config: ProvenanceConfig) -> tuple[_Mask, _Mask]:
    """Rows dated before either cutoff; an undated row is before none."""
    if not config.dates_count:
        never = np.zeros(batch.num_rows, dtype=np.bool_)
        return never, never
    days: Any = batch.column("date_day")
    day = days.fill_null(np.iinfo(np.int32).max).to_numpy(zero_copy_only=False)
    return day < config.tier_a_before.toordinal(), day < config.tier_b_before.toordinal()


def _equals(column: Any, value: str) -> _Mask:
    mask: _Mask = pc.is_in(column, value_set=pa.array([value])).to_numpy(zero_copy_only=False)
    return mask


def _artefacts(evidence: Any) -> tuple[pa.StringArray, npt.NDArray[np.int64]]:
    """The artefacts that convict, and the row of each."""
    values: Any = pc.list_flatten(evidence)
    found = pc.starts_with(values, pattern="artefact:")
    rows: Any = pc.list_parent_indices(evidence)
    return values.filter(found), rows.filter(found).to_numpy(zero_copy_only=False)


def _evidence(
    flags: dict[str, _Mask], artefacts: pa.StringArray, artefact_rows: npt.NDArray[np.int64]
) -> pa.Array[Any]:
    """One list of words a row: the flags that are set, in their order, then the artefacts."""
    n = len(next(iter(flags.values())))
    set_rows = [np.flatnonzero(mask) for mask in flags.values()]
    labels = np.repeat(np.arange(len(flags)), [len(rows) for rows in set_rows])
    rows = np.concatenate([*set_rows, artefact_rows])
    words = pa.concat_arrays([pa.array(list(flags), pa.string()).take(labels), artefacts])
    # A stable sort by row keeps the order of the words within it.
    order = np.argsort(rows, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))])
    return pa.ListArray.from_arrays(
        pa.array(offsets.astype(np.int32), pa.int32()), words.take(order)
    )
