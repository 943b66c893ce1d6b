"""Trains an identifier on sentences whose language is known.

The examples are not the sentences as they stand: a page is longer than a
sentence and carries links, names and English words, and a corpus of one book or
one register must not stand for a language. So each source of a language is
capped, its sentences are joined in random order and cut into windows of random
length, and some windows are spoiled the way the web spoils them.
"""

from __future__ import annotations

import contextlib
import ctypes
import gzip
import hashlib
import random
import tempfile
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import fasttext
import orjson
import pyarrow as pa

from transforms.errors import InputError
from transforms.langid.labels import PREFIX, canonical
from transforms.langid.prepare import fold
from transforms.langid.registry import NO_LANGUAGE
from transforms.langid.zxx import generate

__all__ = ["read_sentences", "train", "windows", "zeroed_memory"]

Sentences = Mapping[str, Mapping[str, Sequence[str]]]
"""Sentences by label, then by source."""

_MIN_SENTENCES = 25
"""A label with fewer is left out: a class of one paragraph learns that paragraph."""
_LEAST_CHARS, _MOST_CHARS = 25_000, 150_000
"""What a label shows the learner in one pass, all its sources together."""
_MOST_REPEATS = 4
"""How often a source's sentences recur in one pass, joined differently."""
_SHORTEST, _LONGEST = 20, 1000
_PASSES = 3
_ZXX = 1500
_M_PERTURB = -6  # of glibc's malloc.h
_OTHER_WORDS = """
    home login menu search news contact about more read share email facebook twitter youtube
    google copyright rights reserved privacy policy cookies terms download pdf the and of online
    John Smith Maria David Ahmed Chen Anna London Paris New York Microsoft iPhone Wikipedia
""".split()  # noqa: SIM905 (words read better than a list of strings)

SETTINGS: Mapping[str, float] = {
    "minn": 2,
    "maxn": 4,
    "minCount": 1_000_000_000,  # no whole words: n-grams of 2-4 carry the short ones
    "bucket": 1 << 18,
    "dim": 32,
    "lr": 0.7,
    "epoch": 8,
    "thread": 1,  # more threads race for the weights, and no two runs agree
    "verbose": 0,
}
"""Arguments of `fasttext.train_supervised`."""


def read_sentences(paths: Sequence[Path]) -> dict[str, dict[str, list[str]]]:
    """Reads JSON Lines (gzip or plain) with `text`, `lang` and `source`.

    Returns:
        Sentences by canonical label and source; labels with too few are left out.

    Raises:
        InputError: A line lacks a field or names no known language.
    """
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for path in paths:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    row = orjson.loads(line)
                    found[canonical(row["lang"])][row["source"]].append(row["text"])
                except (KeyError, TypeError, ValueError, InputError) as error:
                    raise InputError(
                        f"{path}, line {number}: {error}; a training sentence is a JSON object "
                        f"with the strings text, lang and source"
                    ) from error
    return {
        label: dict(sorted(sources.items()))
        for label, sources in sorted(found.items())
        if sum(map(len, sources.values())) >= _MIN_SENTENCES
    }


def windows(
    texts: Sequence[str], chars: int, rng: random.Random, *, longest: int = _LONGEST
) -> Iterator[str]:
    """Cuts sentences, joined in random order, into windows of random length.

    Lengths are drawn log-uniformly from 20 to `longest` characters, so that every
    doubling of length is as frequent as the next. A window may begin or end
    inside a sentence but, in scripts with spaces, not inside a word.

    Args:
        texts: Sentences; they recur, in another order, until `chars` is reached or
            each was used `_MOST_REPEATS` times.
        chars: Characters to yield, about.
        rng: Source of the draws.
        longest: Greatest length of a window.
    """
    left = min(chars, _MOST_REPEATS * sum(map(len, texts)))
    buffer = ""
    pool: list[str] = []
    while left > 0:
        length = int(_SHORTEST * (longest / _SHORTEST) ** rng.random())
        while len(buffer) < length:
            pool = pool or rng.sample(texts, len(texts))
            buffer += pool.pop() + " "
        space = buffer.find(" ", length, length + 20)
        length = length if space < 0 else space
        yield buffer[:length]
        buffer = buffer[length:]
        left -= length


def _spoil(text: str, rng: random.Random) -> str:
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


def _examples(sentences: Sentences, rng: random.Random) -> list[tuple[str, str]]:
    examples = [(NO_LANGUAGE, text) for text in generate(_ZXX * _PASSES, rng)]
    for label, sources in sentences.items():
        available = sum(len(text) for texts in sources.values() for text in texts)
        budget = min(max(available, _LEAST_CHARS), _MOST_CHARS) // len(sources)
        for texts in sources.values():
            for _ in range(_PASSES):
                examples += [(label, _spoil(text, rng)) for text in windows(texts, budget, rng)]
    rng.shuffle(examples)
    return examples


@contextlib.contextmanager
def zeroed_memory() -> Iterator[None]:
    """Has malloc hand out zeroed memory.

    fastText 0.9.3 with one thread initialises a tenth of its input matrix and
    leaves the rest as malloc gives it: recycled memory would make two runs differ,
    or end in NaN. glibc fills what it hands out with the complement of this
    setting; no other C library has the switch.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        yield
        return
    mallopt(_M_PERTURB, 0xFF)
    try:
        yield
    finally:
        mallopt(_M_PERTURB, 0)


def _fit(path: Path, seed: int) -> fasttext.FastText._FastText:
    try:
        with zeroed_memory():
            return fasttext.train_supervised(input=str(path), seed=seed, loss="softmax", **SETTINGS)
    except RuntimeError as error:  # "Encountered NaN."
        raise InputError(
            f"training diverged ({error}) at a learning rate of {SETTINGS['lr']}; give more "
            f"sentences, from more sources"
        ) from error


def train(data: Sequence[Path], out: Path, *, seed: int = 0) -> str:
    """Trains a quantised model; the same data and seed give the same file.

    Args:
        data: Files that `read_sentences` understands.
        out: Where the model is written (`.ftz`).
        seed: Of the windows and of fastText.

    Returns:
        The model's sha256, in hexadecimal.

    Raises:
        InputError: The data cannot be read as sentences.
    """
    examples = _examples(read_sentences(data), random.Random(seed))  # noqa: S311 (no secret)
    folded = fold(pa.array([text for _, text in examples], pa.string())).to_pylist()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "examples.txt"
        with path.open("w", encoding="utf-8", newline="\n") as file:
            for (label, _), text in zip(examples, folded, strict=True):
                file.write(f"{PREFIX}{label} {text}\n")
        model = _fit(path, seed)
        model.quantize(qnorm=True, dsub=2)
        model.save_model(str(out))
    return hashlib.sha256(out.read_bytes()).hexdigest()
