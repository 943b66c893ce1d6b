"""Calibration: per language and length, what a score means and for which sources.

A threshold is the highest of the thresholds that each source of controls asks for by
itself (`conformal`), each with its part of the chance to be wrong. With confidence
`1 - MISS` the false-positive rate is therefore at most `max_fpr` for every source that it
was made from, and for whatever mixture of them, at once.

Controls of one source do not speak for another: what is rare in one way of writing is
the rule in the next. A cell speaks

* for all sources, if the run's controls come from `MIN_CONTROLS` hosts: one text of each
  gives a threshold, too, whose guarantee is for the texts of a new host (Dunn, Wasserman
  and Ramdas, Distribution-free prediction sets for two-layer hierarchical models, 2022,
  section 4.2: one observation a group); and if no source objects, of the run, left out, or
  of the reference: people are known then who write otherwise than these hosts;
* otherwise for the sources of the run that have controls of their own, and nobody else.

That sources of one length vouch for each other is not enough for a new one, whatever its
register: five of six English sets did, and 5 % of the people in the sixth were above their
threshold. For texts that no such cell covers there is one cell a register, of all lengths,
if families of sources show that its threshold travels (`travel`).
"""

from __future__ import annotations

import decimal
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.synthetic.cells import Calibration, Cell
from transforms.synthetic.config import SyntheticConfig
from transforms.synthetic.conformal import MIN_CONTROLS, exceedances, threshold
from transforms.synthetic.posterior import UNIT, Curve, fit
from transforms.synthetic.sample import lengths
from transforms.synthetic.travel import travelling_cells

__all__ = ["MISS", "calibrate"]

MISS = "0.05"
"""Chance, over the draw of the controls, that a cell breaks its promise."""

Scores = npt.NDArray[np.int16]


def calibrate(controls: pa.Table, reference: pa.Table, config: SyntheticConfig) -> Calibration:
    """Makes the calibration of a run.

    Args:
        controls: Rows of `sample.CONTROL` of the run, merged.
        reference: Rows of `sample.REFERENCE`: texts of known origin from elsewhere.
        config: Prior and rate.
    """
    known = pc.field("score").is_valid()
    human = reference.filter(known & ~pc.field("machine"))
    machine = reference.filter(known & pc.field("machine"))
    found = travelling_cells(controls, human, machine, config)
    controls, human, machine = (_by_length(table) for table in (controls, human, machine))
    for lang, bucket in _cells(controls, human):
        own, shipped = _of(controls, lang, bucket), _of(human, lang, bucket)
        against = _of(machine, lang, bucket)
        if len(against) < MIN_CONTROLS:
            against = machine.filter(pc.field("lang") == lang)
        groups = _by_source(own), _by_source(shipped)
        found.append(_cell(lang, bucket, *groups, _hosts(own), against, config))
    found.sort(key=lambda cell: (cell.lang, cell.bucket))
    return Calibration(round(config.prior * UNIT), round(config.max_fpr * UNIT), tuple(found))


def _by_length(table: pa.Table) -> pa.Table:
    """Rows whose bucket is the length alone: who has controls has them of its own registers."""
    at = table.schema.get_field_index("bucket")
    return table.set_column(at, "bucket", pa.array(lengths(table.column("bucket"))))


def _cells(*tables: pa.Table) -> list[tuple[str, int]]:
    keys: set[tuple[str, int]] = set()
    for table in tables:
        pairs = table.group_by(["lang", "bucket"]).aggregate([])
        keys |= set(zip(*(pairs.column(n).to_pylist() for n in ("lang", "bucket")), strict=True))
    return sorted(keys)


def _of(table: pa.Table, lang: str, bucket: int) -> pa.Table:
    return table.filter((pc.field("lang") == lang) & (pc.field("bucket") == bucket))


def _by_source(table: pa.Table) -> dict[str, Scores]:
    """Scores by source, sources in their order."""
    names = table.column("source").to_numpy(zero_copy_only=False)
    scores = table.column("score").to_numpy()
    return {str(name): scores[names == name] for name in sorted(set(names.tolist()))}


def _hosts(controls: pa.Table) -> Scores:
    """The score of one control of each cluster: the one with the smallest hash."""
    rows = controls.sort_by([("cluster", "ascending"), ("text", "ascending")])
    cluster, scores = (rows.column(name).to_numpy() for name in ("cluster", "score"))
    return np.asarray(scores[np.append(True, cluster[1:] != cluster[:-1])[: len(scores)]])


def _cell(
    lang: str,
    bucket: int,
    run: Mapping[str, Scores],
    reference: Mapping[str, Scores],
    hosts: Scores,
    against: pa.Table,
    config: SyntheticConfig,
) -> Cell:
    everyone = {**run, **{f"reference:{name}": scores for name, scores in reference.items()}}
    left_out = _left_out(_large(everyone, config), config)
    speaking, covers = _speaking(run, reference, hosts, config)
    highest = _highest(speaking, config)
    enough = highest is not None and len(against) >= MIN_CONTROLS
    return Cell(
        lang=lang,
        bucket=bucket,
        controls={name: len(scores) for name, scores in everyone.items()},
        threshold=highest,
        covers=() if highest is None else covers,
        left_out=left_out,
        curve=_curve(speaking, against, config) if enough else None,
    )


def _speaking(
    run: Mapping[str, Scores],
    reference: Mapping[str, Scores],
    hosts: Scores,
    config: SyntheticConfig,
) -> tuple[dict[str, Scores], tuple[str, ...] | None]:
    """Whose controls make the threshold, and for whom: the cases above, in order."""
    own = _large(run, config)
    if len(hosts) >= MIN_CONTROLS and _held(_left_out(own, config), config):
        speaking = own | {"": hosts}
        if _held(_highest_rate(_highest(speaking, config), _large(reference, config)), config):
            return speaking, None
    return own, tuple(sorted(own))


def _large(groups: Mapping[str, Scores], config: SyntheticConfig) -> dict[str, Scores]:
    """The groups with enough texts to speak, given that all of them do."""
    large = {name: scores for name, scores in groups.items() if len(scores) >= MIN_CONTROLS}
    miss = _part(len(large))
    rate = repr(config.max_fpr)
    return {n: s for n, s in large.items() if exceedances(len(s), rate, miss) is not None}


def _part(groups: int) -> str:
    """The part of the chance to be wrong that each of so many groups has."""
    return str(decimal.Decimal(MISS) / max(1, groups))


def _highest(groups: Mapping[str, Scores], config: SyntheticConfig) -> int | None:
    """The highest threshold of any group; null where one has too few texts to say."""
    miss = _part(len(groups))
    asked = [threshold(scores, config.max_fpr, miss) for scores in groups.values()]
    able = [at for at in asked if at is not None]
    return max(able) if able and len(able) == len(asked) else None


def _curve(human: Mapping[str, Scores], against: pa.Table, config: SyntheticConfig) -> Curve:
    machine = list(_by_source(against).values())
    return fit(list(human.values()), machine, round(config.prior * UNIT))


def _held(rate: int | None, config: SyntheticConfig) -> bool:
    """Whether no source objects: `rate` is the highest of those that had no part."""
    return rate is None or rate <= round(config.max_fpr * UNIT)


def _left_out(groups: Mapping[str, Scores], config: SyntheticConfig) -> int | None:
    """The highest rate of a source under the others' threshold, in ten-thousandths, up."""
    if len(groups) < 2:
        return None
    rates = [
        _highest_rate(_highest({n: s for n, s in groups.items() if n != name}, config), {name: own})
        for name, own in groups.items()
    ]
    return max(rate for rate in rates if rate is not None)


def _highest_rate(at: int | None, groups: Mapping[str, Scores]) -> int | None:
    """The highest share of a group above a threshold, in ten-thousandths, up; null of none."""
    above = [len(s) if at is None else int((s > at).sum()) for s in groups.values()]
    texts = (len(scores) for scores in groups.values())
    return max((-(-n * UNIT // of) for n, of in zip(above, texts, strict=True)), default=None)
