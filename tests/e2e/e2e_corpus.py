"""The example corpus, read with nothing of holdfast's, and rules retold in plain Python."""

from __future__ import annotations

import gzip
import io
import json
import pathlib
import re
import unicodedata
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pyarrow.parquet as pq
import zstandard
from running import ROOT

CORPUS = ROOT / "examples" / "corpus"
Record = dict[str, Any]


def lines(path: pathlib.Path) -> list[bytes]:
    """The lines of a JSON Lines file, whatever packs it."""
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    elif path.suffix == ".zst":
        data = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)).read()
    return [line for line in data.split(b"\n") if line.strip()]


def read(path: pathlib.Path) -> Iterator[Record | None]:
    """Every record of a file; None for a broken one."""
    if path.suffix == ".parquet":
        for row in pq.ParquetFile(path).read().to_pylist():
            yield {name: value for name, value in row.items() if value is not None}
        return
    for line in lines(path):
        try:
            record = json.loads(line)
        except ValueError:
            yield None
            continue
        yield record if isinstance(record.get("text"), str) else None


def corpus() -> list[Record | None]:
    return [record for path in sorted(CORPUS.iterdir()) for record in read(path)]


def documents() -> list[Record]:
    return [record for record in corpus() if record is not None]


def normal_form(text: str) -> str:
    """The key of exact copies."""
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


def shingles(text: str) -> set[tuple[str, ...]]:
    """Runs of five words; for languages whose words stand apart."""
    words = re.findall(r"[^\W_]+", normal_form(text))
    return {tuple(words[i : i + 5]) for i in range(max(1, len(words) - 4))}


def jaccard(one: str, other: str) -> Fraction:
    a, b = shingles(one), shingles(other)
    return Fraction(len(a & b), len(a | b))


def worst_shortfall(sizes: list[int], member: list[bool], share: Fraction) -> Fraction:
    """How far the worst window of consecutive documents falls short: all windows are tried."""
    worst = Fraction(0)
    for start in range(len(sizes)):
        total = have = 0
        for size, counts in zip(sizes[start:], member[start:], strict=True):
            total += size
            have += size if counts else 0
            worst = max(worst, share * total - have)
    return worst
