"""Made-up texts of a given length, for measuring kernels: no data is needed."""

from __future__ import annotations

import random

__all__ = ["made_up"]

_VOCABULARY = 30_000
_SYLLABLES = ("ba", "ce", "di", "fo", "gu", "har", "lin", "mor", "net", "pos", "ra", "sti", "ter")
_ACCENTED = ("bé", "çe", "dí", "fö", "gu", "här", "lin", "mør", "nët", "pos", "ra", "stì", "ter")


def _vocabulary(draw: random.Random, syllables: tuple[str, ...]) -> list[str]:
    return ["".join(draw.choices(syllables, k=draw.randint(1, 4))) for _ in range(_VOCABULARY)]


def made_up(documents: int, words: int, *, ascii_only: bool, seed: int = 5) -> list[str]:
    """Sentences of words whose frequency falls with their rank.

    Args:
        documents: How many texts.
        words: About how many words each; lengths vary by a quarter.
        ascii_only: Whether letters are plain.
        seed: Of everything drawn.
    """
    draw = random.Random(seed)
    vocabulary = _vocabulary(draw, _SYLLABLES if ascii_only else _ACCENTED)
    texts = []
    for _ in range(documents):
        count = draw.randint(words * 3 // 4, words * 5 // 4)
        chosen = [vocabulary[int(_VOCABULARY ** draw.random()) - 1] for _ in range(count)]
        for at in range(0, count, 12):
            chosen[at] = f"{chosen[at].capitalize()},"
        texts.append(" ".join(chosen) + ".")
    return texts
