"""Shares of machine-made text by stratum, from the run's histograms and the references."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.synthetic.sample import BUCKETS, lengths
from transforms.synthetic.shares import Compared, Group, mixed_share
from transforms.synthetic.strata import CONTROLS, MEASURES, STRATUM, bins_of

__all__ = ["MOST_STRATA", "SHARE", "estimate_shares", "risen"]

SHARE = pa.schema(
    [("lang", pa.string()), ("source", pa.string()), ("month", pa.string())]
    + [("documents", pa.int64()), ("controls", pa.string())]
    + [
        (f"{name}_{part}", kind)
        for name in ("classifier", "words")
        for part, kind in (
            ("measured", pa.int64()),
            ("share", pa.int32()),
            ("low", pa.int32()),
            ("high", pa.int32()),
        )
    ]
)
"""A stratum: language, source, month (null for all of them), its scored documents, and
where its human reference is from (`source`, `run` or `reference`). Shares are in
ten-thousandths, null where too few texts of known origin are there to compare with;
`measured` counts the documents of lengths with enough of them."""

MOST_STRATA = 1000
"""Strata that are estimated: the largest."""

_LEAST_DOCUMENTS = 200
"""Fewest documents of a stratum."""
_LEAST_KNOWN = 300
"""Fewest texts of known origin, of each kind."""
_LEAST_LENGTH = 50
"""Fewest of them of one length."""

_LENGTHS = len(BUCKETS) + 1
_FINE = 1 << 12
"""Fine bins; their numbers, which may be negative, count from the middle."""
_NAMES = {"score": "classifier", "words": "words"}

_KEYS = ("lang", "source", "month")

Key = tuple[str, str, str | None]
Longs = npt.NDArray[np.int64]


def _grouped(rows: pa.Table, keys: Sequence[str]) -> dict[tuple[Any, ...], Longs]:
    """Histograms by keys, in their order. Shape (lengths, fine) each."""
    found: dict[tuple[Any, ...], Longs] = {}
    columns = [rows.column(name).to_pylist() for name in keys]
    bucket, at = (rows.column(name).to_numpy().astype(np.int64) for name in ("bucket", "bin"))
    documents = rows.column("documents").to_numpy()
    places: dict[tuple[Any, ...], list[int]] = {}
    for row, key in enumerate(zip(*columns, strict=True)):
        places.setdefault(key, []).append(row)
    for key in sorted(places):
        mine = np.array(places[key])
        made = np.zeros((_LENGTHS, _FINE), dtype=np.int64)
        np.add.at(made, (bucket[mine], at[mine] + _FINE // 2), documents[mine])
        found[key] = made
    return found


def _known(reference: pa.Table, measure: int) -> pa.Table:
    """Reference rows as histogram rows: `machine`, `lang`, `source`, `bucket`, `bin`."""
    name = MEASURES[measure]
    rows = reference.filter(pc.field(name).is_valid())
    at = pa.array(bins_of(rows.column(name).to_numpy(), measure))
    ones = pa.array(np.ones(len(rows), dtype=np.int64))
    # Shares are estimated by length alone, whatever the register.
    length = pa.array(lengths(rows.column("bucket")))
    rows = rows.select(["machine", "lang", "source"]).append_column("bucket", length)
    return rows.append_column("bin", at).append_column("documents", ones)


class _Known:
    """Texts of known origin for one measure, and who is compared with whom."""

    def __init__(self, strata: pa.Table, reference: pa.Table, measure: int) -> None:
        own = strata.filter((pc.field("measure") == measure) & (pc.field("month") == CONTROLS))
        self._own = _grouped(own, ("lang", "source"))
        self._shipped = _grouped(_known(reference, measure), ("machine", "lang", "source"))
        self._compared = functools.cache(self._compare)

    def _of(self, machine: bool, lang: str) -> list[Group]:
        return [h for (m, at, _), h in self._shipped.items() if (m, at) == (machine, lang)]

    def _human(self, lang: str, source: str) -> tuple[str, list[Group]]:
        same = [h for key, h in self._own.items() if key == (lang, source)]
        run = [h for (at, _), h in self._own.items() if at == lang]
        for name, groups in (("source", same), ("run", run)):
            if sum(int(group.sum()) for group in groups) >= _LEAST_KNOWN:
                return name, groups
        return "reference", self._of(False, lang)

    def compared(self, lang: str, source: str) -> tuple[str, Compared | None]:
        """Whose controls, and the references; None where there are too few texts."""
        found: tuple[str, Compared | None] = self._compared(lang, source)
        return found

    def _compare(self, lang: str, source: str) -> tuple[str, Compared | None]:
        name, human = self._human(lang, source)
        machine = self._of(True, lang)
        if min(sum(int(g.sum()) for g in groups) for groups in (human, machine)) < _LEAST_KNOWN:
            return name, None
        texts = [np.sum(groups, axis=(0, 2)) for groups in (human, machine)]
        able = np.minimum(*texts) >= _LEAST_LENGTH
        return name, Compared.of(human, machine, able) if able.any() else None


def _totals(strata: pa.Table) -> pa.Table:
    """Strata, and each language and source over all months (null)."""
    dated = strata.filter(pc.field("month") != CONTROLS)
    keys = [name for name in STRATUM.names if name not in ("month", "documents")]
    summed = dated.group_by(keys).aggregate([("documents", "sum")])
    summed = summed.rename_columns([*keys, "documents"])
    summed = summed.append_column("month", pa.nulls(len(summed), pa.string()))
    return pa.concat_tables([dated.select(STRATUM.names), summed.select(STRATUM.names)])


def _largest(strata: pa.Table) -> list[Key]:
    """The strata that are estimated, in their order."""
    keys = ["lang", "source", "month"]
    sizes = strata.group_by([*keys, "measure"]).aggregate([("documents", "sum")])
    most = sizes.group_by(keys).aggregate([("documents_sum", "max")]).to_pylist()
    ranked = sorted(
        (-row["documents_sum_max"], *(row[key] or "" for key in _KEYS), row["month"] is None)
        for row in most
        if row["documents_sum_max"] >= _LEAST_DOCUMENTS
    )[:MOST_STRATA]
    found = [(lang, source, None if total else m) for _, lang, source, m, total in ranked]
    return sorted(found, key=lambda key: (key[0], key[1], key[2] is not None, key[2] or ""))


def estimate_shares(strata: pa.Table, reference: pa.Table) -> pa.Table:
    """Estimates the share of machine-made text, stratum by stratum.

    Args:
        strata: Rows of `strata.STRATUM` of the whole run, one for each of its keys.
        reference: Rows of `sample.REFERENCE`.

    Returns:
        Rows of `SHARE` by language, source and month; the first of a source are all of
        its months together.
    """
    dated = _totals(strata)
    keys = _largest(dated)
    rows = [dict.fromkeys(SHARE.names) | _named(key) for key in keys]
    for measure, name in enumerate(MEASURES):
        known = _Known(strata, reference, measure)
        mine = _grouped_months(dated.filter(pc.field("measure") == measure))
        for row, key in zip(rows, keys, strict=True):
            if key in mine:
                _fill(row, name, mine[key], *known.compared(key[0], key[1]))
    return pa.Table.from_pylist(rows, schema=SHARE)


def _named(key: Key) -> dict[str, Any]:
    return dict(zip(("lang", "source", "month"), key, strict=True)) | {"documents": 0}


def _grouped_months(rows: pa.Table) -> Mapping[Key, Longs]:
    # None does not sort; a month never starts with a space.
    rows = rows.set_column(
        rows.schema.get_field_index("month"), "month", rows.column("month").fill_null(" ")
    )
    grouped = _grouped(rows, ("lang", "source", "month"))
    return {(lang, source, None if m == " " else m): h for (lang, source, m), h in grouped.items()}


def _fill(
    row: dict[str, Any], measure: str, counts: Longs, controls: str, compared: Compared | None
) -> None:
    row["documents"] = max(row["documents"], int(counts.sum()))
    row["controls"] = row["controls"] or controls
    if compared is None:
        return
    name = _NAMES[measure]
    measured = int(counts[compared.able].sum())
    row[f"{name}_measured"] = measured
    if measured < _LEAST_DOCUMENTS:
        return
    found = mixed_share(counts, compared)
    row |= {f"{name}_{part}": getattr(found, part) for part in ("share", "low", "high")}


def risen(shares: pa.Table, before: Iterable[Mapping[str, Any]]) -> pa.StringArray:
    """Warns where a share has risen beyond what chance explains: the intervals do not meet.

    Args:
        shares: Rows of `SHARE` of a run.
        before: Those of an earlier run, from its manifest.

    Returns:
        A sentence for each row; null where nothing has risen, or nobody can say.
    """
    old = {tuple(row.get(key) for key in _KEYS): row for row in before}
    rows = [(row, old.get(tuple(row[key] for key in _KEYS), {})) for row in shares.to_pylist()]
    return pa.array([_warning(row, then) for row, then in rows], pa.string())


def _warning(row: Mapping[str, Any], then: Mapping[str, Any]) -> str | None:
    told = []
    for name in _NAMES.values():
        low, high = row[f"{name}_low"], then.get(f"{name}_high")
        if low is not None and high is not None and low > high:
            told.append(
                f"the share of machine-made text by {name} has risen from at most "
                f"{high / 100:.1f} % to at least {low / 100:.1f} %"
            )
    return "; ".join(told) or None
