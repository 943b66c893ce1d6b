"""What a run's decisions add to labels: tail precision and recall on a noisy corpus.

    PYTHONPATH=.:scripts python -m benchmarks.languages --data FILE... --model HALF.ftz \
        --words HALF.tsv

HALF.ftz and HALF.tsv are made (`holdfast train langid`, `scripts/build_words.py`) of every
other sentence of each source. The corpus is what the rest makes, few texts of each tail
language and many of the others; texts in languages that the model lacks; and texts of the
others with every word reversed, or their bytes misread.
"""

from __future__ import annotations

import argparse
import csv
import functools
import gzip
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson
import pyarrow as pa
from build_words import documents

from transforms.errors import InputError
from transforms.langid import identify as identifying
from transforms.langid import policy, words
from transforms.langid.config import LangidConfig
from transforms.langid.labels import canonical
from transforms.langid.model import LanguageModel, load_model
from transforms.langid.registry import load_registry
from transforms.langid.train import read_sentences
from transforms.staging.survey.decisions import Policy, decide_rows

__all__ = ["main"]

Rows = list[tuple[str, str]]
"""True label (empty for noise) and text."""

_TAIL_TEXTS, _HEAD_TEXTS = 6, 120
_REVERSED, _MISREAD = 600, 400
_BOUNDS = ((0.3, 0.5), (0.5, 0.5), (0.5, 0.7), (0.5, 0.8), (0.5, 0.9), (0.7, 0.8), (0.8, 0.8))
"""`min_score` and `enough_score` that are tried."""


def _unseen(paths: Sequence[Path], model: LanguageModel) -> Rows:
    found: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        with gzip.open(path, "rb") as file:
            for row in map(orjson.loads, file):
                try:
                    found[canonical(row["lang"])].append(row["text"])
                except InputError:
                    continue
    unknown = sorted(set(found) - set(model.labels))
    return [("", text) for label in unknown for text in documents(found[label])]


def _corpus(paths: Sequence[Path], model: LanguageModel) -> Rows:
    rng, rows, registry = random.Random(1), [], load_registry()
    for label, sources in read_sentences(paths).items():
        texts = [text for given in sources.values() for text in documents(given[1::2])]
        rng.shuffle(texts)
        most = _TAIL_TEXTS if registry.is_tail(label) else _HEAD_TEXTS
        rows += [(label, text) for text in texts[:most]]
    heads = [text for label, text in rows if not registry.is_tail(label)]
    noise = [" ".join(w[::-1] for w in text.split()) for text in rng.sample(heads, _REVERSED)]
    noise += [text.encode().decode("latin-1") for text in rng.sample(heads, _MISREAD)]
    return [*rows, *_unseen(paths, model), *(("", text) for text in noise)]


def _decided(scored: pa.RecordBatch, settings: Mapping[str, float]) -> list[str]:
    config = LangidConfig(**settings)
    one = Policy(
        "langid", policy.KEYS, policy.READS, functools.partial(policy.count, config=config),
        functools.partial(policy.decide, config=config), (), lambda table, _: table,
    )  # fmt: skip
    decision = decide_rows([scored], one)["langid"]
    applied = policy.apply(pa.Table.from_batches([scored]), decision, config)
    return applied.column("lang").to_pylist()


def _tell(name: str, truth: Sequence[str], said: Sequence[str | None]) -> None:
    registry = load_registry()
    pairs = list(zip(truth, said, strict=True))
    tail = [true == label for true, label in pairs if label and registry.is_tail(label)]
    real = [true == label for true, label in pairs if true and registry.is_tail(true)]
    head = [true == label for true, label in pairs if true and not registry.is_tail(true)]
    shares = [sum(some) / len(some) for some in (tail, real, head)]
    print(f"{name:28}{shares[0]:14.4f}{len(tail):8}{shares[1]:12.4f}{shares[2]:12.4f}")


def main() -> None:
    """Prints a line a policy."""
    parser = argparse.ArgumentParser(description="tail precision by policy")
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--words", type=Path, required=True)
    given = parser.parse_args()
    with given.words.open(encoding="utf-8") as file:
        file.readline()
        rows = csv.DictReader(file, words._COLUMNS, delimiter="\t", quoting=csv.QUOTE_NONE)
        lists = words.WordLists([words._word_list(row) for row in rows])
    identifying.load_word_lists = policy.load_word_lists = lambda: lists  # type: ignore[assignment]
    model = load_model(given.model)
    corpus = _corpus(given.data, model)
    truth, text = zip(*corpus, strict=True)
    texts = pa.array(text, pa.string())
    scored = identifying.identify(texts, model, load_registry(), LangidConfig())
    print(f"{'':28}{'tail precision':>14}{'of':>8}{'recall':>12}{'head right':>12}")
    _tell("best label", truth, scored.column("lang_best").to_pylist())
    _tell("row alone", truth, scored.column("lang").to_pylist())
    for name, settings in (
        ("thresholds", {"max_contamination": 1.0}),
        ("thresholds and words", {}),
        *(
            (f"the same, {low} to {high}", {"min_score": low, "enough_score": high})
            for low, high in _BOUNDS
        ),
    ):
        _tell(name, truth, _decided(scored, settings))


if __name__ == "__main__":
    main()
