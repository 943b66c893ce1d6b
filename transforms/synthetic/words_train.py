"""Counts which words tell machine-made text from human text, and writes their table.

Sets differ in topic, and topic must not pass for origin: a word is compared within each
set, and counts only as far as the sets agree.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

from transforms import storage
from transforms.errors import InputError
from transforms.synthetic.labelled import Labelled
from transforms.synthetic.words import presence

__all__ = ["count_windows", "table_of", "train_words"]

Counts = tuple[int, Counter[str]]
"""Windows, and in how many of them each word occurs."""
Sets = Mapping[str, tuple[Counts, Counts]]
"""Human and machine-made windows by set."""

_MOST_WORDS = 1500
_MIN_WINDOWS = 20
"""Fewest windows, of all sets, that a word occurs in."""
_MIN_TEXTS = 100
"""Fewest windows of each kind that a set needs to be heard."""
_AGREE = 0.6
"""Least agreement of the sets on a word: |sum of evidence| over sum of |evidence|."""
_BREADTH = 2
"""Fewest sets that a word has to be heard in, of a language that has more than one."""
_DOUBT = 20
"""A set's say on a word grows with n / (n + this), n its windows with the word."""


def count_windows(texts: Iterable[Labelled]) -> dict[str, Sets]:
    """Counts by language and set; texts of one set may come in any order."""
    found: dict[str, dict[str, list[list[Any]]]] = {}
    for text in texts:
        sets = found.setdefault(text.lang, {})
        kinds = sets.setdefault(text.source, [[0, Counter()], [0, Counter()]])
        for window in presence([text.text])[0]:
            kinds[text.machine][0] += 1
            kinds[text.machine][1].update(window)
    return {
        lang: {
            name: ((human[0], human[1]), (machine[0], machine[1]))
            for name, (human, machine) in sorted(sets.items())
            if min(human[0], machine[0]) >= _MIN_TEXTS
        }
        for lang, sets in sorted(found.items())
    }


def _says(word: str, sets: Sets) -> tuple[float, float] | None:
    """How often a word occurs in human windows, and its log ratio; None without agreement."""
    rate, evidence, doubt, weight = 0.0, 0.0, 0.0, 0.0
    seen = sets_heard = 0
    for (human, of_human), (machine, of_machine) in sets.values():
        a, b = of_human[word], of_machine[word]
        p, q = (a + 0.5) / (human + 1), (b + 0.5) / (machine + 1)
        heard = (a + b) / (a + b + _DOUBT)
        ratio = math.log(q / p)
        rate += p / len(sets)
        evidence += heard * ratio
        doubt += heard * abs(ratio)
        weight += heard
        seen += a + b
        sets_heard += a + b >= _DOUBT // 2
    narrow = sets_heard < min(_BREADTH, len(sets))
    if narrow or seen < _MIN_WINDOWS or abs(evidence) < _AGREE * doubt:
        return None
    return rate, evidence / (weight + 1)


def table_of(sets: Sets) -> dict[str, Any]:
    """The table of one language: `base` and `words`, in thousandths of a nat.

    A word that occurs in a share p of human windows and q of machine-made ones adds
    log(q / p) where it occurs and log((1 - q) / (1 - p)) where it does not; the latter is
    summed into the base, and taken back where the word occurs.
    """
    words = set().union(*(of for kinds in sets.values() for _, of in kinds))
    said = {word: found for word in words if (found := _says(word, sets))}
    rated = {word: (p, min(0.9, p * math.exp(ratio))) for word, (p, ratio) in said.items()}
    # Divergence that the word brings; the word itself settles ties.
    gain = {word: (q - p) * math.log(q / p) for word, (p, q) in rated.items()}
    best = sorted(gain, key=lambda word: (-gain[word], word))[:_MOST_WORDS]
    absent = {word: math.log((1 - rated[word][1]) / (1 - rated[word][0])) for word in best}
    made = {
        word: round(1000 * (math.log(rated[word][1] / rated[word][0]) - absent[word]))
        for word in sorted(best)
    }
    return {"base": round(1000 * math.fsum(absent.values())), "words": made}


def train_words(texts: Iterable[Labelled], out: Path) -> dict[str, int]:
    """Writes the table of all languages that have sets of both kinds.

    Returns:
        Number of words by language.

    Raises:
        InputError: No language has.
    """
    counted = {lang: sets for lang, sets in count_windows(texts).items() if sets}
    if not counted:
        raise InputError(
            f"no language has a set with {_MIN_TEXTS} windows of human and of machine-made text"
        )
    made = {lang: table_of(sets) for lang, sets in counted.items()}
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    storage.write_bytes_atomically(str(out), orjson.dumps({"languages": made}, option=options))
    return {lang: len(table["words"]) for lang, table in made.items()}
