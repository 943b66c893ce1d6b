"""How far a text's words speak for machine-made text, window by window.

Chat systems have favourite words. A table holds, per language, how often each of some
hundred words occurs in a window of `WINDOW` tokens of human and of machine-made text. The
evidence of a window is the log-likelihood ratio of which of the words occur in it and
which do not (Liang et al., Monitoring AI-modified content at scale, 2024, section 3.3,
with windows for sentences); that of a text is the mean over its windows.

Tokens are runs of ASCII letters and digits and of other characters but punctuation; of
Han and Kana, every two neighbours. Nothing but the table knows any language.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.resources
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from transforms.errors import InputError
from transforms.kernels import Buffer, Hashes, Offsets, njit
from transforms.utf8 import string_buffers

__all__ = ["WINDOW", "WordTable", "load_words", "presence"]

WINDOW = 32
"""Tokens of a window."""
LEAST = WINDOW // 2
"""Fewest tokens of a text's last window, and of a text."""
_MOST = 256
"""Windows of a text that are looked at."""
_SCALE = 1000
"""Evidence is in thousandths of a nat."""
_SLOTS = 1 << 13
_SHIPPED = "synthetic_words.json"

_FNV_OFFSET = np.uint64(0xCBF29CE484222325)
_FNV_PRIME = np.uint64(0x100000001B3)

Longs = npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class WordTable:
    """What words say, by language.

    Attributes:
        base: Evidence of a window in which none of the words occurs, in thousandths.
        words: What each word adds, likewise.
        digest: XXH3-128 of the file.
    """

    base: Mapping[str, int]
    words: Mapping[str, Mapping[str, int]]
    digest: str

    @classmethod
    def from_json(cls, data: bytes, path: str) -> WordTable:
        """Reads a table.

        Raises:
            InputError: It is none.
        """
        try:
            given: Any = orjson.loads(data)["languages"]
            base = {lang: int(table["base"]) for lang, table in given.items()}
            words = {
                lang: {str(word): int(value) for word, value in table["words"].items()}
                for lang, table in given.items()
            }
        except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path} is no table of words: {error!r}") from error
        if any(len(table) > _SLOTS // 4 for table in words.values()):
            raise InputError(f"{path} has a language with more than {_SLOTS // 4} words")
        return cls(base, words, xxhash.xxh3_128_hexdigest(data))

    @functools.cached_property
    def _slots(self) -> tuple[dict[str, int], Hashes, Longs]:
        """Row of each language, hashes and evidence by slot. Shape (languages, slots)."""
        langs = sorted(self.words)
        keys = np.zeros((len(langs), _SLOTS), dtype=np.uint64)
        values = np.zeros((len(langs), _SLOTS), dtype=np.int64)
        for row, lang in enumerate(langs):
            for word, value in self.words[lang].items():
                _insert(keys[row], values[row], _hash(word), value)
        return {lang: row for row, lang in enumerate(langs)}, keys, values

    def score(self, text: pa.StringArray, lang: pa.StringArray) -> pa.Int16Array:
        """The mean evidence of each text's windows, in thousandths of a nat.

        Args:
            text: Without nulls.
            lang: Label of each text.

        Returns:
            Null for languages without a table and for texts of fewer than 16 tokens.
        """
        rows, keys, values = self._slots
        coded: Any = lang.dictionary_encode()
        table = np.array([rows.get(name, -1) for name in coded.dictionary.to_pylist()], np.int64)
        which = table[coded.indices.to_numpy()] if len(text) else np.zeros(0, np.int64)
        base = np.array([self.base[name] for name in rows], dtype=np.int64)
        offsets, data = string_buffers(pc.utf8_lower(text))
        out = np.zeros(len(text), dtype=np.int64)
        valid = np.zeros(len(text), dtype=np.bool_)
        if rows:
            _score(offsets, data, which, keys, values, base, out, valid)
        return pa.array(np.clip(out, -32767, 32767).astype(np.int16), mask=~valid)


def _hash(word: str) -> int:
    value = int(_FNV_OFFSET)
    for byte in word.encode():
        value = (value ^ byte) * int(_FNV_PRIME) & (1 << 64) - 1
    return value


def _insert(keys: Hashes, values: Longs, key: int, value: int) -> None:
    slot = key % _SLOTS
    while keys[slot] and int(keys[slot]) != key:
        slot = (slot + 1) % _SLOTS
    keys[slot], values[slot] = np.uint64(key), value


@njit
def _kind(data: Buffer, at: int, stop: int) -> tuple[int, int]:  # pragma: no cover - compiled
    """Width and kind of a character: 0 breaks words, 1 is part of one, 2 stands alone."""
    first = data[at]
    if first < 0x80:
        part = 0x30 <= first <= 0x39 or 0x61 <= first <= 0x7A
        return 1, 1 if part else 0
    if first < 0xE0:
        # U+0080 to U+00BF: signs and punctuation of Latin-1.
        return 2, 0 if first == 0xC2 else 1
    if first >= 0xF0:
        return 4, 0
    second = data[at + 1] if at + 1 < stop else 0
    if first == 0xE2 or (first == 0xE3 and second == 0x80) or (first == 0xEF and second >= 0xBC):
        return 3, 0  # punctuation, symbols, full-width forms
    if 0xE3 <= first <= 0xE9:
        return 3, 2  # U+3040 to U+9FFF
    return 3, 1


@njit
def _find(keys: Hashes, key: np.uint64) -> np.int64:  # pragma: no cover - compiled
    """The slot of a hash; -1 without one."""
    slot = np.int64(key % np.uint64(_SLOTS))
    while keys[slot] != 0:
        if keys[slot] == key:
            return slot
        slot = (slot + 1) % _SLOTS
    return np.int64(-1)


@njit
def _next(
    data: Buffer, at: int, stop: int, lone: int
) -> tuple[int, int, int, bool]:  # pragma: no cover - compiled
    """The next token from `at` on.

    Args:
        data: UTF-8.
        at: Where to go on.
        stop: Where the text ends.
        lone: Where the character before `at` begins if it stands alone; else -1.

    Returns:
        Where the token begins and ends, `lone` for what follows, and whether there is one.
    """
    begin = -1
    while at < stop:
        width, kind = _kind(data, at, stop)
        if kind == 1:
            begin = at if begin < 0 else begin
        elif begin >= 0:
            return begin, at, -1, True
        elif kind == 2 and lone >= 0:
            return lone, at + width, at, True
        lone = at if kind == 2 else -1
        at += width
    return begin, at, -1, begin >= 0


@njit
def _hashed(data: Buffer, begin: int, end: int) -> np.uint64:  # pragma: no cover - compiled
    """FNV-1a (Fowler, Noll and Vo) of a token."""
    running = _FNV_OFFSET
    for i in range(begin, end):
        running = (running ^ np.uint64(data[i])) * _FNV_PRIME
    return running


@njit
def _score(
    offsets: Offsets,
    data: Buffer,
    which: Longs,
    keys: Hashes,
    values: Longs,
    base: Longs,
    out: Longs,
    valid: npt.NDArray[np.bool_],
) -> None:  # pragma: no cover - compiled
    seen = np.zeros(_SLOTS, dtype=np.int64)
    window = 0
    for row in range(len(which)):
        table = which[row]
        if table < 0:
            continue
        at, stop, lone = np.int64(offsets[row]), np.int64(offsets[row + 1]), np.int64(-1)
        total, windows, tokens, evidence = np.int64(0), 0, 0, base[table]
        window += 1
        while windows < _MOST:
            begin, at, lone, found = _next(data, at, stop, lone)
            if found:
                tokens += 1
                slot = _find(keys[table], _hashed(data, begin, at))
                if slot >= 0 and seen[slot] != window:
                    seen[slot] = window
                    evidence += values[table, slot]
            if tokens == WINDOW or (not found and tokens >= LEAST):
                total += evidence
                windows += 1
                window += 1
                tokens, evidence = 0, base[table]
            if not found:
                break
        if windows:
            out[row] = total // windows
            valid[row] = True


@njit
def _tokens(data: Buffer, begins: Longs, ends: Longs) -> int:  # pragma: no cover - compiled
    """Where the tokens of a text begin and end; returns how many there are."""
    count, at, lone = 0, np.int64(0), np.int64(-1)
    while True:
        begin, at, lone, found = _next(data, at, np.int64(len(data)), lone)
        if not found:
            return count
        begins[count], ends[count] = begin, at
        count += 1


def presence(texts: Iterable[str]) -> list[list[set[str]]]:
    """The distinct tokens of each window of each text: what tables are counted from."""
    found = []
    for text in texts:
        raw = text.lower().encode()
        begins, ends = (np.zeros(len(raw) + 1, dtype=np.int64) for _ in range(2))
        count = _tokens(np.frombuffer(raw, dtype=np.uint8), begins, ends)
        pairs = zip(begins[:count].tolist(), ends[:count].tolist(), strict=True)
        found.append(_windows([raw[begin:end].decode() for begin, end in pairs]))
    return found


def _windows(words: Sequence[str]) -> list[set[str]]:
    cut = [words[at : at + WINDOW] for at in range(0, len(words), WINDOW)][:_MOST]
    return [set(window) for window in cut if len(window) >= LEAST]


def load_words(path: str | None = None) -> WordTable:
    """The table that ships, or another one.

    Raises:
        InputError: The file cannot be read, or is none.
    """
    if path is None:
        shipped = importlib.resources.files("transforms.data").joinpath(_SHIPPED)
        return WordTable.from_json(shipped.read_bytes(), _SHIPPED)
    from transforms import storage  # noqa: PLC0415  # the shipped table needs no storage

    return WordTable.from_json(storage.read_bytes(path), path)
