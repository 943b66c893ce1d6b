"""The sets of documents that the quality of deduplication is measured on."""

from __future__ import annotations

import dataclasses
import gzip
import json
import pathlib
import random
import shutil
from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.corpora import Mixer
from benchmarks.dedup.languages import LANGUAGES, documents

__all__ = ["Documents", "real_sets", "written_sets"]

_SCHEMA = pa.schema([(name, pa.string()) for name in ("text", "url", "date")])
_ORIGINALS = 350


@dataclasses.dataclass(frozen=True)
class Documents:
    """A set of documents as a corpus on disk.

    Attributes:
        name: As printed.
        folder: With `part-*.parquet`.
    """

    name: str
    folder: pathlib.Path

    def read(self) -> tuple[list[str], list[str]]:
        """Texts and URLs, in file order."""
        paths = sorted(self.folder.glob("part-*.parquet"))
        table = pa.concat_tables([pq.read_table(p, columns=["text", "url"]) for p in paths])
        return table.column("text").to_pylist(), table.column("url").to_pylist()


def _stored(name: str, texts: Sequence[str], work: pathlib.Path) -> Documents:
    folder = work / f"set-{name}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rows = [{"text": t, "url": f"https://{name}.example/{k}"} for k, t in enumerate(texts)]
    pq.write_table(pa.Table.from_pylist(rows, schema=_SCHEMA), folder / "part-0.parquet")
    return Documents(name, folder)


def _lines(path: pathlib.Path) -> Iterator[str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            document = json.loads(line)
            if document.get("format") != "html" and document["text"].strip():
                yield document["text"]


def _plain(folder: pathlib.Path, most: int) -> list[str]:
    """So many real texts, drawn from all files."""
    texts = [text for path in sorted(folder.glob("*.jsonl.gz")) for text in _lines(path)]
    random.Random(1).shuffle(texts)
    return texts[:most]


def real_sets(mix: Mixer, work: pathlib.Path, size: int) -> dict[str, Callable[[], Documents]]:
    """Licences, revisions of proposals, plain texts, and a mixed corpus."""
    near = sorted((mix.data / "neardup").glob("*_docs.jsonl.gz"))
    sets: dict[str, Callable[[], Documents]] = {}
    for path in near:
        name = path.name.removesuffix("_docs.jsonl.gz").replace("_", "-")
        sets[name] = lambda p=path, n=name: _stored(n, list(_lines(p)), work)  # type: ignore[misc]
    sets["plain"] = lambda: _stored("plain", _plain(mix.data / "plain", size), work)
    sets["mixed"] = lambda: Documents("mixed", mix.corpus(work, size, 1))
    return sets


def written_sets(work: pathlib.Path) -> dict[str, Callable[[], Documents]]:
    """Recombined texts, by language."""
    return {
        name: lambda n=name, w=words: _stored(n.lower(), documents(w, _ORIGINALS), work)  # type: ignore[misc]
        for name, words in LANGUAGES.items()
    }
