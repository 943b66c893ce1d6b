"""False positives on human texts that neither the model nor the calibration ever saw.

    python -m benchmarks.synthetic.unseen --human FILE... [--reference FILE]

What is tagged of human texts as they are and after each attack, as in a run in which their
source has no controls. Texts are JSON Lines with `text`; a long one is cut into pieces of
2,500 characters, at most four of each. `lang` is taken from the line, or English.
"""

from __future__ import annotations

import argparse
import collections
import gzip
import pathlib
from collections.abc import Iterator

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from transforms.synthetic.attacks import ATTACKS, attacked
from transforms.synthetic.calibrate import calibrate
from transforms.synthetic.cells import Calibration
from transforms.synthetic.classifier import Classifier, load_classifier
from transforms.synthetic.config import SyntheticConfig
from transforms.synthetic.judge import JUDGED, judge
from transforms.synthetic.reference import load_reference
from transforms.synthetic.sample import CONTROL

__all__ = ["main"]

_PIECE, _PIECES = 2500, 4


def _pieces(path: pathlib.Path, most: int) -> Iterator[tuple[str, str]]:
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        for number, line in enumerate(file):
            if number >= most:
                return
            row = orjson.loads(line)
            for first in range(0, min(len(row["text"]), _PIECE * _PIECES), _PIECE):
                yield row.get("lang", "eng_Latn"), row["text"][first : first + _PIECE]


def _told(text: pa.StringArray, lang: str, model: Classifier, calibration: Calibration) -> str:
    """How many texts have a score, of how many something is said, how many are tagged."""
    scores, letters = model.read(text)
    n = len(text)
    columns = [pa.array([lang] * n), pc.utf8_length(text), pa.nulls(n, pa.string())]
    said = judge(pa.table([*columns, scores, letters], names=list(JUDGED)), calibration)
    covered = int(said.covered.sum())
    rate = np.count_nonzero(said.above) / max(1, covered)
    return f"{len(scores.drop_null())} scored, {covered} covered, {rate:.4f} of these tagged"


def main() -> None:
    """Prints the share of human texts that are tagged, as they are and perturbed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--human", type=pathlib.Path, nargs="+", required=True, metavar="FILE")
    parser.add_argument("--reference", metavar="FILE", help="default: the one that ships")
    parser.add_argument("--most", type=int, default=3000, help="lines of each file")
    given = parser.parse_args()
    classifier, rows = load_classifier(), load_reference(given.reference).rows
    calibration = calibrate(CONTROL.empty_table(), rows, SyntheticConfig())
    for path in given.human:
        by_lang: dict[str, list[str]] = collections.defaultdict(list)
        for lang, text in _pieces(path, given.most):
            by_lang[lang].append(text)
        for lang, texts in by_lang.items():
            column = pa.array(texts, pa.string())
            told = _told(column, lang, classifier, calibration)
            print(f"{path.name} {lang}: {told}", flush=True)
            for name in ATTACKS:
                changed = _told(attacked(column, name), lang, classifier, calibration)
                print(f"    {name}: {changed}", flush=True)


if __name__ == "__main__":
    main()
