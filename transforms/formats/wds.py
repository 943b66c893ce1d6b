"""Shards as WebDataset: a tar file with `KEY.txt` and `KEY.json` for each document."""

from __future__ import annotations

import importlib.util
import io
import tarfile
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
import pyarrow as pa

from transforms.errors import UsageError
from transforms.formats.format import Member
from transforms.formats.plain import from_plain, to_plain

__all__ = ["WebDataset"]


def _key(row: dict[str, Any]) -> str:
    """Unique in a run: the same document may appear several times."""
    return f"{row['doc_id']}_{row['repeat']}"


def _rows(tar: tarfile.TarFile) -> Iterator[dict[str, Any]]:
    """Each document's JSON, and the text that follows it."""
    members = iter(tar)
    for member in members:
        row, follower = orjson.loads(_content(tar, member)), next(members, None)
        if not isinstance(row, dict) or follower is None:
            raise ValueError(f"{member.name} is no document, or has no text")
        if [member.name, follower.name] != [f"{_key(row)}.json", f"{_key(row)}.txt"]:
            raise ValueError(f"{member.name} or {follower.name} is not in its place")
        yield row | {"text": _content(tar, follower).decode("utf-8")}


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    return b"" if file is None else file.read()


class WebDataset:
    """A tar file a shard, of `.json` and `.txt`: the text is in `.txt`, all else in `.json`."""

    name = "wds"
    extension = ".tar"
    package = "webdataset"

    def require(self) -> None:
        """Raises a UsageError where webdataset is not installed."""
        if importlib.util.find_spec("webdataset") is None:
            raise UsageError(
                "--format wds needs the library webdataset; install it with "
                "`pip install 'holdfast[wds]'`, or choose another format"
            )

    def write(self, shard: pa.Table) -> bytes:
        """Rows of `records.PUBLISHED` as a file."""
        self.require()
        from webdataset.writer import TarWriter  # noqa: PLC0415  # optional, and 0.2 s to import

        sink = io.BytesIO()
        # Nobody's, of no time: only the rows decide the bytes.
        with TarWriter(sink, user="", group="", mtime=0, encoder=False) as tar:
            for row in to_plain(shard):
                text = row.pop("text").encode()
                tar.write({"__key__": _key(row), "json": orjson.dumps(row), "txt": text})
        return sink.getvalue()

    def read(self, data: bytes) -> pa.Table:
        """The rows of a file (PUBLISHED)."""
        if len(data) % tarfile.RECORDSIZE or any(data[-2 * tarfile.BLOCKSIZE :]):
            raise ValueError("it is no whole tar file: its end is missing")
        try:
            with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
                return from_plain(list(_rows(tar)))
        except (tarfile.TarError, KeyError) as error:
            raise ValueError(f"it is no tar file of documents: {error!r}") from error

    def index(self, members: Sequence[Member]) -> dict[str, bytes]:
        """Nothing."""
        del members
        return {}
