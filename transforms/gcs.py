"""Objects of Google Cloud Storage that are written under a condition.

Streams go through Beam's file systems (`transforms.storage`); those know no
preconditions. What only one of several may do, such as claiming a place or publishing a
run, needs them: an object has a generation, and is written only if that is the one that
the writer last saw. A generation of 0 stands for an object that is not there.

Requests are tried again by `transforms.patience` and not by the client, so that all are
counted. A request whose answer is lost may have been carried out: to read, to list, to
delete and to write the same once more does no harm. One with a precondition is refused
then because of its own success, which is found out by looking at what is there.

With `STORAGE_EMULATOR_HOST` set, requests go there without credentials.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from transforms.patience import patiently

__all__ = ["EMULATOR", "SCHEME", "copy_new", "delete", "delete_if", "emulated", "names", "read"]
__all__ += ["rename", "stat", "write", "write_if"]

SCHEME = "gs://"
EMULATOR = "STORAGE_EMULATOR_HOST"
_THREADS = 8
_TIMEOUT = 60.0
"""Seconds for a connection, and between bytes of an answer."""


def emulated() -> bool:
    """Whether requests go to a local server."""
    return bool(os.environ.get(EMULATOR))


@functools.cache
def _client(host: str) -> Any:
    from google.cloud import storage  # noqa: PLC0415  # half a second, only if needed

    return storage.Client.create_anonymous_client() if host else storage.Client()


def _blob(path: str) -> Any:
    bucket, _, name = path.removeprefix(SCHEME).partition("/")
    return _client(os.environ.get(EMULATOR, "")).bucket(bucket).blob(name)


def read(path: str) -> tuple[bytes, int] | None:
    """An object and its generation; None without one."""
    from google.api_core.exceptions import NotFound  # noqa: PLC0415  # as above

    def ask() -> tuple[bytes, int]:
        blob = _blob(path)
        data = blob.download_as_bytes(raw_download=True, timeout=_TIMEOUT, retry=None)
        return data, int(blob.generation)

    try:
        return patiently(f"read {path}", ask)
    except NotFound:
        return None


def stat(path: str) -> tuple[int, str] | None:
    """Size in bytes of an object and its CRC32C in base 64; None without one."""

    def ask() -> Any:
        blob = _blob(path)
        return blob.bucket.get_blob(blob.name, timeout=_TIMEOUT, retry=None)

    found = patiently(f"look up {path}", ask)
    return None if found is None else (int(found.size), str(found.crc32c))


def write(path: str, data: bytes) -> None:
    """Writes an object: readers see the old content or the new, never a part."""
    patiently(f"write {path}", lambda: _upload(path, data))


def _upload(path: str, data: bytes, **conditions: int) -> int:
    blob = _blob(path)
    kind = "application/octet-stream"
    blob.upload_from_string(data, kind, timeout=_TIMEOUT, retry=None, **conditions)
    return int(blob.generation)


def write_if(path: str, data: bytes, generation: int) -> int | None:
    """Writes an object if its generation is the one given; the new one, or None.

    Content that is there already counts as written: the answer was lost that said so.
    What only one may write says who wrote it.
    """
    from google.api_core.exceptions import PreconditionFailed  # noqa: PLC0415  # as above

    try:
        return patiently(
            f"write {path}", lambda: _upload(path, data, if_generation_match=generation)
        )
    except PreconditionFailed:
        found = read(path)
        return found[1] if found is not None and found[0] == data else None


def delete_if(path: str, generation: int) -> bool:
    """Deletes an object if its generation is the one given; whether it is gone."""
    from google.api_core.exceptions import NotFound, PreconditionFailed  # noqa: PLC0415

    try:
        patiently(
            f"delete {path}",
            lambda: _blob(path).delete(
                if_generation_match=generation, timeout=_TIMEOUT, retry=None
            ),
        )
    except NotFound:
        return True
    except PreconditionFailed:
        return False
    return True


def delete(paths: Iterable[str]) -> None:
    """Deletes objects; those that are gone already are no error."""
    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(_delete_one, paths))


def _delete_one(path: str) -> None:
    from google.api_core.exceptions import NotFound  # noqa: PLC0415  # as above

    with contextlib.suppress(NotFound):
        patiently(f"delete {path}", lambda: _blob(path).delete(timeout=_TIMEOUT, retry=None))


def copy_new(src: str, dst: str) -> bool:
    """Copies an object to where none is; False where one is, or where there is no source.

    It may be this copy that is there, if an answer was lost: whoever asks compares.
    """
    from google.api_core.exceptions import NotFound, PreconditionFailed  # noqa: PLC0415

    try:
        patiently(f"copy {src} to {dst}", lambda: _copy(src, dst, if_generation_match=0))
    except (NotFound, PreconditionFailed):
        return False
    return True


def _copy(src: str, dst: str, **conditions: int) -> None:
    source, target = _blob(src), _blob(dst)
    source.bucket.copy_blob(
        source, target.bucket, target.name, timeout=_TIMEOUT, retry=None, **conditions
    )


def rename(src: str, dst: str) -> None:
    """Moves an object; replaces `dst`. Beam would do so in a batch of one."""
    patiently(f"copy {src} to {dst}", lambda: _copy(src, dst))
    _delete_one(src)


def names(folder: str) -> list[str]:
    """Paths of all objects below a folder, and of the one that is called as the folder is."""
    return patiently(f"list {folder}", lambda: list(_names(folder)))


def _names(folder: str) -> Iterator[str]:
    blob = _blob(folder.rstrip("/"))
    for found in _client(os.environ.get(EMULATOR, "")).list_blobs(
        blob.bucket, prefix=blob.name, timeout=_TIMEOUT, retry=None
    ):
        if found.name == blob.name or found.name.startswith(f"{blob.name}/"):
            yield f"{SCHEME}{blob.bucket.name}/{found.name}"
