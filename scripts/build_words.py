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
_MOST_WORDS = 150
_LEAST_COUNT = 3
"""A word seen less often is no frequent one."""
_CHARS = 400
"""About the length of the texts that a list is measured on."""
_QUANTILE = 0.05
_CAUTION = 2
"""The least share is this part of what all but 5 % of known texts reach: text of other
registers holds fewer of the words."""
_NEAREST = 10
"""Languages, those that pass a list most easily, that stand for all others."""
_WORST_MISS, _WORST_PASS = 3000, 5000
"""A list that fails more of its own, or passes more of its neighbours, is no test."""
_SCALE = 10_000

Sentences = Mapping[str, Sequence[str]]
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


def _frequencies(sentences: Sentences) -> dict[str, Counter[str]]:
    return {
        label: Counter(word for text in _folded(texts) for word in text.split())
        for label, texts in sentences.items()
    }


def _listed(sentences: Sentences) -> dict[str, tuple[str, ...]]:
    """The words of each language's list, most frequent first."""
    counts = _frequencies(sentences)
    spread: dict[str, float] = defaultdict(float)
    for counter in counts.values():
        total = sum(counter.values())
        for word, count in counter.items():
            spread[word] += count / total
    found = {}
    for label, counter in counts.items():
        total = sum(counter.values())
        own = [
            (-count, word)
            for word, count in counter.items()
            if count >= _LEAST_COUNT and len(word) > 1 and "0" not in word
            if count / total >= _AFFINITY * spread[word]
        ]
        found[label] = tuple(word for _, word in sorted(own)[:_MOST_WORDS])
    return found


def _shares(lists: WordLists, label: str, folded: Sequence[str]) -> Shares:
    """Share of words on a language's list, in 1/10,000, of texts with enough words."""
    if not folded:
        return np.empty(0, np.int64)
    places = np.repeat(lists.places([label]), len(folded))
    total, found = lists.count(pa.array(folded, pa.string()), places)
    enough = total >= LEAST_WORDS
    return (found[enough].astype(np.int64) * _SCALE) // total[enough]


def _measured(lists: WordLists, label: str, own: Shares, others: Iterable[Shares]) -> WordList:
    """A list with its least share and how well it tells."""
    low = int(np.quantile(own, _QUANTILE, method="lower")) // _CAUTION if len(own) else 0
    least = max(low, 1)  # at least one word, however long the text
    # One more of either kind, so that nothing untested counts as certain.
    miss = (int((own < least).sum()) + 1) * _SCALE // (len(own) + 2)
    passing = sorted((int((o >= least).sum()) / len(o), len(o)) for o in others if len(o) > 2)
    nearest = passing[-_NEAREST:]
    passed, tried = round(sum(rate * size for rate, size in nearest)), sum(n for _, n in nearest)
    passes = (passed + 1) * _SCALE // (tried + 2)
    return WordList(label, least, miss, passes, lists.lists[label].words)


def build(sentences: Mapping[str, Mapping[str, Sequence[str]]]) -> list[WordList]:
    """Lists of the languages that a list can tell, by label.

    Words are drawn from all sentences; how well they tell is measured with words drawn
    from every other sentence of a source, on the texts that the rest makes.
    """
    halves: list[dict[str, list[str]]] = [{}, {}]
    for label, sources in sentences.items():
        for half in (0, 1):
            halves[half][label] = [t for texts in sources.values() for t in texts[half::2]]
    drawn = WordLists(WordList(*one) for one in _unmeasured(_listed(halves[0])))
    tested = {label: _folded(documents(texts)) for label, texts in halves[1].items()}
    whole = _listed(
        {label: [t for texts in s.values() for t in texts] for label, s in sentences.items()}
    )
    found = []
    for label in sorted(drawn.lists):
        others = (_shares(drawn, label, texts) for k, texts in tested.items() if k != label)
        one = _measured(drawn, label, _shares(drawn, label, tested[label]), others)
        if one.miss <= _WORST_MISS and one.passes <= _WORST_PASS and whole[label]:
            found.append(WordList(label, one.least, one.miss, one.passes, whole[label]))
    return found


def _unmeasured(
    listed: Mapping[str, tuple[str, ...]],
) -> Iterable[tuple[str, int, int, int, tuple[str, ...]]]:
    return [(label, 0, 0, 0, words) for label, words in listed.items() if words]


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
