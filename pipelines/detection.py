"""Measures classifiers of machine-made text and prints what came out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson
from rich.console import Console

from pipelines.report import print_slices
from transforms.synthetic.classifier import load_classifier
from transforms.synthetic.evaluate import evaluate, evaluate_attacks, scored
from transforms.synthetic.examples import read_examples

__all__ = ["evaluate_synthetic"]


def evaluate_synthetic(
    data: Sequence[Path], model: str | None, console: Console, *, attacks: bool, as_json: bool
) -> None:
    """Judges a classifier of machine text on texts of known origin, and prints the slices.

    Args:
        data: Files that `synthetic.examples` understands.
        model: Its path; None for the package's.
        console: Where the table goes.
        attacks: Also after each attack.
        as_json: JSON Lines on standard output instead of a table.
    """
    examples, classifier = read_examples(data), load_classifier(model)
    found = scored(examples, classifier)
    slices = evaluate(found)
    if attacks:
        slices += evaluate_attacks(found, classifier)
    if as_json:
        for one in slices:
            print(orjson.dumps(one).decode())
    else:
        print_slices(slices, len(examples), console)
