"""Files wherever they are: plain calls for local paths, Beam's file systems for the rest.

A path without a scheme, or with `file://`, is local and needs no Beam; any other
scheme (`gs://`, `s3://`, `hdfs://`) goes through `apache_beam.io.filesystems`,
which is imported only then. Requests to a server are tried again where that may help
(`transforms.patience`). What goes wrong then becomes a `StorageError` that names the
path, or an `InputError` when a file to be read is not there.
"""

from __future__ import annotations

import glob as _glob
import pathlib
import shutil
import uuid
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from transforms import gcs, s3
from transforms.guarded import explained, guarded_sink, guarded_source
from transforms.patience import patiently
from transforms.uploads import Upload

__all__ = [
    "Entry",
    "absolute",
    "create",
    "delete_tree",
    "exists",
    "glob",
    "is_local",
    "join",
    "local_path",
    "makedirs",
    "open_input",
    "read_bytes",
    "rename",
    "write_bytes_atomically",
]


class Entry(NamedTuple):
    """One file: its path, size in bytes, and what changes when it is written again.

    `updated` is the time of the last change as a decimal string, or a checksum
    where the file system tells no time.
    """

    path: str
    size: int
    updated: str


def is_local(path: str) -> bool:
    """Whether `path` is on this machine's file system."""
    return "://" not in path or path.startswith("file://")


def local_path(path: str) -> pathlib.Path:
    """A local path as `pathlib.Path`, without `file://`."""
    return pathlib.Path(path.removeprefix("file://"))


def absolute(path: str) -> str:
    """A path that means the same wherever a command is run."""
    return str(local_path(path).resolve()) if is_local(path) else path.rstrip("/")


def join(folder: str, *parts: str) -> str:
    """Joins with `/`, which local paths and URLs have in common."""
    return "/".join([folder.rstrip("/") or folder, *(part.strip("/") for part in parts)])


def open_input(path: str) -> BinaryIO:
    """Opens for reading: seekable, never decompressed.

    Raises:
        InputError: There is no such file, or it is a directory.
        StorageError: It cannot be opened; later, by `read`, it cannot be read.
    """
    with explained(path, "read"):
        if is_local(path):
            return guarded_source(local_path(path).open("rb", buffering=0), path)
        files, uncompressed = _beam(path)
        raw = patiently(f"open {path}", lambda: files.open(path, compression_type=uncompressed))
    return guarded_source(raw, path, remote=True)


def create(path: str) -> BinaryIO:
    """Opens for writing from empty; missing local parent folders are made."""
    with explained(path, "write"):
        if path.startswith(gcs.SCHEME):
            raw: Any = Upload(path, lambda: _stream(path))
        elif not is_local(path):
            raw = _stream(path)
        else:
            local_path(path).parent.mkdir(parents=True, exist_ok=True)
            raw = local_path(path).open("wb")
    return guarded_sink(raw, path)


def _stream(path: str) -> Any:
    files, uncompressed = _beam(path)
    return patiently(f"create {path}", lambda: files.create(path, compression_type=uncompressed))


def exists(path: str) -> bool:
    """Whether a file, or a local folder, is there."""
    with explained(path, "look up"):
        if is_local(path):
            return local_path(path).exists()
        return bool(patiently(f"look up {path}", lambda: _beam(path)[0].exists(path)))


def rename(src: str, dst: str) -> None:
    """Moves a file; replaces `dst`. Atomic on local file systems."""
    with explained(src, f"rename to {dst}"):
        if is_local(src) and is_local(dst):
            local_path(src).replace(local_path(dst))
        elif src.startswith(gcs.SCHEME) and dst.startswith(gcs.SCHEME):
            gcs.rename(src, dst)
        else:
            _beam(src)[0].rename([src], [dst])


def delete_tree(path: str) -> None:
    """Deletes a file or a folder with all that is in it; nothing there is no error."""
    with explained(path, "delete"):
        if not is_local(path):
            _delete_remote(path)
        elif local_path(path).is_dir():
            shutil.rmtree(local_path(path))
        else:
            local_path(path).unlink(missing_ok=True)


def _delete_remote(path: str) -> None:
    if path.startswith(gcs.SCHEME):
        gcs.delete(gcs.names(path))
    else:
        patiently(f"delete {path}", lambda: _delete_found(path))


def _delete_found(path: str) -> None:
    files = _beam(path)[0]
    results = files.match([path, join(path, "**")])
    found = sorted({item.path for result in results for item in result.metadata_list})
    if found:
        files.delete(found)


def glob(pattern: str) -> list[Entry]:
    """Files that match, sorted by path; folders are left out.

    A local file whose name happens to hold `*`, `?` or `[` is found by its name.
    """
    with explained(pattern, "list"):
        if is_local(pattern):
            return list(_local_entries(str(local_path(pattern))))
        return patiently(f"list {pattern}", lambda: _remote_entries(pattern))


def _remote_entries(pattern: str) -> list[Entry]:
    found = [item for result in _beam(pattern)[0].match([pattern]) for item in result.metadata_list]
    return sorted(
        Entry(item.path, item.size_in_bytes, _remote_version(item))
        for item in found
        if not item.path.endswith("/")
    )


def makedirs(path: str) -> None:
    """Makes a local folder and its parents; object stores need none."""
    with explained(path, "make"):
        if is_local(path):
            local_path(path).mkdir(parents=True, exist_ok=True)


def read_bytes(path: str) -> bytes:
    """A whole file."""
    with open_input(path) as source:
        return source.read()


def write_bytes_atomically(path: str, data: bytes) -> None:
    """Writes beside `path` under a name of this attempt's own, then renames.

    A reader sees the old content or the new, never a part; attempts that run at
    the same time cannot truncate each other's file. Where an object appears only when
    it is whole, nothing needs to be renamed.
    """
    if path.startswith(gcs.SCHEME):
        with explained(path, "write"):
            gcs.write(path, data)
        return
    temporary = f"{path}.{uuid.uuid4().hex}.tmp"
    try:
        with explained(path, "write"), create(temporary) as sink:
            sink.write(data)
        rename(temporary, path)
    except BaseException:
        delete_tree(temporary)
        raise


def _local_entries(pattern: str) -> Iterator[Entry]:
    names = [pattern]
    if not pathlib.Path(pattern).exists():
        names = _glob.glob(pattern, recursive=True)  # noqa: PTH207  # absolute patterns, too
    for name in sorted(names):
        path = pathlib.Path(name)
        if path.is_file():
            stat = path.stat()
            yield Entry(name, stat.st_size, str(stat.st_mtime_ns))


def _remote_version(item: Any) -> str:
    if item.last_updated_in_seconds:
        return f"{item.last_updated_in_seconds:.6f}"
    return str(_beam(item.path)[0].checksum(item.path))


def _beam(path: str) -> tuple[Any, Any]:
    from apache_beam.io.filesystem import CompressionTypes  # noqa: PLC0415  # only if remote
    from apache_beam.io.filesystems import FileSystems  # noqa: PLC0415  # only if remote

    if path.startswith(s3.SCHEME):
        s3.share_client()
    if gcs.emulated():
        from apache_beam.internal.gcp import auth  # noqa: PLC0415

        # Beam looks for credentials for half a minute before it does without.
        auth._Credentials._credentials_init = True
    return FileSystems, CompressionTypes.UNCOMPRESSED
