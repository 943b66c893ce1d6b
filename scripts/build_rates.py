"""Measures how often the identifier errs, by label: `transforms/data/langid_rates.tsv`.

    python scripts/build_rates.py --data FILE... [--model HALF.ftz]

A model is trained by the recipe of the one that ships, on every other sentence of each
source, and tested on texts that the rest makes: the same number of each language at
most. Its errors are the shipped model's to a fair approximation; the registers are those
of the training data, so that text from elsewhere fares worse.
"""

from __future__ import annotations

import argparse
import gzip
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson
import pyarrow as pa
from build_words import documents

from transforms.langid.config import LangidConfig
from transforms.langid.identify import identify
from transforms.langid.model import LanguageModel, load_model
from transforms.langid.registry import load_registry
from transforms.langid.train import read_sentences, train

__all__ = ["main", "measure"]

_DEFAULT_OUT = Path(__file__).parent.parent / "transforms" / "data" / "langid_rates.tsv"
_MOST_TEXTS = 40
"""Of a language; more would let the large ones decide the rate of others' errors."""

Sentences = Mapping[str, Mapping[str, Sequence[str]]]


def _half(sentences: Sentences, folder: Path) -> Path:
    """Writes every other sentence of each source."""
    path = folder / "half.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for label, sources in sentences.items():
            for source, texts in sources.items():
                for text in texts[::2]:
                    row = {"text": text, "lang": label, "source": source}
                    file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
    return path


def _held_out(sentences: Sentences) -> list[tuple[str, str]]:
    """Label and text of the other half, an equal share of each source of a language."""
    found = []
    for label, sources in sentences.items():
        most = -(-_MOST_TEXTS // len(sources))
        for texts in sources.values():
            found += [(label, text) for text in documents(texts[1::2])[:most]]
    return found


def measure(sentences: Sentences, model: LanguageModel) -> list[tuple[str, int, int, int, int]]:
    """Label, texts tested, right ones, texts of others, wrong ones; by label."""
    held = _held_out(sentences)
    texts = pa.array([text for _, text in held], pa.string())
    found = identify(texts, model, load_registry(), LangidConfig()).column("lang").to_pylist()
    truth = [label for label, _ in held]
    tested, said = Counter(truth), Counter(found)
    right = Counter(true for true, label in zip(truth, found, strict=True) if true == label)
    rows = []
    for label in sorted(tested):
        wrong = said[label] - right[label]
        rows.append((label, tested[label], right[label], len(held) - tested[label], wrong))
    return rows


def main(argv: Sequence[str] | None = None) -> None:
    """Writes the rates."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="sentences, .jsonl.gz")
    parser.add_argument("--model", type=Path, help="made of every other sentence before")
    parser.add_argument("--out", type=Path, default=_DEFAULT_OUT, help="file to write")
    arguments = parser.parse_args(argv)
    sentences = read_sentences(arguments.data)
    with tempfile.TemporaryDirectory() as folder:
        model = arguments.model
        if model is None:
            model = Path(folder) / "half.ftz"
            train([_half(sentences, Path(folder))], model)
        rows = measure(sentences, load_model(str(model)))
    head = ("label", "tested", "right", "others", "wrong")
    lines = ["\t".join(map(str, row)) for row in (head, *rows)]
    arguments.out.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    tested, right = (sum(row[at] for row in rows) for at in (1, 2))
    print(f"{right} of {tested} texts in {len(rows)} languages are right")


if __name__ == "__main__":
    main()
