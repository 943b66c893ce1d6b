"""What is done to a text to hide where it is from, or happens to one on its way.

Every attack is a function of the text alone: its draws are seeded with a hash of
the text, so that an evaluation can be repeated.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from typing import Final

import pyarrow as pa
import xxhash

__all__ = ["ATTACKS", "attacked"]

_ALIKE: Final = str.maketrans("aceopxyAEOPCTHKMB", "асеорхуАЕОРСТНКМВ")
_EDGE: Final = re.compile(r"(?<=[.!?]) +")


def _misspell(text: str, rng: random.Random) -> str:
    """Two neighbouring letters of one word in twenty change places."""

    def swap(found: re.Match[str]) -> str:
        word = found[0]
        if rng.random() >= 0.05:
            return word
        at = rng.randrange(len(word) - 1)
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]

    return re.sub(r"[^\W\d_]{4,}", swap, text)


def _whitespace(text: str, rng: random.Random) -> str:
    """One space in ten becomes two, a line end, or a no-break space."""

    def widen(found: re.Match[str]) -> str:
        kinds = ("  ", "\n", "\u00a0", " \n\n")
        return rng.choice(kinds) if rng.random() < 0.1 else found[0]

    return re.sub(" ", widen, text)


def _homoglyphs(text: str, rng: random.Random) -> str:
    """One letter in ten becomes a Cyrillic one of the same shape, where there is one."""
    return "".join(c.translate(_ALIKE) if rng.random() < 0.1 else c for c in text)


def _zero_width(text: str, rng: random.Random) -> str:
    """An invisible space follows one letter in twenty."""
    return "".join(c + "\u200b" if rng.random() < 0.05 else c for c in text)


def _unpunctuated(text: str, rng: random.Random) -> str:
    """Half of the commas are lost."""
    return re.sub(",", lambda found: "" if rng.random() < 0.5 else found[0], text)


def _deletions(text: str, rng: random.Random) -> str:
    """One word in twenty is left out."""
    return " ".join(word for word in text.split(" ") if rng.random() >= 0.05)


def _shuffled(text: str, rng: random.Random) -> str:
    """Sentences come in another order."""
    parts = _EDGE.split(text)
    return " ".join(rng.sample(parts, len(parts)))


def _lower(text: str, rng: random.Random) -> str:
    """Everything is in lower case."""
    del rng
    return text.lower()


ATTACKS: Final[Mapping[str, Callable[[str, random.Random], str]]] = {
    "misspelling": _misspell,
    "whitespace": _whitespace,
    "homoglyphs": _homoglyphs,
    "zero_width": _zero_width,
    "lost_commas": _unpunctuated,
    "deletions": _deletions,
    "shuffled_sentences": _shuffled,
    "lower_case": _lower,
}
"""Attacks by name. A paraphrase needs a model of its own and is none of them."""


def attacked(text: pa.StringArray, name: str) -> pa.StringArray:
    """Every text after one attack.

    Args:
        text: No nulls.
        name: One of `ATTACKS`.
    """
    change = ATTACKS[name]
    seeds = (xxhash.xxh3_64_intdigest(value.encode()) for value in text.to_pylist())
    pairs = zip(text.to_pylist(), seeds, strict=True)
    return pa.array([change(value, random.Random(seed)) for value, seed in pairs], pa.string())  # noqa: S311
