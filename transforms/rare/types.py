"""What counts as a type of a language: its words, or strings of characters.

Only what looks like language counts, so that ids, encoded data and markup make no
document precious:

* A type is written in the scripts of its document's language alone. A run with a digit
  in it is none, and neither is a word of another script.
* In scripts with spaces a type is a word: a run of letters and marks, of 2 to 32
  characters, that no sign of code or markup (`_ / @ = < >` and the like) touches.
* In scripts without spaces, a type is a string of characters that follow on each other:
  two of Han and Kana, of which most words are made, and four of the alphabets (Thai, Lao,
  Khmer, Myanmar, Tibetan), whose letters are sounds. A stretch that is shorter, but not a
  single character, is one type.

Characters are those of the normal form, tokens those of `dedup.shingles`. A type is a hash
of 64 bits, seeded with the language: one string in two languages is two types.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import xxhash

from transforms import utf8
from transforms.dedup import characters
from transforms.dedup.shingles import _FNV_OFFSET, _FNV_PRIME, _ROLL, _mix
from transforms.kernels import Buffer, Hashes, njit
from transforms.langid.scripts import SCRIPTS, script_classes, script_mask

__all__ = ["Alphabets", "alphabets", "types_of"]

_SHORTEST, _LONGEST = 2, 32
"""Characters of a word, marks included."""
_MOST = 4
"""Most characters of a type in a script without spaces."""
_CODE = b"#$%&*+/<=>@\\^_`{|}~"
"""What does not touch a word in prose."""


LETTER, FOREIGN, SEPARATOR, CODE, WIDE = range(5)
"""What a byte is to a language: a letter of its script; a letter or digit that is none; what
breaks words; a sign of code, which breaks words, too; a byte of a longer character."""


class Alphabets(NamedTuple):
    """What the kernels know of characters, and of some languages, a row for each.

    Attributes:
        kinds: As `dedup.characters.classes`.
        scripts: As `langid.scripts.script_classes`.
        seeds: Of the hashes; uint64.
        home: Whether letters of a script are the language's; bool, a column for what is
            no letter, then one for each of `SCRIPTS`.
        plain: What each byte is (`LETTER` and so on); uint8, 256 columns.
        grams: Characters of a type in a script without spaces; int64.
    """

    kinds: Buffer
    scripts: Buffer
    seeds: Hashes
    home: npt.NDArray[np.bool_]
    plain: Buffer
    grams: npt.NDArray[np.int64]


def alphabets(langs: Iterable[str]) -> Alphabets:
    """The alphabets of languages such as `swh_Latn`, in the order given."""
    names = list(langs)
    kinds, scripts = characters.classes(), script_classes()
    seeds = np.array([_seed(name) for name in names], np.uint64)
    home = np.zeros((len(names), len(SCRIPTS) + 1), np.bool_)
    for row, name in enumerate(names):
        home[row, 1:] = script_mask(name.rpartition("_")[2])
    plain = np.full((len(names), 256), WIDE)
    plain[:, :128] = np.where(home[:, scripts[:128]], LETTER, FOREIGN)
    plain[:, :128][:, kinds[:128] != characters.WORD] = SEPARATOR
    plain[:, list(_CODE)] = CODE
    words = home[:, [1 + SCRIPTS.index(script) for script in ("Hani", "Kana", "Hira")]]
    grams = np.where(words.any(axis=1), 2, _MOST).astype(np.int64)
    return Alphabets(kinds, scripts, seeds, home, plain.astype(np.uint8), grams)


def _seed(lang: str) -> int:
    return int(_FNV_OFFSET) ^ xxhash.xxh3_64_intdigest(lang.encode())


@njit
def _word(
    data: Buffer,
    start: int,
    stop: int,
    kinds: Buffer,
    scripts: Buffer,
    plain: Buffer,
    home: npt.NDArray[np.bool_],
    running: np.uint64,
) -> tuple[int, int, np.uint64, np.uint8]:  # pragma: no cover - compiled
    """Goes on with a word at a byte that is `WIDE`.

    Returns:
        Where the word ends, how many characters more it has, its hash, and 1 if one of
        them is foreign.
    """
    at, length, foreign = start, 0, np.uint8(0)
    while at < stop:
        kind = plain[data[at]]
        width = 1
        if kind == WIDE:
            width, point = utf8.decode(data, at)
            if kinds[point] == characters.WORD:
                foreign |= np.uint8(not home[scripts[point]])
            elif kinds[point] != characters.MARK:
                break
        elif kind <= FOREIGN:
            foreign |= kind
        else:
            break
        for i in range(at, at + width):
            running = (running ^ np.uint64(data[i])) * _FNV_PRIME
        at += width
        length += 1
    return at, length, running, foreign


@njit
def _single(
    data: Buffer, start: int, stop: int, kinds: Buffer
) -> tuple[int, np.uint64]:  # pragma: no cover - compiled
    """Where the character at `start` ends, with its marks, and its hash."""
    running, at = _FNV_OFFSET, start
    while at < stop:
        width, point = utf8.decode(data, at)
        if at > start and kinds[point] != characters.MARK:
            break
        for i in range(at, at + width):
            running = (running ^ np.uint64(data[i])) * _FNV_PRIME
        at += width
    return at, _mix(running)


@njit
def _joined(
    last: Hashes, first: int, stop: int, seed: np.uint64
) -> np.uint64:  # pragma: no cover - compiled
    """Hash of the characters `first` to `stop` of a stretch; `last` is a ring of them."""
    rolled = seed
    for k in range(first, stop):
        rolled = rolled * _ROLL + last[k % _MOST]
    mixed: np.uint64 = _mix(rolled)
    return mixed


@njit
def _stretch(
    data: Buffer,
    start: int,
    stop: int,
    kinds: Buffer,
    scripts: Buffer,
    home: npt.NDArray[np.bool_],
    seed: np.uint64,
    gram: int,
    out: Hashes,
    count: int,
) -> tuple[int, int]:  # pragma: no cover - compiled
    """Where the stretch of single characters at `start` ends, and `count` with its types."""
    last = np.empty(_MOST, np.uint64)
    at, length = start, 0
    while at < stop:
        _, point = utf8.decode(data, at)
        if kinds[point] != characters.SINGLE or not home[scripts[point]]:
            break
        at, last[length % _MOST] = _single(data, at, stop, kinds)
        length += 1
        if length >= gram:
            out[count] = _joined(last, length - gram, length, seed)
            count += 1
    if _SHORTEST <= length < gram:
        out[count] = _joined(last, 0, length, seed)
        count += 1
    return at, count


@njit
def types_of(
    data: Buffer,
    start: int,
    stop: int,
    kinds: Buffer,
    scripts: Buffer,
    plain: Buffer,
    home: npt.NDArray[np.bool_],
    seed: np.uint64,
    gram: int,
    out: Hashes,
) -> int:  # pragma: no cover - compiled
    """Hashes the types of data[start:stop], as often as they occur; returns how many.

    Args:
        data: Normal forms of texts.
        start: Where the text begins.
        stop: Where it ends.
        kinds: Of `Alphabets`, as the rest but for `out`.
        scripts: Of every code point.
        plain: The row of the text's language.
        home: The row of the text's language.
        seed: Of the text's language.
        gram: Of the text's language.
        out: Receives the hashes; as long as the text.
    """
    count, at, before = np.int64(0), start, SEPARATOR
    while at < stop:
        sign = plain[data[at]]
        if SEPARATOR <= sign <= CODE:
            before = sign
            at += 1
            continue
        if sign == WIDE:
            width, point = utf8.decode(data, at)
            kind = kinds[point]
            if kind == characters.SINGLE:
                before = SEPARATOR
                if home[scripts[point]]:
                    at, count = _stretch(
                        data, at, stop, kinds, scripts, home, seed, gram, out, count
                    )
                else:
                    at, _ = _single(data, at, stop, kinds)
                continue
            if kind not in (characters.WORD, characters.MARK):
                before = SEPARATOR
                at += width
                continue
        running, length, foreign = seed, 0, np.uint8(0)
        while at < stop and plain[data[at]] <= FOREIGN:
            foreign |= plain[data[at]]
            running = (running ^ np.uint64(data[at])) * _FNV_PRIME
            length += 1
            at += 1
        if at < stop and plain[data[at]] == WIDE:
            at, more, running, other = _word(data, at, stop, kinds, scripts, plain, home, running)
            length += more
            foreign |= other
        prose = before != CODE and (at == stop or plain[data[at]] != CODE)
        if _SHORTEST <= length <= _LONGEST and not foreign and prose:
            out[count] = _mix(running)
            count += 1
        before = SEPARATOR
    return int(count)
