"""Objects of Google Cloud Storage that are written under a condition.

Streams go through Beam's file systems (`transforms.storage`); those know no
preconditions. What only one of several may do, such as claiming a place or publishing a
run, needs them: an object has a generation, and is written only if that is the one that
the writer last saw. A generation of 0 stands for an object that is not there.

With `STORAGE_EMULATOR_HOST` set, requests go there without credentials.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

__all__ = ["EMULATOR", "SCHEME", "copy_new", "delete", "delete_if", "emulated", "names", "read"]
__all__ += ["rename", "write", "write_if"]

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

    blob = _blob(path)
    try:
        data = blob.download_as_bytes(raw_download=True, timeout=_TIMEOUT)
    except NotFound:
        return None
    return data, int(blob.generation)


def write(path: str, data: bytes) -> None:
    """Writes an object: readers see the old content or the new, never a part."""
    from google.cloud.storage.retry import DEFAULT_RETRY  # noqa: PLC0415  # as above

    # To write the same bytes twice does no harm.
    blob = _blob(path)
    blob.upload_from_string(data, "application/octet-stream", timeout=_TIMEOUT, retry=DEFAULT_RETRY)


def write_if(path: str, data: bytes, generation: int) -> int | None:
    """Writes an object if its generation is the one given; the new one, or None.

    A request whose answer is lost is sent again, and then refused because of its own
    success: content that is there already counts as written.
    """
    from google.api_core.exceptions import PreconditionFailed  # noqa: PLC0415  # as above

    blob = _blob(path)
    kind = "application/octet-stream"
    try:
        blob.upload_from_string(data, kind, if_generation_match=generation, timeout=_TIMEOUT)
    except PreconditionFailed:
        found = read(path)
        return found[1] if found is not None and found[0] == data else None
    return int(blob.generation)


def delete_if(path: str, generation: int) -> bool:
    """Deletes an object if its generation is the one given; whether it is gone."""
    from google.api_core.exceptions import NotFound, PreconditionFailed  # noqa: PLC0415

    try:
        _blob(path).delete(if_generation_match=generation, timeout=_TIMEOUT)
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
    from google.cloud.storage.retry import DEFAULT_RETRY  # noqa: PLC0415  # as above

    with contextlib.suppress(NotFound):
        _blob(path).delete(timeout=_TIMEOUT, retry=DEFAULT_RETRY)


def copy_new(src: str, dst: str) -> bool:
    """Copies an object to where none is; False where one is, or where there is no source."""
    from google.api_core.exceptions import NotFound, PreconditionFailed  # noqa: PLC0415

    source, target = _blob(src), _blob(dst)
    try:
        source.bucket.copy_blob(
            source, target.bucket, target.name, if_generation_match=0, timeout=_TIMEOUT
        )
    except (NotFound, PreconditionFailed):
        return False
    return True


def rename(src: str, dst: str) -> None:
    """Moves an object; replaces `dst`. Beam would do so in a batch of one."""
    from google.cloud.storage.retry import DEFAULT_RETRY  # noqa: PLC0415  # as above

    source, target = _blob(src), _blob(dst)
    source.bucket.copy_blob(
        source, target.bucket, target.name, timeout=_TIMEOUT, retry=DEFAULT_RETRY
    )
    _delete_one(src)


def names(folder: str) -> Iterator[str]:
    """Paths of all objects below a folder, and of the one that is called as the folder is."""
    blob = _blob(folder.rstrip("/"))
    for found in _client(os.environ.get(EMULATOR, "")).list_blobs(
        blob.bucket, prefix=blob.name, timeout=_TIMEOUT
    ):
        if found.name == blob.name or found.name.startswith(f"{blob.name}/"):
            yield f"{SCHEME}{blob.bucket.name}/{found.name}"
