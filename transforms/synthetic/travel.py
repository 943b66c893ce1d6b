"""A threshold for texts of sources that have no controls: one a register, for any length.

Sources differ more than any one of them promises, so the threshold is the highest that
any source asks for, each held to half of `max_fpr`. Whether that is enough is measured:
every family of sources is left out in turn, and must be held to twice `max_fpr` by the
threshold of the others. If one is not, nothing is said of the register, and nothing is
said of a length in which the threshold would find less than a quarter of the machine-made
text that is known.

The register is visible in the text (`sample.cells_of`). Formal writing mostly fails the
test, plain writing mostly passes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.synthetic.cells import ELSEWHERE, Cell
from transforms.synthetic.config import SyntheticConfig
from transforms.synthetic.posterior import UNIT, fit
from transforms.synthetic.sample import BUCKETS, REGISTERS

__all__ = ["family_of", "travelling_cells"]

_ASKED = 0.5
"""Part of `max_fpr` of the texts of a source that may exceed its threshold."""
_BEARABLE = 2
"""How many times `max_fpr` of the texts of a family that was left out may do so."""
_LEAST_TEXTS = 40
"""Fewest texts of a source that is asked."""
_LEAST_FAMILIES = 4
"""Fewest families of sources: each must have three others that speak for it."""
_LEAST_FOUND = 0.25
"""Least share of machine-made text that has to lie above a threshold, over all sets alike."""
_LEAST_MACHINE = 20
"""Fewest texts of a set of machine-made text that is asked."""

_LENGTHS = len(BUCKETS) + 1

Scores = npt.NDArray[np.int16]


def travelling_cells(
    controls: pa.Table, human: pa.Table, machine: pa.Table, config: SyntheticConfig
) -> list[Cell]:
    """The cells of the registers in which a threshold travels.

    Args:
        controls: Rows of `sample.CONTROL` of the run.
        human: Rows of `sample.REFERENCE` of human texts with scores.
        machine: Likewise, of machine-made texts.
        config: Prior and rate.
    """
    found = []
    for lang in sorted(set(human.column("lang").to_pylist())):
        for register in range(REGISTERS):
            buckets = range(register * _LENGTHS, (register + 1) * _LENGTHS)
            run, shipped = (_of(table, lang, buckets) for table in (controls, human))
            named = {f"reference:{name}": scores for name, scores in shipped.items()}
            made = {bucket: _of(machine, lang, [bucket]) for bucket in buckets}
            known = _of(machine, lang, buckets)
            found += _cells(lang, run | named, made, known, config)
    return found


def _of(table: pa.Table, lang: str, buckets: Sequence[int]) -> dict[str, Scores]:
    """Scores by source, of one language and some buckets, sources in their order."""
    rows = table.filter(pc.field("lang") == lang)
    there = np.isin(rows.column("bucket").to_numpy(), buckets)
    names = rows.column("source").to_numpy(zero_copy_only=False)[there]
    scores = rows.column("score").to_numpy()[there]
    return {str(name): np.sort(scores[names == name]) for name in sorted(set(names.tolist()))}


def _cells(
    lang: str,
    groups: Mapping[str, Scores],
    made: Mapping[int, Mapping[str, Scores]],
    known: Mapping[str, Scores],
    config: SyntheticConfig,
) -> list[Cell]:
    """The cells of a register; none where the threshold does not travel.

    Args:
        lang: Language.
        groups: Human texts by source.
        made: Machine-made texts by bucket and kind.
        known: All of them by kind.
        config: Prior and rate.
    """
    asked = {name: scores for name, scores in groups.items() if len(scores) >= _LEAST_TEXTS}
    families = {family_of(name) for name in asked}
    if len(families) < _LEAST_FAMILIES:
        return []
    worst = max(_left_out(asked, family, config.max_fpr) for family in families)
    at = _highest(asked, config.max_fpr)
    able = [bucket for bucket, against in made.items() if _finds(against, at)]
    if worst > round(_BEARABLE * config.max_fpr * UNIT) or not able:
        return []
    texts = {name: len(scores) for name, scores in asked.items()}
    curve = fit(list(asked.values()), list(known.values()), round(config.prior * UNIT))
    return [Cell(lang, ELSEWHERE + bucket, texts, at, None, worst, curve) for bucket in able]


def family_of(name: str) -> str:
    """What sources of one making have in common: what stands before `__`."""
    return name.removeprefix("reference:").partition("__")[0]


def _highest(groups: Mapping[str, Scores], max_fpr: float) -> int:
    """The highest score that half of `max_fpr` of the texts of a source exceed."""
    rate = _ASKED * max_fpr
    return max(int(scores[len(scores) - 1 - int(rate * len(scores))]) for scores in groups.values())


def _left_out(groups: Mapping[str, Scores], family: str, max_fpr: float) -> int:
    """The highest rate of a source of a family by the others, in ten-thousandths, up."""
    at = _highest({n: s for n, s in groups.items() if family_of(n) != family}, max_fpr)
    own = [scores for name, scores in groups.items() if family_of(name) == family]
    return max(-(-int((scores > at).sum()) * UNIT // len(scores)) for scores in own)


def _finds(against: Mapping[str, Scores], at: int) -> bool:
    """Whether the threshold is worth having."""
    shares = [(s > at).mean() for s in against.values() if len(s) >= _LEAST_MACHINE]
    return bool(shares) and float(np.mean(shares)) >= _LEAST_FOUND
