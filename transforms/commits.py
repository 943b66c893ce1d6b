"""Commits: which splits of the input are annotated and staged for good.

The reader of a split lets a batch without rows follow its last one: the end, which
carries the split and how much was read. It passes every step of annotation as it is, so
that whoever stages the rows knows that nothing of the split is still to come, that
nothing was lost on the way, and can write a commit. A later attempt with the same
configuration finds the commit and hands on a batch that names what is staged, in place
of the rows.

commits/<key>.json in staging: the key is a digest of the split and of what decides
annotations. Paths in it are relative to the staging folder.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
import pyarrow as pa
import xxhash

from transforms import storage

__all__ = ["COMMITS", "Commits", "end_of", "ends", "label_of", "labelled", "named_files"]
__all__ += ["read_commit"]

COMMITS = "commits"
"""Folder of a staging folder."""
_FACTS = b"holdfast.end"
_LABEL = b"holdfast.label"


def _end(schema: pa.Schema, facts: dict[str, Any]) -> pa.RecordBatch:
    empty = pa.RecordBatch.from_pylist([], schema=schema)
    return empty.replace_schema_metadata({_FACTS: orjson.dumps(facts)})


def ends(batch: pa.RecordBatch) -> bool:
    """Whether a batch is the end of a split, which every step hands on as it is."""
    return batch.num_rows == 0 and _FACTS in (batch.schema.metadata or {})


def end_of(batch: pa.RecordBatch) -> dict[str, Any]:
    """What the end of a split says."""
    return orjson.loads(batch.schema.metadata[_FACTS])  # type: ignore[no-any-return]


def labelled(batch: pa.RecordBatch, path: str, *, written: bool = False) -> pa.RecordBatch:
    """A batch that says where in staging its rows go, or are written already."""
    label = orjson.dumps({"path": path, "written": written})
    return batch.replace_schema_metadata({_LABEL: label})


def label_of(batch: pa.RecordBatch) -> dict[str, Any] | None:
    """What `labelled` said; None of a batch without a label."""
    found = (batch.schema.metadata or {}).get(_LABEL)
    return None if found is None else orjson.loads(found)


@dataclasses.dataclass(frozen=True)
class Commits:
    """The commits of a staging folder that fit what decides annotations.

    Attributes:
        staging: The folder.
        annotation: Digest of what decides annotations.
    """

    staging: str
    annotation: str

    def key(self, split: str) -> str:
        """What a split's commit is called."""
        version = importlib.metadata.version("holdfast")
        return xxhash.xxh3_128_hexdigest(orjson.dumps([split, self.annotation, version]))

    def _path(self, split: str) -> str:
        return storage.join(self.staging, COMMITS, f"{self.key(split)}.json")

    def end(
        self,
        schema: pa.Schema,
        split: str,
        documents: int,
        dead: list[str],
        skipped: Mapping[str, int],
    ) -> pa.RecordBatch:
        """What follows the last batch of a split.

        Args:
            schema: Of the batches.
            split: As text.
            documents: How many its reader read.
            dead: Names of the files of its dead letters.
            skipped: Records that are no documents by what they are, by reason.
        """
        facts = {"split": split, "documents": documents, "dead": dead, "skipped": dict(skipped)}
        return _end(schema, facts)

    def staged(self, schema: pa.Schema, commit: dict[str, Any]) -> pa.RecordBatch:
        """What stands for a split that is staged already."""
        return _end(schema, {"commit": commit})

    def find(self, split: str) -> dict[str, Any] | None:
        """The commit of a split; None if there is none whose files are all there."""
        path = self._path(split)
        if not storage.exists(path):
            return None
        commit = read_commit(path)
        if commit is None or commit["split"] != split or commit["annotation"] != self.annotation:
            return None
        return commit if all(map(self._is_there, commit["files"])) else None

    def _is_there(self, file: dict[str, Any]) -> bool:
        path = storage.join(self.staging, file["path"])
        return [entry.size for entry in storage.glob(path)] == [file["size"]]

    def write(self, end: dict[str, Any], parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Commits a split.

        Args:
            end: What its end said.
            parts: Its rows of `dedup.rows.PART`.
        """
        rows = [part | {"path": self._relative(part["path"])} for part in parts]
        paths = [*(row["path"] for row in rows), *end["dead"]]
        files = [{"path": path, "size": self._size(path)} for path in paths]
        commit = end | {"annotation": self.annotation, "parts": rows, "files": files}
        storage.write_bytes_atomically(self._path(end["split"]), orjson.dumps(commit))
        return commit

    def _relative(self, path: str) -> str:
        return path.removeprefix(storage.join(self.staging, "")).lstrip("/")

    def _size(self, path: str) -> int:
        return storage.glob(storage.join(self.staging, path))[0].size

    def parts(self, commit: dict[str, Any]) -> list[dict[str, Any]]:
        """Rows of `dedup.rows.PART` of a commit."""
        return [
            part | {"path": storage.join(self.staging, part["path"])} for part in commit["parts"]
        ]


def read_commit(path: str) -> dict[str, Any] | None:
    """A commit; None of a file that is none."""
    try:
        commit = orjson.loads(storage.read_bytes(path))
    except orjson.JSONDecodeError:
        return None
    keys = {"split", "annotation", "documents", "dead", "skipped", "parts", "files"}
    return commit if isinstance(commit, dict) and keys <= set(commit) else None


def named_files(commits: Commits) -> tuple[set[str], list[str]]:
    """What the commits of a staging folder name, and the paths of those that do not count."""
    named: set[str] = set()
    useless = []
    for path, commit in _all(commits.staging):
        if commit is None or commit["annotation"] != commits.annotation:
            useless.append(path)
        else:
            named |= {storage.join(commits.staging, file["path"]) for file in commit["files"]}
    return named, useless


def _all(staging: str) -> Iterator[tuple[str, dict[str, Any] | None]]:
    for entry in storage.glob(storage.join(staging, COMMITS, "*.json")):
        yield entry.path, read_commit(entry.path)
