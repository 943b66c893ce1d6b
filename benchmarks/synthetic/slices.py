"""Everything `holdfast evaluate synthetic` prints, by models that never saw the texts' family.

    python -m benchmarks.synthetic.slices --data FILE... [--reference FILE] [--most N] [--attacks]

For every family of files (what stands before `__` in a name) a classifier is trained on all
the others. It scores the family's texts, and the table of reference scores without the
family says what the scores mean, as in a run without controls of its own.
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
from collections.abc import Sequence

import numpy as np

from benchmarks.synthetic.folds import thinned
from pipelines.detection import print_slices
from pipelines.report import console
from transforms.synthetic.attacks import ATTACKS
from transforms.synthetic.classifier import Classifier, load_classifier
from transforms.synthetic.config import SyntheticConfig
from transforms.synthetic.evaluate import Scored, after, attack_slice, evaluate, joined, scored
from transforms.synthetic.examples import Examples, is_untuned, read_examples
from transforms.synthetic.reference import load_reference
from transforms.synthetic.train import make_model
from transforms.synthetic.travel import family_of

__all__ = ["main"]


def _left_out(
    examples: Examples, asked: Examples, family: str, config: SyntheticConfig
) -> tuple[Scored, Classifier]:
    """The texts of a family, by a classifier of the others."""
    families = np.array([family_of(name) for name in examples.source.tolist()])
    model = make_model(examples.take(families != family))
    model = dataclasses.replace(model, languages=tuple(sorted(load_classifier().languages)))
    classifier = Classifier(model, digest="")
    own = np.array([family_of(name) == family for name in asked.source.tolist()])
    rows = load_reference(config.reference).rows
    return scored(asked.take(own), classifier, rows, config), classifier


def _print(examples: Examples, most: int, config: SyntheticConfig, attacks: Sequence[str]) -> None:
    tuned = np.array([not is_untuned(name) for name in examples.generator.tolist()])
    asked = thinned(examples.take(tuned), most)
    parts: dict[str, list[Scored]] = {name: [] for name in ("", *attacks)}
    for family in sorted({family_of(name) for name in asked.source.tolist()}):
        found, classifier = _left_out(examples, asked, family, config)
        for name, scores in parts.items():
            scores.append(after(found, classifier, name) if name else found)
    slices = evaluate(joined(parts.pop("")))
    slices += [attack_slice(joined(found), name) for name, found in parts.items()]
    print_slices(slices, len(asked), console())


def main() -> None:
    """Trains, judges and prints, without texts of models never tuned to follow instructions."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", type=pathlib.Path, required=True, metavar="FILE")
    parser.add_argument("--reference", metavar="FILE", help="table of reference scores")
    parser.add_argument("--most", type=int, default=300, help="texts of a kind (default 300)")
    parser.add_argument("--attacks", action="store_true", help="attacked texts, too")
    given = parser.parse_args()
    config = SyntheticConfig(reference=given.reference)
    attacks = tuple(ATTACKS) if given.attacks else ()
    _print(read_examples(given.data), given.most, config, attacks)


if __name__ == "__main__":
    main()
