"""Measures classifiers of machine-made text and prints what came out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import orjson
from rich.console import Console

from transforms.synthetic.classifier import load_classifier
from transforms.synthetic.config import SyntheticConfig
from transforms.synthetic.evaluate import Slice, evaluate, evaluate_attacks, scored
from transforms.synthetic.examples import read_examples
from transforms.synthetic.reference import reference_of
from transforms.synthetic.score import load_scorer

__all__ = ["evaluate_synthetic", "print_slices"]

_FIGURES = ("human", "machine", "auroc", "tpr", "abstains", "fpr", "found", "error")


def evaluate_synthetic(
    data: Sequence[Path],
    config: SyntheticConfig,
    console: Console,
    *,
    attacks: bool,
    as_json: bool,
) -> None:
    """Judges a classifier of machine text and its calibration, and prints the slices.

    Args:
        data: Files that `synthetic.examples` understands.
        config: Names the classifier and the table of reference scores.
        console: Where the table goes.
        attacks: Also after each attack.
        as_json: JSON Lines on standard output instead of a table.
    """
    examples, scorer = read_examples(data), load_scorer(config.model)
    classifier = load_classifier(config.model)
    found = scored(examples, classifier, reference_of(scorer.digest, config).rows, config)
    slices = evaluate(found)
    if attacks:
        slices += evaluate_attacks(found, classifier)
    if as_json:
        for one in slices:
            print(orjson.dumps(one).decode())
    else:
        print_slices(slices, len(examples), console)


def print_slices(slices: Sequence[Slice], given: int, console: Console) -> None:
    """Figures of a classifier, a line each.

    Args:
        slices: What `transforms.synthetic.evaluate` found.
        given: Examples that were read, those too short for a score included.
        console: Where to.
    """
    line = "{:17}{:40}{:>7}{:>8}{:>7}{:>7}{:>10}{:>7}{:>7}{:>7}"
    rows = [line.format("", "", *_FIGURES)]
    for one in slices:
        figures = (one.auroc, one.tpr, one.abstains, one.fpr, one.found, one.error)
        told = ("" if math.isnan(figure) else f"{figure:.3f}" for figure in figures)
        rows.append(line.format(one.kind, one.name[:39], one.human, one.machine, *told))
    console.file.write("\n".join(row.rstrip() for row in rows) + "\n")
    scored = next((one.human + one.machine for one in slices if one.kind == "all"), 0)
    console.file.write(
        f"{given:,} examples; {scored:,} human or machine texts are long enough. tpr: found at 1 % "
        f"false positives\nwithin the line; fpr, found: tagged where the calibration by other "
        f"families of files does not abstain.\nFigures of texts that the model was trained on say "
        f"nothing about others\n"
    )
