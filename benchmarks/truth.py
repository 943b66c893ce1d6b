"""The mixed corpus, its truth, and what a published run made of each document."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import pathlib
from collections import defaultdict
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.reference import Shingles, normal_form, shingles

__all__ = ["DUPLICATE", "REMAINS", "Corpus", "Fate", "Run"]

DUPLICATE = ("exact_duplicate", "near_duplicate")
REMAINS = ("published", "not_selected", "trimmed", "too_large")
"""Outcomes of documents that deduplication kept."""


class Corpus:
    """Documents in file order, with the truth of each.

    Args:
        folder: With `part-*.parquet` and `truth.parquet`, as the mixer writes them.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        parts = [pq.read_table(path) for path in sorted(folder.glob("part-*.parquet"))]
        table = pa.concat_tables(parts)
        truth = pq.read_table(folder / "truth.parquet")
        self.text: pa.ChunkedArray = table.column("text")
        self.url: list[str] = table.column("url").to_pylist()
        self.date: list[str | None] = table.column("date").to_pylist()
        self.declared = [origin == "synthetic" for origin in table.column("origin").to_pylist()]
        self.kind: list[str] = truth.column("kind").to_pylist()
        self.of: list[int] = truth.column("of").to_pylist()
        self.lang: list[str | None] = truth.column("lang").to_pylist()
        self.label: list[str] = truth.column("label").to_pylist()
        self.index = {url: i for i, url in enumerate(self.url)}
        if not len(self.url) == len(self.index) == len(self.kind):
            raise SystemExit(f"{folder}: rows, distinct URLs and truth differ; mix it again")

    def __len__(self) -> int:
        return len(self.url)

    def read(self, row: int) -> str:
        """The text of a document."""
        return str(self.text[row].as_py())

    @functools.lru_cache(maxsize=4096)  # noqa: B019  # one corpus lives as long as the process
    def shingles(self, row: int) -> Shingles:
        """The reference shingles of a document."""
        return shingles(self.read(row))

    @functools.cached_property
    def group(self) -> list[bytes]:
        """A digest of each document's normal form: equal for exact copies."""
        return [
            hashlib.blake2b(normal_form(text).encode(), digest_size=12).digest()
            for chunk in self.text.chunks
            for text in chunk.to_pylist()
        ]

    @functools.cached_property
    def groups(self) -> dict[bytes, list[int]]:
        """The rows of each normal form."""
        rows = defaultdict(list)
        for row, group in enumerate(self.group):
            rows[group].append(row)
        return dict(rows)


@dataclasses.dataclass(frozen=True)
class Fate:
    """What became of one document.

    Attributes:
        outcome: `published`, or the reason why it is not.
        witness: Row of the document that it duplicates; None without one.
        similarity: As published.
    """

    outcome: str
    witness: int | None = None
    similarity: float | None = None


_COLUMNS = ["doc_id", "url", "lang", "tail", "mixed", "origin", "origin_tier", "synthetic_tag"]
_COLUMNS += ["n_chars", "repeat"]


class Run:
    """A published run, document by document.

    Args:
        folder: Of the run.
        corpus: What it was made from.
    """

    def __init__(self, folder: pathlib.Path, corpus: Corpus) -> None:
        self.folder = folder
        self.manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
        self.shards = sorted((folder / "data").glob("*.parquet"))
        dropped = pa.concat_tables(
            [pq.read_table(path) for path in sorted((folder / "dropped").glob("*.parquet"))]
        )
        first = [pq.read_table(path, columns=_COLUMNS) for path in self.shards]
        rows = pa.concat_tables(first).to_pylist()
        self.published = {corpus.index[row["url"]]: row for row in rows if row["repeat"] == 0}
        ids = {row["doc_id"]: i for i, row in self.published.items()}
        lost = dropped.to_pylist()
        ids |= {row["doc_id"]: corpus.index[row["url"]] for row in lost}
        self.fate = {i: Fate("published") for i in self.published}
        self.twice = 0
        for row in lost:
            i = corpus.index[row["url"]]
            self.twice += i in self.fate
            self.fate[i] = Fate(row["reason"], ids.get(row["witness"]), row["similarity"])

    def outcome(self, row: int) -> str:
        """`published`, a reason, or `missing`."""
        return self.fate[row].outcome if row in self.fate else "missing"

    def remains(self, row: int) -> bool:
        """Whether deduplication kept the document."""
        return self.outcome(row) in REMAINS
