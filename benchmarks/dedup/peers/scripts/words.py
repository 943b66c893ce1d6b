"""What a user's script around an in-memory LSH has to do besides: read, tokenise, write.

Runs in a peer's own environment: it imports nothing of holdfast.
"""

from __future__ import annotations

import argparse
import pathlib
import re

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["folders", "keep", "read", "shingles"]

_WORD = re.compile(r"\w+")
_NGRAM = 5


def folders(**more: str) -> argparse.Namespace:
    """`--input`, `--output`, and other flags with their defaults."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--input", type=pathlib.Path, required=True)
    parser.add_argument("--output", type=pathlib.Path, required=True)
    for name, default in more.items():
        parser.add_argument(f"--{name}", default=default)
    given = parser.parse_args()
    given.output.mkdir(parents=True)
    return given


def read(folder: pathlib.Path) -> pa.Table:
    """All documents of a folder."""
    return pa.concat_tables([pq.read_table(p) for p in sorted(folder.glob("part-*.parquet"))])


def shingles(text: str) -> list[str]:
    """5-grams of words, each once."""
    words = _WORD.findall(text.lower())
    last = max(1, len(words) - _NGRAM + 1)
    return list(dict.fromkeys(" ".join(words[i : i + _NGRAM]) for i in range(last)))


def keep(table: pa.Table, rows: list[int], output: pathlib.Path) -> None:
    """Writes the documents that remain."""
    pq.write_table(table.take(pa.array(rows)), output / "kept.parquet", compression="zstd")
