"""Leave one generator and one domain out: the only score that counts.

    python -m benchmarks.synthetic.heldout --data FILE... [--scores FILE] [--baseline] [--attacks]

For every file, language and generator of the data a model is trained on what
shares neither collection, nor domain, nor generator with them, and tested on the
rest: human texts of that file against that generator's, of 250 characters or
more. `--scores` keeps the held-out scores for calibration, a JSON line a text.
`--attacks` tests every model on attacked texts, too, human and machine alike.
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.synthetic.baseline import baseline_scores, plain_features
from benchmarks.synthetic.folds import Cell, cells, thinned
from transforms.synthetic.attacks import ATTACKS, attacked
from transforms.synthetic.classifier import MOST_CHARS, score_folded
from transforms.synthetic.examples import MACHINE, Examples, read_examples
from transforms.synthetic.folding import fold
from transforms.synthetic.quality import auroc, share_above, threshold_at, tpr_at
from transforms.synthetic.train import Material, fit_model, prepare, trainable
from transforms.synthetic.wording import vocabulary_table

__all__ = ["main"]

Scores = npt.NDArray[np.float64]
Versions = dict[str, Scores]
"""Scores of texts by what was done to them."""
PLAIN = "unchanged"
_DRAWN, _LEAST_OTHERS = 1000, 3
"""Scores drawn of each file, so that all weigh alike; files without which nothing is promised."""


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """Scores of one cell by one model."""

    cell: Cell
    human: Versions
    machine: Versions

    @property
    def figures(self) -> tuple[float, float]:
        """AUROC, and TPR at 1 % FPR."""
        human, machine = self.human[PLAIN], self.machine[PLAIN]
        return auroc(human, machine), tpr_at(human, machine, 0.01)

    def under(self, attack: str) -> tuple[float, float, float, float]:
        """AUROC and TPR with both sides attacked; what passes the unchanged texts' 1 % point."""
        human, machine = self.human[attack], self.machine[attack]
        point = threshold_at(self.human[PLAIN], 0.01)
        area, found = auroc(human, machine), tpr_at(human, machine, 0.01)
        return area, found, share_above(human, point), share_above(machine, point)


class Ours:
    """The classifier that ships."""

    def __init__(self, examples: Examples, attacks: Iterable[str] = ()) -> None:
        self._teaching = np.flatnonzero(trainable(examples))
        self._material = prepare(examples.take(self._teaching))
        texts = {PLAIN: examples.text}
        texts |= {name: attacked(examples.text, name) for name in attacks}
        self._folded = {
            name: fold(pc.utf8_slice_codeunits(text, 0, MOST_CHARS)) for name, text in texts.items()
        }

    def scores(self, train: npt.NDArray[np.bool_], test: npt.NDArray[np.int64]) -> Versions:
        """Thousandths, for the test rows."""
        model = fit_model(_part(self._material, train[self._teaching]))
        vocabulary = vocabulary_table(model.words)
        rows = pa.array(test)
        return {
            name: score_folded(folded.take(rows), model, vocabulary)[0].astype(np.float64)
            for name, folded in self._folded.items()
        }


class Plain:
    """The baseline."""

    def __init__(self, examples: Examples) -> None:
        folded = fold(pc.utf8_slice_codeunits(examples.text, 0, MOST_CHARS))
        self._features, self._bounds = plain_features(folded)
        self._machine = (examples.label == MACHINE).astype(np.float64)
        self._teaches = trainable(examples)

    def scores(self, train: npt.NDArray[np.bool_], test: npt.NDArray[np.int64]) -> Versions:
        """Margins, for the test rows."""
        rows = np.flatnonzero(train & self._teaches)
        bounds, machine = self._bounds, self._machine
        return {PLAIN: baseline_scores(self._features, bounds, machine, rows, test)}


def _part(material: Material, kept: npt.NDArray[np.bool_]) -> Material:
    rows = np.flatnonzero(kept[material.origin])
    return Material(
        material.folded.take(pa.array(rows)),
        material.origin[rows],
        material.machine[rows],
        material.place[rows],
        material.environment[rows],
        (),
    )


def _results(todo: list[Cell], model: Ours | Plain) -> Iterator[Result]:
    """Tests every cell; cells that may learn from the same texts share a model."""
    groups: dict[bytes, list[Cell]] = {}
    for cell in todo:
        groups.setdefault(cell.train.tobytes(), []).append(cell)
    for group in groups.values():
        tested = np.unique(np.concatenate([np.r_[cell.human, cell.machine] for cell in group]))
        scores = model.scores(group[0].train, tested)
        for cell in group:
            sides = [
                {name: own[np.searchsorted(tested, rows)] for name, own in scores.items()}
                for rows in (cell.human, cell.machine)
            ]
            yield Result(cell, sides[0], sides[1])


def _table(title: str, results: list[Result]) -> None:
    print(f"\n{title}: AUROC, TPR at 1 % FPR", flush=True)
    by_source: dict[str, list[Result]] = {}
    for result in results:
        by_source.setdefault(result.cell.source, []).append(result)
    means = []
    for source, group in by_source.items():
        figures = np.array([result.figures for result in group])
        means.append(figures.mean(axis=0))
        print(f"{source:36s} {means[-1][0]:.3f} {means[-1][1]:.3f}")
        for result, (area, share) in zip(group, figures, strict=True):
            cell = result.cell
            name = f"{cell.generator} {cell.lang}" + (" (untuned)" if cell.untuned else "")
            sizes = f"{len(cell.human)} human, {len(cell.machine)} machine"
            print(f"    {name:46s} {area:.3f} {share:.3f}   {sizes}")
    print(f"mean of files: {np.mean(means, axis=0).round(4)}")


def _summary(results: list[Result]) -> None:
    tuned = [result for result in results if not result.cell.untuned]
    _table("Chat systems only", tuned)
    print("\nChat systems, mean of cells: AUROC, TPR at 1 % FPR; FPR and TPR at the point")
    print("that 1 % of the unchanged human texts pass")
    for name in tuned[0].human:
        figures = np.mean([result.under(name) for result in tuned], axis=0)
        print(f"{name:20s} " + " ".join(f"{figure:.3f}" for figure in figures), flush=True)


def _points(results: list[Result]) -> None:
    """False positives where 1 % of the human texts of the other collections pass."""
    print("\nOperating point from the other collections: FPR, found of chat systems")
    human: dict[tuple[str, str], list[Scores]] = {}
    machine: dict[tuple[str, str], list[Scores]] = {}
    for result in results:
        place = (result.cell.lang, result.cell.source)
        human.setdefault(place, []).append(result.human[PLAIN])
        if not result.cell.untuned:
            machine.setdefault(place, []).append(result.machine[PLAIN])
    rng = np.random.default_rng(0)
    for (lang, source), own in human.items():
        others = [
            rng.choice(np.concatenate(scores), _DRAWN)
            for (spoken, other), scores in human.items()
            if spoken == lang and other.partition("__")[0] != source.partition("__")[0]
        ]
        if len(others) < _LEAST_OTHERS:
            print(f"{source:36s} {lang} no operating point: {len(others)} other collections")
            continue
        point = threshold_at(np.concatenate(others), 0.01)
        low, high = np.concatenate(own), np.concatenate(machine.get((lang, source), [own[0][:0]]))
        print(f"{source:36s} {lang} {share_above(low, point):.3f} {share_above(high, point):.3f}")


def _lines(results: list[Result], examples: Examples) -> Iterator[bytes]:
    chars = examples.chars
    for result in results:
        cell = result.cell
        for label, rows, scores in (
            ("human", cell.human, result.human[PLAIN]),
            ("machine", cell.machine, result.machine[PLAIN]),
        ):
            for row, score in zip(rows, scores, strict=True):
                yield orjson.dumps(
                    {
                        "source": cell.source,
                        "lang": cell.lang,
                        "generator": cell.generator,
                        "untuned": cell.untuned,
                        "domain": str(examples.domain[row]),
                        "label": label,
                        "row": int(row),
                        "chars": int(chars[row]),
                        "score": int(score),
                    }
                )


def main() -> None:
    """Trains, tests and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="+", type=pathlib.Path, required=True, metavar="FILE")
    parser.add_argument("--most", type=int, default=400, help="texts a kind (default 400)")
    parser.add_argument("--scores", type=pathlib.Path, metavar="FILE", help="keeps the scores")
    parser.add_argument("--baseline", action="store_true", help="the plain baseline, too")
    parser.add_argument("--attacks", action="store_true", help="attacked texts, too")
    given = parser.parse_args()
    examples = thinned(read_examples(given.data), given.most)
    todo = list(cells(examples))
    every = list(_results(todo, Ours(examples, ATTACKS if given.attacks else ())))
    results = [result for result in every if result.cell.generator]
    _table("Ours", results)
    _summary(results)
    _points(every)
    if given.scores:
        given.scores.write_bytes(b"".join(line + b"\n" for line in _lines(every, examples)))
    if given.baseline:
        under_test = [cell for cell in todo if cell.generator]
        plain = list(_results(under_test, Plain(examples)))
        _table("Baseline", plain)
        _summary(plain)


if __name__ == "__main__":
    main()
