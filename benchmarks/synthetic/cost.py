"""CPU of the classifier, the words and the search for artefacts, a document of 2,500 characters.

    python -m benchmarks.synthetic.cost --text FILE [--model FILE]

Cuts the texts of a JSON Lines file into a thousand documents and prints the least
CPU of seven runs.
"""

from __future__ import annotations

import argparse
import pathlib
import time
from collections.abc import Callable

import pyarrow as pa

from transforms.synthetic.classifier import load_classifier
from transforms.synthetic.examples import read_examples
from transforms.synthetic.tag import tag
from transforms.synthetic.words import load_words

__all__ = ["main"]

_CHARS, _DOCUMENTS, _RUNS = 2500, 1000, 7


def _least(run: Callable[[], object]) -> float:
    """Microseconds of CPU a document; the first run, which compiles, does not count."""
    run()
    spent = []
    for _ in range(_RUNS):
        begun = time.process_time()
        run()
        spent.append(time.process_time() - begun)
    return min(spent) / _DOCUMENTS * 1e6


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--text", type=pathlib.Path, required=True, metavar="FILE")
    parser.add_argument("--model", metavar="FILE", help="default: the one that ships")
    given = parser.parse_args()
    joined = " ".join(read_examples([given.text]).text.to_pylist())
    if len(joined) < _CHARS * _DOCUMENTS:
        raise SystemExit(f"{given.text} has {len(joined):,} characters, not 2,500,000")
    documents = pa.array([joined[n * _CHARS :][:_CHARS] for n in range(_DOCUMENTS)])
    undeclared = pa.nulls(_DOCUMENTS, pa.string())
    classifier = load_classifier(given.model)
    print(f"classifier: {_least(lambda: classifier.score(documents)):.1f} us a document")
    words, english = load_words(), pa.array(["eng_Latn"] * _DOCUMENTS)
    print(f"words: {_least(lambda: words.score(documents, english)):.1f} us a document")
    print(f"artefacts: {_least(lambda: tag(documents, undeclared)):.1f} us a document")


if __name__ == "__main__":
    main()
