"""Texts of every length out of sentences, spoiled the way the web spoils them."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator, Sequence

from transforms.langid.zxx import generate

__all__ = ["spoil", "windows"]

_SHORTEST, _LONGEST = 20, 600
_MOST_REPEATS = 4
"""How often a source's sentences recur, joined differently."""
_OTHER_WORDS = """
    home login menu search news contact about more read share email facebook twitter youtube
    google copyright rights reserved privacy policy cookies terms download pdf the and of online
    John Smith Maria David Ahmed Chen Anna London Paris New York Microsoft iPhone Wikipedia
""".split()  # noqa: SIM905 (words read better than a list of strings)


def windows(
    texts: Sequence[str],
    chars: int,
    rng: random.Random,
    *,
    shortest: int = _SHORTEST,
    longest: int = _LONGEST,
) -> Iterator[str]:
    """Cuts sentences, joined in random order, into windows of random length.

    Lengths are drawn log-uniformly, so that every doubling of length is as frequent
    as the next. A window may begin or end inside a sentence but, in scripts with
    spaces, not inside a word.

    Args:
        texts: Sentences; they recur, in another order, until `chars` is reached or
            each was used `_MOST_REPEATS` times.
        chars: Characters to yield, about.
        rng: Source of the draws.
        shortest: Least length of a window.
        longest: Greatest length of a window.
    """
    left = min(chars, _MOST_REPEATS * sum(map(len, texts)))
    buffer = ""
    pool: list[str] = []
    while left > 0:
        length = int(shortest * (longest / shortest) ** rng.random())
        while len(buffer) < length:
            pool = pool or rng.sample(texts, len(texts))
            buffer += pool.pop() + " "
        space = buffer.find(" ", length, length + 20)
        length = length if space < 0 else space
        yield buffer[:length]
        buffer = buffer[length:]
        left -= length


def spoil(text: str, rng: random.Random) -> str:
    """Makes some texts look like the web: diacritics lost, foreign words, links, noise."""
    draw = rng.random()
    if draw < 0.04:
        plain = unicodedata.normalize("NFD", text)
        return "".join(c for c in plain if not "\u0300" <= c <= "\u036f")
    if draw < 0.12 and len(text) > 60:
        words = text.split(" ")
        for _ in range(1 + len(words) // 12):
            words.insert(rng.randrange(len(words) + 1), rng.choice(_OTHER_WORDS))
        return " ".join(words)
    if draw < 0.16 and len(text) > 60:
        return " ".join(rng.sample([text, generate(1, rng)[0][: len(text) // 4]], 2))
    return text
