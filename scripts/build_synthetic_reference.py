"""Builds transforms/data/synthetic_words.json and synthetic_reference.parquet.

    python scripts/build_synthetic_reference.py FILE...

The files are JSON Lines (.gz): text, label, generator, domain, lang; what stands before
`__` in their names is the family of sets that they belong to.

What a classifier says of texts that it was trained on says nothing. Each family is
therefore scored by a classifier trained on all the others, and the table of words is
counted on one half of the texts and applied to the other. Run it again whenever
transforms/data/synthetic.bin changes: the table names the classifier that it is for.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.synthetic.classifier import Classifier, Model
from transforms.synthetic.examples import Examples, read_examples
from transforms.synthetic.labelled import fold_of, read_labelled
from transforms.synthetic.reference import reference_rows, write_reference
from transforms.synthetic.sample import REFERENCE
from transforms.synthetic.score import Scorer, load_scorer
from transforms.synthetic.train import make_model
from transforms.synthetic.words import WordTable, load_words
from transforms.synthetic.words_train import train_words

_DATA = Path(__file__).resolve().parent.parent / "transforms" / "data"
WORDS, TABLE = _DATA / "synthetic_words.json", _DATA / "synthetic_reference.parquet"


def family(path: Path) -> str:
    """What sets of one making have in common."""
    return path.name.partition("__")[0]


def left_out(examples: Examples, paths: Sequence[Path]) -> Model:
    """A model that saw none of the files."""
    names = {path.name.partition(".")[0] for path in paths}
    return make_model(examples.take(~np.isin(examples.source, sorted(names))))


def half_scorer(model: Model, languages: Sequence[str], words: WordTable) -> Callable[..., object]:
    """Scores by a model, as if it had been trained for all the languages."""
    whole = dataclasses.replace(model, languages=tuple(languages))
    scorer = Scorer(Classifier(whole, digest=""), words)

    def score(text: pa.StringArray, lang: pa.StringArray) -> tuple[pa.Array, ...]:
        margin, evidence, letters = scorer(text, lang)
        seen = pa.array([fold_of(given) == 0 for given in text.to_pylist()])
        return margin, pc.if_else(seen, pa.scalar(None, pa.int16()), evidence), letters

    return score


def build(paths: Sequence[Path]) -> None:
    """Writes both files."""
    train_words((text for text in read_labelled(paths) if fold_of(text.text) == 0), WORDS)
    words = load_words(str(WORDS))
    shipped = load_scorer()
    examples, rows = read_examples(paths), [REFERENCE.empty_table()]
    for name in sorted({family(path) for path in paths}):
        own = [path for path in paths if family(path) == name]
        score = half_scorer(left_out(examples, own), sorted(shipped.classifier.languages), words)
        rows.append(reference_rows(read_labelled(own), score))
        print(name, rows[-1].num_rows, flush=True)
    order = [(column, "ascending") for column in REFERENCE.names]
    write_reference(pa.concat_tables(rows).sort_by(order), shipped.digest, str(TABLE))


if __name__ == "__main__":
    raw = argparse.RawTextHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("files", nargs="+", type=Path)
    build(parser.parse_args().files)
