"""What the decisions of a whole run refuse of languages that the model does not know.

    python -m benchmarks.langid.whole_run --data FILE... --draw N [N...]

For each draw, 75 languages are left out of the model. So is the source
whose name begins with `--source`, and every other sentence of a language that has one source.
A run is made of

- documents of ten sentences of that source in the languages that have it, prevalent as
  1 / rank^.8 by class and speakers, 600 of the first and 5 at least;
- excerpts of languages with one source: none of half of them, then ever more of ever fewer;
- `--each` excerpts of each language that was left out, of any of its sources.

The decisions are those of a job, word lists left out: those that ship know the languages that
the model here does not. Coverage is the share of known documents that get a label, precision
the share of right ones among these, `all` the precision with the unknown documents in it;
`langs` and `tail` are means of the languages' coverage.
"""

from __future__ import annotations

import argparse
import functools
import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.langid.held_out import without
from transforms.langid import policy
from transforms.langid.bayes_file import write_bayes_model
from transforms.langid.config import LangidConfig
from transforms.langid.identify import identify
from transforms.langid.model import load_model
from transforms.langid.registry import NO_LANGUAGE, UNDETERMINED, load_registry
from transforms.langid.train import learn, read_sentences
from transforms.staging.survey.decisions import Policy, apply_decisions, decide_rows

__all__ = ["main"]

_UNKNOWN = 75
_MOST, _LEAST, _FALL = 600, 5, 0.8
_SCORES = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9)
_KINDS = ("unknown", "known", "same source")
_ENOUGH = 50
"""Sentences of which half can be left out."""
_HEAD = "  refused  covered    langs     tail  precision     same      all"

Sentences = Mapping[str, Mapping[str, Sequence[str]]]
Strings = npt.NDArray[np.object_]
Bools = npt.NDArray[np.bool_]


class Document(NamedTuple):
    """A text, its language, and which of `_KINDS` it is."""

    text: str
    label: str
    kind: str


def _halved(sentences: Sentences, first: int) -> dict[str, dict[str, Sequence[str]]]:
    """Every other sentence of languages with one source, if they are many; all of the others."""
    return {
        label: {
            name: texts[first::2] if len(own) == 1 and len(texts) >= _ENOUGH else texts
            for name, texts in own.items()
        }
        for label, own in sentences.items()
    }


def _excerpts(texts: Sequence[str], count: int, sentences: int, rng: random.Random) -> list[str]:
    """Runs of sentences: what stands together in a source stays together."""
    last = max(0, len(texts) - sentences)
    starts = [rng.randint(0, last) for _ in range(count)]
    return [" ".join(texts[start : start + sentences]) for start in starts]


def _by_prevalence(label: str) -> tuple[int, int, str]:
    language = load_registry().get(label.partition("_")[0])
    told = (language.joshi, language.speakers or 0) if language else (0, 0)
    return -told[0], -told[1], label


def _documents(
    sentences: Sentences,
    taught: Sentences,
    unknown: frozenset[str],
    given: argparse.Namespace,
    rng: random.Random,
) -> list[Document]:
    shown = {
        label: [texts for name, texts in own.items() if name.startswith(given.source)]
        for label, own in sentences.items()
        if label in taught and len(own) > 1
    }
    ranked = sorted((label for label, pools in shown.items() if pools), key=_by_prevalence)
    rows = []
    for rank, label in enumerate(ranked):
        count = max(_LEAST, round(_MOST / (rank + 1) ** _FALL))
        texts = _excerpts(shown[label][0], count, 10, rng)
        rows += [Document(text, label, "known") for text in texts]
    for label, own in _halved(sentences, 1).items():
        if label in taught and len(own) == 1 and own != taught[label]:
            count = min(100, int(1 / max(rng.random(), 0.01)) - 1)
            [texts] = own.values()
            rows += [Document(t, label, "same source") for t in _excerpts(texts, count, 3, rng)]
        elif label in unknown:
            pools = [sentences[label][name] for name in sorted(sentences[label])]
            for number, texts in enumerate(pools):
                count = len(range(number, given.each, len(pools)))
                found = _excerpts(texts, count, 5 if len(pools) == 1 else 10, rng)
                rows += [Document(text, label, "unknown") for text in found]
    return rows


def _policy(config: LangidConfig) -> Policy:
    """The job's (`pipelines.policies`), without the pipelines."""
    bound = functools.partial
    return Policy(
        "langid", policy.KEYS, policy.READS, bound(policy.count, config=config),
        bound(policy.decide, config=config), policy.READS, bound(policy.apply, config=config),
    )  # fmt: skip


def _decided(scored: pa.Table, **settings: float) -> Strings:
    config = LangidConfig(max_contamination=1.0, **settings)
    made = _policy(config)
    [batch] = scored.combine_chunks().to_batches()
    lang = apply_decisions(scored, (made,), decide_rows([batch], made)).column("lang")
    return np.array(lang.to_pylist(), object)


def _score(rows: Sequence[Document], taught: Sentences, folder: Path) -> pa.Table:
    path = folder / "model.bayes"
    path.write_bytes(write_bayes_model(learn(taught)))
    texts = pa.array([row.text for row in rows], pa.string())
    found = identify(texts, load_model(str(path)), load_registry(), LangidConfig())
    return pa.Table.from_batches([found])


def _mean_of_languages(flags: Bools, truth: Strings, some: Bools) -> float:
    return float(np.mean([flags[some & (truth == label)].mean() for label in set(truth[some])]))


def _told(name: str, rows: Sequence[Document], lang: Strings) -> None:
    truth, kinds = (np.array([row[at] for row in rows], object) for at in (1, 2))
    given = ~np.isin(lang, [UNDETERMINED, NO_LANGUAGE])
    unknown, known, same = (kinds == kind for kind in _KINDS)
    tail = known & np.array([load_registry().is_tail(label) for label in truth])
    right = lang == truth
    print(
        f"{name:24}{1 - given[unknown].mean():9.3f}{given[known].mean():9.3f}"
        f"{_mean_of_languages(given, truth, known):9.3f}"
        f"{_mean_of_languages(given, truth, tail):9.3f}{right[known & given].mean():11.4f}"
        f"{given[same].mean():9.3f}{right[given].mean():9.3f}",
        flush=True,
    )


def _ways(scored: pa.Table) -> Mapping[str, Callable[[], Strings]]:
    best = np.array(scored.column("lang_best").fill_null(UNDETERMINED).to_pylist(), object)
    score = np.asarray(scored.column("lang_score"))
    by_score = {
        f"score {least}": functools.partial(np.where, score >= least, best, UNDETERMINED)
        for least in _SCORES
    }
    return {
        **by_score,
        "thresholds of the run": functools.partial(_decided, scored),
        "least .6, enough .85": functools.partial(
            _decided, scored, min_score=0.6, enough_score=0.85
        ),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a table a draw."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--data", nargs="+", type=Path, required=True)
    parser.add_argument("--source", default="pemistahl", help="how the source's name begins")
    parser.add_argument("--draw", type=int, nargs="+", default=[4], help="seeds")
    parser.add_argument("--each", type=int, default=40, help="documents an unknown language")
    parser.add_argument("--leave-out", action="append", default=[], metavar="LABEL=SOURCE")
    given = parser.parse_args(arguments)
    pairs = [(label, name) for label, _, name in (one.partition("=") for one in given.leave_out)]
    sentences = read_sentences(given.data, pairs)
    for draw in given.draw:
        unknown = frozenset(random.Random(draw).sample(sorted(sentences), _UNKNOWN))
        taught = without(_halved(sentences, 0), given.source, unknown)
        rows = _documents(sentences, taught, unknown, given, random.Random(draw))
        counts = [sum(row.kind == kind for row in rows) for kind in _KINDS]
        told = ", ".join(f"{kind} {count:,}" for kind, count in zip(_KINDS, counts, strict=True))
        print(f"draw {draw}: {told}\n{'':24}{_HEAD}")
        with tempfile.TemporaryDirectory() as folder:
            scored = _score(rows, taught, Path(folder))
        for name, decided in _ways(scored).items():
            _told(name, rows, decided())


if __name__ == "__main__":
    main()
