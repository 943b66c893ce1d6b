"""What a classifier and its calibration are worth on texts of known origin, slice by slice.

What is said of a text is what a run without controls of its own says (`judge`): by the
table of reference scores, of which the family of the text's own file is left out, so that
no text is judged by itself. Where that table does not speak, the tag abstains.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.synthetic.attacks import ATTACKS, attacked
from transforms.synthetic.calibrate import calibrate
from transforms.synthetic.cells import Calibration
from transforms.synthetic.classifier import Classifier
from transforms.synthetic.config import SyntheticConfig
from transforms.synthetic.examples import HUMAN, MACHINE, MIXED, Examples
from transforms.synthetic.judge import JUDGED, Judgement, judge
from transforms.synthetic.posterior import UNIT
from transforms.synthetic.quality import auroc, expected_calibration_error, tpr_at
from transforms.synthetic.sample import CONTROL
from transforms.synthetic.travel import family_of

__all__ = [
    "RATE",
    "Scored",
    "Slice",
    "after",
    "attack_slice",
    "evaluate",
    "evaluate_attacks",
    "joined",
    "scored",
]

RATE: Final = 0.01
"""The false-positive rate at which `tpr` is measured."""

_LENGTHS: Final = (250, 500, 1000, 2000, 4000, 1 << 30)

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True, slots=True)
class Slice:
    """Figures for some of the texts; NaN where there is nothing to compute them from.

    Attributes:
        kind: What the texts have in common: `data set`, `generator`, ...
        name: Which one.
        human: Human texts that have a score.
        machine: Machine texts that have a score.
        auroc: Of human against machine texts.
        tpr: Share of machine texts found at a false-positive rate of 1 % within the slice.
        abstains: Share of the texts of which nothing is said.
        fpr: Share of the other human texts that are tagged.
        found: Share of the other machine texts that are tagged.
        error: Expected calibration error of their probabilities, at the prior.
    """

    kind: str
    name: str
    human: int
    machine: int
    auroc: float
    tpr: float
    abstains: float
    fpr: float
    found: float
    error: float


@dataclasses.dataclass(frozen=True, slots=True)
class Scored:
    """Examples that have a score, and what is said of them.

    Attributes:
        examples: The examples.
        scores: Thousandths.
        said: Probability, whether anything is said, and whether the tag is likely machine.
        calibrations: By family of files.
        prior: At which probabilities are stated.
    """

    examples: Examples
    scores: Floats
    said: Judgement
    calibrations: Mapping[str, Calibration]
    prior: float


def scored(
    examples: Examples, classifier: Classifier, reference: pa.Table, config: SyntheticConfig
) -> Scored:
    """Scores examples and judges them; those too short for a score are left out.

    Args:
        examples: Of known origin.
        classifier: What gives the scores.
        reference: Rows of `sample.REFERENCE` of that classifier.
        config: Prior and rate.
    """
    raw, letters = classifier.read(examples.text)
    kept = examples.take(raw.is_valid().to_numpy(zero_copy_only=False))
    calibrations = {
        family: calibrate(CONTROL.empty_table(), _without(reference, family), config)
        for family in sorted({family_of(source) for source in kept.source.tolist()})
    }
    said = _judged(kept, raw.drop_null(), letters.drop_null(), calibrations)
    scores = raw.drop_null().to_numpy().astype(np.float64)
    return Scored(kept, scores, said, calibrations, config.prior)


def _without(reference: pa.Table, family: str) -> pa.Table:
    """Reference rows of other families."""
    names = reference.column("source").to_pylist()
    return reference.filter(pa.array([family_of(name) != family for name in names], pa.bool_()))


def _judged(
    examples: Examples,
    scores: pa.Int16Array,
    letters: pa.Int16Array,
    calibrations: Mapping[str, Calibration],
) -> Judgement:
    """Every text by the calibration that leaves its family out."""
    n = len(examples)
    said = Judgement(np.full(n, -1, np.int16), np.zeros(n, bool), np.zeros(n, bool))
    columns = [pa.array(examples.lang), pa.array(examples.chars), pa.nulls(n, pa.string())]
    rows = pa.table([*columns, scores, letters], names=list(JUDGED))
    families = np.array([family_of(source) for source in examples.source.tolist()])
    for family, calibration in calibrations.items():
        here = np.flatnonzero(families == family)
        own = judge(rows.take(pa.array(here)), calibration)
        said.p[here], said.covered[here], said.above[here] = own.p, own.covered, own.above
    return said


def evaluate(given: Scored) -> list[Slice]:
    """Figures of all texts, and by data set, generator, domain, language and length."""
    return [
        _slice(given, kind, name, human, machine) for kind, name, human, machine in _masks(given)
    ]


def _masks(given: Scored) -> Iterator[tuple[str, str, Mask, Mask]]:
    examples = given.examples
    human, machine = examples.label == HUMAN, examples.label == MACHINE
    yield "all", "all", human, machine
    for source in np.unique(examples.source):
        here = examples.source == source
        yield "data set", str(source), human & here, machine & here
    for generator in np.unique(examples.generator[machine]):
        own = machine & (examples.generator == generator)
        # A generator is told from the human texts that lie beside its own.
        beside = human & np.isin(examples.places, examples.places[own])
        yield "generator", str(generator), beside, own
    for kind, column in (("domain", examples.domain), ("language", examples.lang)):
        for name in np.unique(column):
            yield kind, str(name), human & (column == name), machine & (column == name)
    chars = examples.chars
    for least, most in itertools.pairwise(_LENGTHS):
        here = (chars >= least) & (chars < most)
        name = f"{least} to {most - 1}" if most < 1 << 30 else f"{least} and more"
        yield "characters", name, human & here, machine & here
    mixed = examples.label == MIXED
    for generator in np.unique(examples.generator[mixed]):
        own = mixed & (examples.generator == generator)
        yield (
            "human, reworked",
            str(generator),
            human & np.isin(examples.places, examples.places[own]),
            own,
        )


def _slice(given: Scored, kind: str, name: str, human: Mask, machine: Mask) -> Slice:
    low, high = given.scores[human], given.scores[machine]
    either, said = human | machine, given.said
    known = either & (said.p >= 0)
    return Slice(
        kind,
        name,
        int(human.sum()),
        int(machine.sum()),
        auroc(low, high),
        tpr_at(low, high, RATE),
        _share(~said.covered[either]),
        _share(said.above[human & said.covered]),
        _share(said.above[machine & said.covered]),
        expected_calibration_error(said.p[known] / UNIT, machine[known], prior=given.prior),
    )


def _share(flags: Mask) -> float:
    return float(flags.mean()) if len(flags) else float("nan")


def evaluate_attacks(given: Scored, classifier: Classifier) -> list[Slice]:
    """The same figures after each attack; the calibrations are those of unchanged text."""
    return [attack_slice(after(given, classifier, name), name) for name in ATTACKS]


def attack_slice(given: Scored, name: str) -> Slice:
    """Figures of all texts after an attack."""
    label = given.examples.label
    return _slice(given, "attack", name, label == HUMAN, label == MACHINE)


def after(given: Scored, classifier: Classifier, name: str) -> Scored:
    """The examples after an attack.

    Args:
        given: The examples as they are.
        classifier: What gave their scores.
        name: One of `attacks.ATTACKS`.
    """
    text = attacked(given.examples.text, name)
    raw, letters = classifier.read(text)
    changed = dataclasses.replace(given.examples, text=text)
    said = _judged(changed, raw, letters, given.calibrations)
    # A text that lost its score to an attack is not found.
    scores = raw.fill_null(-(1 << 15)).to_numpy().astype(np.float64)
    return dataclasses.replace(given, examples=changed, scores=scores, said=said)


def joined(parts: Sequence[Scored]) -> Scored:
    """Examples of several families, each judged by a classifier of its own, as one."""
    examples = [part.examples for part in parts]
    names = [field.name for field in dataclasses.fields(Examples)[1:]]
    columns = (np.concatenate([getattr(part, name) for part in examples]) for name in names)
    text = pa.concat_arrays([part.text for part in examples])
    said = (
        np.concatenate([getattr(part.said, name) for part in parts])
        for name in ("p", "covered", "above")
    )
    calibrations = {family: made for part in parts for family, made in part.calibrations.items()}
    scores = np.concatenate([part.scores for part in parts])
    judged = Judgement(*said)
    return Scored(Examples(text, *columns), scores, judged, calibrations, parts[0].prior)
