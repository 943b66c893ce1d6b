"""Writing on condition that nobody else did: claims, pointers and immutable files.

A file has a version, which changes with its content. It is written only if its version
is the one that the writer last saw, and created only if it is not there.

* Local file systems: a new file is linked to its name, which fails where one is; a file
  is replaced under a lock on the file itself, which the system lifts when its holder
  dies. No other file is needed for it.
* Google Cloud Storage: preconditions on generations.
* Others (Amazon S3, HDFS, by way of Beam): Beam has no conditions, so a file is looked
  at before and after. Two writers within that moment may both believe to have won.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pathlib
import uuid
from collections.abc import Iterator
from typing import NamedTuple

from transforms import gcs, storage
from transforms.errors import StorageError
from transforms.guarded import explained

__all__ = ["Versioned", "create", "place", "read", "remove", "replace"]

_READ = 1 << 20


class Versioned(NamedTuple):
    """Content of a file, and what stands for it in a condition."""

    data: bytes
    version: str


def read(path: str) -> Versioned | None:
    """A file as it is now; None without one."""
    with explained(path, "read"):
        if path.startswith(gcs.SCHEME):
            found = gcs.read(path)
            return None if found is None else Versioned(found[0], str(found[1]))
        if storage.is_local(path):
            try:
                data = storage.local_path(path).read_bytes()
            except FileNotFoundError:
                return None
            return Versioned(data, _digest(data))
        if not storage.exists(path):
            return None
        data = storage.read_bytes(path)
        return Versioned(data, _digest(data))


def create(path: str, data: bytes) -> str | None:
    """Writes a file that is not there; its version, or None where one is."""
    with explained(path, "write"):
        if path.startswith(gcs.SCHEME):
            made = gcs.write_if(path, data, 0)
            return None if made is None else str(made)
        if storage.is_local(path):
            return _digest(data) if _link(storage.local_path(path), data) else None
    return None if storage.exists(path) else _looked_at(path, data)


def replace(path: str, data: bytes, version: str) -> str | None:
    """Writes a file whose version is the one given; the new version, or None."""
    with explained(path, "write"):
        if path.startswith(gcs.SCHEME):
            made = gcs.write_if(path, data, int(version))
            return None if made is None else str(made)
        if storage.is_local(path):
            with _locked(storage.local_path(path), version) as same:
                if same:
                    _fresh(storage.local_path(path), data).replace(storage.local_path(path))
                return _digest(data) if same else None
    found = read(path)
    return _looked_at(path, data) if found is not None and found.version == version else None


def remove(path: str, version: str) -> bool:
    """Deletes a file whose version is the one given; whether it is gone."""
    with explained(path, "delete"):
        if path.startswith(gcs.SCHEME):
            return gcs.delete_if(path, int(version))
        if storage.is_local(path):
            with _locked(storage.local_path(path), version) as same:
                if same:
                    storage.local_path(path).unlink()
                return same or not storage.local_path(path).exists()
    found = read(path)
    if found is not None and found.version == version:
        storage.delete_tree(path)
    return found is None or found.version == version


def place(src: str, dst: str, sha256: str) -> None:
    """Moves a file to its final name, where nothing else may be.

    What an earlier attempt of the same run moved there already stays: it is the same.

    Args:
        src: The file under its temporary name.
        dst: Its final name.
        sha256: Of its content.

    Raises:
        StorageError: Another file is there, or the source is not.
    """
    with explained(dst, "write"):
        if src.startswith(gcs.SCHEME) and dst.startswith(gcs.SCHEME):
            moved = not storage.exists(dst) and gcs.copy_new(src, dst)
        elif storage.is_local(src) and storage.is_local(dst):
            moved = _link_to(storage.local_path(src), storage.local_path(dst))
        else:
            moved = not storage.exists(dst)
            if moved:
                storage.rename(src, dst)
    if not moved:
        _check_same(src, dst, sha256)
    storage.delete_tree(src)


def _check_same(src: str, dst: str, sha256: str) -> None:
    if not storage.exists(dst):
        raise StorageError(f"cannot move {src} to {dst}: it is gone; run again")
    digest = hashlib.sha256()
    with storage.open_input(dst) as source:
        while chunk := source.read(_READ):
            digest.update(chunk)
    if digest.hexdigest() != sha256:
        raise StorageError(
            f"{dst} is there already and is not what this run made: another run writes to this "
            "place; see what it is, then run again or choose another place"
        )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _fresh(path: pathlib.Path, data: bytes) -> pathlib.Path:
    """A file beside `path`, on the disk and not only in memory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f"{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        with made.open("wb") as sink:
            sink.write(data)
            sink.flush()
            os.fsync(sink.fileno())
    except BaseException:
        made.unlink(missing_ok=True)
        raise
    return made


def _link(path: pathlib.Path, data: bytes) -> bool:
    made = _fresh(path, data)
    try:
        return _link_to(made, path)
    finally:
        made.unlink(missing_ok=True)


def _link_to(src: pathlib.Path, dst: pathlib.Path) -> bool:
    """Gives a file a second name; False where that is taken, or there is no file."""
    dst.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError, FileNotFoundError):
        dst.hardlink_to(src)
        return True
    return False


@contextlib.contextmanager
def _locked(path: pathlib.Path, version: str) -> Iterator[bool]:
    """Whether the file has this version; nobody changes it within the block."""
    while True:
        try:
            file = path.open("r+b")
        except FileNotFoundError:
            yield False
            return
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # Who held the lock may have put another file in its place, or none.
            if not _is_at(file.fileno(), path):
                continue
            yield _digest(file.read()) == version
            return


def _is_at(descriptor: int, path: pathlib.Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _looked_at(path: str, data: bytes) -> str | None:
    """Writes, and looks whether it stayed."""
    storage.write_bytes_atomically(path, data)
    found = read(path)
    return found.version if found is not None and found.data == data else None
