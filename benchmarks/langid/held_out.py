"""Trains without a source, or without languages, and judges on what was left out.

    python -m benchmarks.langid.held_out --data FILE... [--source BEGINNING] [--plain]
    python -m benchmarks.langid.held_out --data FILE... --languages 75 [--draw N]

With `--source`, the model learns from the other sources, and is judged on sentences of
that one, and on documents of ten of them. With `--languages`, that many languages
drawn at random are left out wholly; their texts measure what is refused (of all sources,
and of the source that is left out), texts of the others in that source what is accepted.
`--plain` trains a fastText model on the same sentences as they stand (32 dimensions,
n-grams of 2 to 4, 8 passes) and judges it on the same texts.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import fasttext
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.langid.bayes_file import write_bayes_model
from transforms.langid.config import LangidConfig
from transforms.langid.evaluate import Identifier, Report, evaluate
from transforms.langid.identify import identify
from transforms.langid.model import load_model
from transforms.langid.registry import UNDETERMINED, load_registry
from transforms.langid.train import learn, read_sentences

__all__ = ["AFRICAN", "main", "without"]

Said = tuple[list[str], npt.NDArray[np.float64]]
Sentences = Mapping[str, Mapping[str, Sequence[str]]]

AFRICAN = frozenset(
    """
    aar ada amh bam bem dag ewe fon fuv gaa gaz hau ibo kab kin kmb lin loz lua lug mos nbl
    nso nya pcm run sag sna som sot ssw swh tir tiv tsn tso twi umb ven wol xho yao yor zul
    """.split()  # noqa: SIM905 (codes read better than a list of strings)
)
"""Languages that the figures for Africa are about."""

_PER_LANGUAGE = {1: 60, 10: 40}
_THRESHOLDS = (0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9)


def _texts(
    sentences: Sentences, source: str, joined: int, seed: int = 5
) -> tuple[list[str], list[str]]:
    """Texts of so many sentences of a source, and their labels."""
    rng = random.Random(seed)
    texts, labels = [], []
    for label, sources in sentences.items():
        for name, pool in sources.items():
            if name.startswith(source):
                count = min(
                    _PER_LANGUAGE[joined], len(pool) if joined == 1 else max(5, len(pool) // 3)
                )
                picks = (
                    [[text] for text in rng.sample(list(pool), count)]
                    if joined == 1
                    else [rng.choices(list(pool), k=joined) for _ in range(count)]
                )
                texts += [" ".join(pick) for pick in picks]
                labels += [label] * count
    return texts, labels


def without(sentences: Sentences, source: str | None, languages: frozenset[str]) -> Sentences:
    """Sentences of other sources in other languages, if there are enough of a language."""
    kept = {
        label: {
            name: texts
            for name, texts in sources.items()
            if source is None or not name.startswith(source)
        }
        for label, sources in sentences.items()
        if label not in languages
    }
    return {label: own for label, own in kept.items() if sum(map(len, own.values())) >= 25}


def _ours(sentences: Sentences, folder: Path) -> Identifier:
    path = folder / "model.bayes"
    path.write_bytes(write_bayes_model(learn(sentences)))
    model, registry, config = load_model(str(path)), load_registry(), LangidConfig()

    def said(texts: Sequence[str]) -> Said:
        # The best label, whatever its score: the thresholds are tried afterwards.
        found = identify(pa.array(texts, pa.string()), model, registry, config)
        labels = found.column("lang_best").fill_null(UNDETERMINED).to_pylist()
        return labels, np.array(found.column("lang_score"), np.float64)

    return said


def _plain(sentences: Sentences, folder: Path) -> Identifier:
    lines = [
        f"__label__{label} {' '.join(text.split())}\n"
        for label, sources in sentences.items()
        for texts in sources.values()
        for text in texts
    ]
    random.Random(0).shuffle(lines)
    path = folder / "lines.txt"
    path.write_text("".join(lines), encoding="utf-8")
    model = fasttext.train_supervised(
        str(path), minn=2, maxn=4, dim=32, epoch=8, lr=0.5, bucket=1 << 18,
        minCount=1_000_000_000, thread=1, verbose=0, loss="softmax",
    )  # fmt: skip

    def said(texts: Sequence[str]) -> Said:
        labels, scores = model.predict([" ".join(text.split()) for text in texts])
        names = [one[0].removeprefix("__label__") if one else "und" for one in labels]
        return names, np.array([one[0] if len(one) else 0.0 for one in scores], np.float64)

    return said


def _mean_f1(report: Report, *, african: bool) -> float:
    found = [row.f1 for row in report.rows if (row.label[:3] in AFRICAN) == african]
    return sum(found) / len(found) if found else 0.0


def _told(name: str, said: Identifier, texts: Sequence[str], labels: Sequence[str]) -> None:
    report = evaluate(texts, labels, said)
    f1 = {row.label: row.f1 for row in report.rows}
    print(
        f"{name}: {report.texts:,} texts, macro-F1 {report.macro_f1:.4f}, "
        f"African {_mean_f1(report, african=True):.4f}, "
        f"others {_mean_f1(report, african=False):.4f}, "
        f"ind {f1.get('ind_Latn', 0):.3f}, zsm {f1.get('zsm_Latn', 0):.3f}, "
        f"calibration error {report.calibration_error:.4f}"
    )
    given, scores = said(texts)
    right = np.array(given) == np.array(labels)
    for least in _THRESHOLDS:
        kept = scores >= least
        precision = right[kept].mean() if kept.any() else 0.0
        print(f"  score {least}: coverage {kept.mean():.4f}, precision {precision:.4f}")
    print("  confused:", ", ".join(f"{a}>{b} {n}" for a, b, n in report.confused[:12]))


def _by_source(sentences: Sentences, source: str, *, plain: bool, folder: Path) -> None:
    kept = without(sentences, source, frozenset())
    known = {label: sources for label, sources in sentences.items() if label in kept}
    models = {"ours": _ours(kept, folder)} | ({"plain": _plain(kept, folder)} if plain else {})
    for name, said in models.items():
        for joined, kind in ((1, "sentences"), (10, "documents")):
            _told(f"{name}, {kind} of {source}", said, *_texts(known, source, joined))


def _by_language(sentences: Sentences, source: str, draw: tuple[int, int], folder: Path) -> None:
    count, seed = draw
    out = frozenset(random.Random(seed).sample(sorted(sentences), count))
    kept = without(sentences, source, out)
    said = _ours(kept, folder)
    unknown = {label: sources for label, sources in sentences.items() if label in out}
    for joined, kind in ((1, "sentences"), (10, "documents")):
        known = {label: sources for label, sources in sentences.items() if label in kept}
        _told(f"ours, {kind} of {source}", said, *_texts(known, source, joined))
        for name, where in (("any source", ""), (source, source)):
            _told_unknown(name, said, *_texts(unknown, where, joined))


def _told_unknown(name: str, said: Identifier, texts: Sequence[str], labels: Sequence[str]) -> None:
    """Shares of texts that get no label, and the mean of the languages' shares."""
    if not texts:
        return
    given, scores = said(texts)
    silent, truth = np.isin(given, ["und", "zxx"]), np.array(labels)
    print(f"  unknown languages' texts of {name}: {len(texts):,} in {len(set(labels))} languages")
    for least in _THRESHOLDS:
        refused = (scores < least) | silent
        each = np.mean([refused[truth == label].mean() for label in sorted(set(labels))])
        print(f"    score {least}: refused {refused.mean():.4f}, mean of languages {each:.4f}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--data", nargs="+", type=Path, required=True)
    parser.add_argument("--source", default="pemistahl", help="how the source's name begins")
    parser.add_argument("--languages", type=int, default=0, help="languages to leave out")
    parser.add_argument("--draw", type=int, default=4, help="seed of the languages left out")
    parser.add_argument("--plain", action="store_true", help="a plain fastText model, too")
    parser.add_argument("--leave-out", action="append", default=[], metavar="LABEL=SOURCE")
    given = parser.parse_args(arguments)
    pairs = [tuple(pair.split("=", 1)) for pair in given.leave_out]
    sentences = read_sentences(given.data, [(label, name) for label, name in pairs])
    with tempfile.TemporaryDirectory() as folder:
        if given.languages:
            draw = (given.languages, given.draw)
            _by_language(sentences, given.source, draw, Path(folder))
        else:
            _by_source(sentences, given.source, plain=given.plain, folder=Path(folder))


if __name__ == "__main__":
    main()
