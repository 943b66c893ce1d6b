"""False positives on human texts that the model never saw.

    python -m benchmarks.synthetic.unseen --scores FILE --human FILE...

The operating point is the score that 1 % of the held-out human scores exceed,
those of all files of the language alike (`benchmarks.synthetic.heldout --scores`).
Human texts are JSON Lines with `text`; a long one is cut into pieces of 2,500
characters, at most four of each. `lang` is taken from the line, or English.
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

from transforms.synthetic.attacks import ATTACKS, attacked
from transforms.synthetic.classifier import load_classifier

__all__ = ["main"]

_PIECE, _PIECES = 2500, 4
_DRAWN = 1000
_RATE = 0.01


def operating_points(path: pathlib.Path) -> dict[str, float]:
    """The threshold of each language, from held-out scores of human texts."""
    scores: dict[str, dict[str, list[int]]] = collections.defaultdict(
        lambda: collections.defaultdict(list)
    )
    for line in path.read_bytes().splitlines():
        row = orjson.loads(line)
        if row["label"] == "human":
            scores[row["lang"]][row["source"]].append(row["score"])
    rng = np.random.default_rng(0)
    points = {}
    for lang, sources in scores.items():
        drawn = np.concatenate([rng.choice(own, _DRAWN) for own in sources.values()])
        points[lang] = float(np.quantile(drawn, 1 - _RATE))
    return points


def _pieces(path: pathlib.Path, most: int) -> Iterator[tuple[str, str]]:
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        for number, line in enumerate(file):
            if number >= most:
                return
            row = orjson.loads(line)
            for first in range(0, min(len(row["text"]), _PIECE * _PIECES), _PIECE):
                yield row.get("lang", "eng_Latn"), row["text"][first : first + _PIECE]


def _share(scores: pa.Int16Array, point: float) -> str:
    valid = scores.drop_null().to_numpy()
    over = (valid > point).mean() if len(valid) else float("nan")
    return f"{over:.4f} of {len(valid)}"


def main() -> None:
    """Prints the share of human texts above the operating point, as they are and perturbed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scores", type=pathlib.Path, required=True, metavar="FILE")
    parser.add_argument("--human", type=pathlib.Path, nargs="+", required=True, metavar="FILE")
    parser.add_argument("--model", metavar="FILE", help="default: the one that ships")
    parser.add_argument("--most", type=int, default=3000, help="lines of each file")
    given = parser.parse_args()
    points = operating_points(given.scores)
    classifier = load_classifier(given.model)
    print(f"operating points: {points}")
    for path in given.human:
        by_lang: dict[str, list[str]] = collections.defaultdict(list)
        for lang, text in _pieces(path, given.most):
            by_lang[lang].append(text)
        for lang, texts in by_lang.items():
            column = pa.array(texts, pa.string())
            point = points.get(lang, float("nan"))
            print(f"{path.name} {lang}: {_share(classifier.score(column), point)}", flush=True)
            for name in ATTACKS:
                perturbed = classifier.score(attacked(column, name))
                print(f"    {name}: {_share(perturbed, point)}", flush=True)


if __name__ == "__main__":
    main()
