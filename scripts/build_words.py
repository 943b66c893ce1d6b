"""Builds the word lists, `transforms/data/words.tsv`, from sentences of known language.

    python scripts/build_words.py --data FILE...

The files are those that `holdfast train langid` takes. A word is on the list of a
language if it is frequent there and nearly all of its occurrences, were every language
as large as the next, are there. How well a list tells its language is measured on text
that its words were not drawn from; a list that does not tell is left out. The card
beside the lists says what they are made of.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.langid.prepare import PREPARATION, fold
from transforms.langid.train import read_sentences
from transforms.langid.words import LEAST_WORDS, WordList, WordLists

__all__ = ["build", "documents", "main"]

_DEFAULT_OUT = Path(__file__).parent.parent / "transforms" / "data" / "words.tsv"

_AFFINITY = 0.85
"""Least share of a word's occurrences that are in its language."""
_MOST_WORDS = 300
_LEAST_COUNT = 3
"""A word seen less often is no frequent one."""
_CHARS = 200
"""About the length of the texts that a list is measured on: short ones are the hard ones."""
_ENOUGH = 0.01
"""A least share that no more of the neighbours' texts reach need not be raised further:
known texts of other registers hold fewer of the words than those that are measured."""
_STEPS = (1, 100, 200, 300, 500, 700, 1000, 1500, 2000)
"""Least shares that are tried, in 1/10,000; the first asks for one word of any text."""
_NEAREST = 10
"""Languages, those that pass a list most easily, that stand for all others."""
_WORST_MISS, _WORST_ELSEWHERE, _WORST_PASS = 3000, 7000, 5000
"""A list that fails more of its own sources, or of another, or passes more of its
neighbours, is no test."""
_SCALE = 10_000

Sources = Mapping[str, Sequence[str]]
"""Sentences of one language by source."""
Shares = npt.NDArray[np.int64]


def documents(sentences: Sequence[str], chars: int = _CHARS) -> list[str]:
    """Joins sentences, in their order, into texts of at least so many characters."""
    found, held, size = [], [], 0
    for sentence in sentences:
        held.append(sentence)
        size += len(sentence) + 1
        if size >= chars:
            found.append(" ".join(held))
            held, size = [], 0
    return found


def _folded(texts: Sequence[str]) -> list[str]:
    return fold(pa.array(texts, pa.string())).to_pylist()  # type: ignore[no-any-return]


def _words(texts: Iterable[str]) -> Counter[str]:
    return Counter(word for text in _folded(list(texts)) for word in text.split())


def _spread(counts: Iterable[Counter[str]]) -> dict[str, float]:
    """The share of each word in every language, added up: languages count alike."""
    spread: dict[str, float] = defaultdict(float)
    for counter in counts:
        total = sum(counter.values())
        for word, count in counter.items():
            spread[word] += count / total
    return spread


def _listed(counter: Counter[str], spread: Mapping[str, float]) -> tuple[str, ...]:
    """The words of a language's list, most frequent first."""
    total = sum(counter.values())
    own = [
        (-count, word)
        for word, count in counter.items()
        if count >= _LEAST_COUNT and len(word) > 1 and "0" not in word
        if count / total >= _AFFINITY * max(spread[word], count / total)
    ]
    return tuple(word for _, word in sorted(own)[:_MOST_WORDS])


def _shares(lists: WordLists, label: str, folded: Sequence[str]) -> Shares:
    """Share of words on a language's list, in 1/10,000, of texts with enough words."""
    if not folded:
        return np.empty(0, np.int64)
    places = np.repeat(lists.places([label]), len(folded))
    total, found = lists.count(pa.array(folded, pa.string()), places)
    enough = total >= LEAST_WORDS
    return (found[enough].astype(np.int64) * _SCALE) // total[enough]


def _measured(lists: WordLists, label: str, own: Shares, others: Sequence[Shares]) -> WordList:
    """A list with its least share and how well it tells."""
    near = _nearest(others)
    least = next((step for step in _STEPS if (near >= step).mean() <= _ENOUGH), _STEPS[-1])
    passes = (int((near >= least).sum()) + 1) * _SCALE // (len(near) + 2)
    return WordList(label, least, _missed(own, least), passes, lists.lists[label].words)


def _missed(own: Shares, least: int) -> int:
    # One more of either kind, so that nothing untested counts as certain.
    return (int((own < least).sum()) + 1) * _SCALE // (len(own) + 2)


def _nearest(others: Sequence[Shares]) -> Shares:
    """Shares in the texts of the languages that have most of the words."""
    some = [shares for shares in others if len(shares) > 2]
    ranked = sorted(some, key=lambda shares: (float(shares.mean()), len(shares)))
    return np.concatenate(ranked[-_NEAREST:])


def _elsewhere(
    counts: Mapping[str, Counter[str]], sources: Sources, spread: Mapping[str, float], least: int
) -> list[tuple[int, int]]:
    """For each source of a language: how often a list of one more source misses it.

    Returns:
        By source: the miss, in 1/10,000, of a list that all the others make, and of one
        that the smallest of the others makes alone.
    """
    found = []
    for name, texts in sources.items():
        others = {other: counter for other, counter in counts.items() if other != name}
        smallest = min(others.values(), key=lambda counter: counter.total())
        folded, missed = _folded(documents(texts)), []
        for counter in (sum(others.values(), Counter[str]()), smallest):
            drawn = WordLists([WordList("x", 0, 0, 0, _listed(counter, spread))])
            missed.append(_missed(_shares(drawn, "x", folded), least))
        found.append((missed[0], missed[1]))
    return found


def build(sentences: Mapping[str, Sources]) -> list[WordList]:
    """Lists of the languages that a list can tell, by label.

    What passes a list, and which least share that asks for, is measured with words drawn
    from every other sentence on the texts that the rest makes. What a list misses is
    measured on text from another source than its words; for a language with one source it
    is what the smallest source of a language with several misses, on average.
    """
    halves = [_half(sentences, half) for half in (0, 1)]
    drawn = _lists({label: _words(texts) for label, texts in halves[0].items()})
    tested = {label: _folded(documents(texts)) for label, texts in halves[1].items()}
    measured = {}
    for label in drawn.lists:
        others = [_shares(drawn, label, texts) for k, texts in tested.items() if k != label]
        measured[label] = _measured(drawn, label, _shares(drawn, label, tested[label]), others)
    return _finished(sentences, measured)


def _half(sentences: Mapping[str, Sources], first: int) -> dict[str, list[str]]:
    """Every other sentence of each source."""
    return {
        label: [text for texts in sources.values() for text in texts[first::2]]
        for label, sources in sentences.items()
    }


def _lists(counts: Mapping[str, Counter[str]]) -> WordLists:
    spread = _spread(counts.values())
    listed = {label: _listed(counter, spread) for label, counter in counts.items()}
    return WordLists(WordList(label, 0, 0, 0, words) for label, words in listed.items() if words)


def _finished(sentences: Mapping[str, Sources], measured: Mapping[str, WordList]) -> list[WordList]:
    """Lists of words from all sentences, with what they miss elsewhere."""
    counts = {
        label: {name: _words(texts) for name, texts in sources.items()}
        for label, sources in sentences.items()
    }
    whole = {label: sum(own.values(), Counter[str]()) for label, own in counts.items()}
    spread, final = _spread(whole.values()), _lists(whole)
    missed, alone = {}, []
    for label, one in measured.items():
        if len(sentences[label]) > 1:
            found = _elsewhere(counts[label], sentences[label], spread, one.least)
            missed[label] = sum(by_others for by_others, _ in found) // len(found)
            alone += [by_smallest for _, by_smallest in found]
    usual = sum(alone) // max(1, len(alone))
    print(f"a list of one source misses {usual / 100:.1f} % of the texts of another")
    found = []
    for label, one in sorted(measured.items()):
        miss = max(one.miss, missed.get(label, usual))
        tells = miss <= _WORST_ELSEWHERE and one.passes <= _WORST_PASS
        if tells and one.miss <= _WORST_MISS and label in final.lists:
            words = final.lists[label].words
            found.append(WordList(label, one.least, miss, one.passes, words))
    return found


def main(argv: Sequence[str] | None = None) -> None:
    """Writes the lists."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, nargs="+", required=True, help="sentences, .jsonl.gz")
    parser.add_argument("--out", type=Path, default=_DEFAULT_OUT, help="file to write")
    arguments = parser.parse_args(argv)
    lines = [f"# preparation {PREPARATION}"]
    for one in build(read_sentences(arguments.data)):
        cells = (one.label, one.least, one.miss, one.passes, " ".join(one.words))
        lines.append("\t".join(map(str, cells)))
    arguments.out.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    print(f"{len(lines) - 1} lists in {arguments.out}")


if __name__ == "__main__":
    main()
