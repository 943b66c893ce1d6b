"""What there is to read: the launcher lists it once, the job reads exactly that.

The list is fixed in `inputs.jsonl` (path, size, digest, format), sorted by path.
A file's number is its place in it.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import glob
import os
import pathlib
from collections.abc import Iterable, Iterator, Sequence

import orjson
import xxhash

from transforms import storage
from transforms.errors import InputError, UsageError

__all__ = [
    "INPUTS",
    "SUFFIXES",
    "InputFile",
    "fingerprint",
    "list_inputs",
    "read_inputs",
    "write_inputs",
]

INPUTS = "inputs.jsonl"
"""Name of the list in a staging folder."""

_ROWS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl", ".csv": "csv", ".tsv": "tsv"}
_ARCHIVES = {".warc": "warc", ".wet": "warc", ".arc": "warc"}
SUFFIXES = {".parquet": "parquet", ".pq": "parquet"} | {
    name + packed: kind + packed
    for kinds, codecs in (
        (_ROWS, ("", ".gz", ".zst", ".bz2", ".xz")),
        (_ARCHIVES, ("", ".gz", ".zst")),
    )
    for name, kind in kinds.items()
    for packed in codecs
}
"""File name endings and the formats that they mean; `.json` is read line by line, too."""

_MAGIC = "*?["
_CHUNK = 1 << 20


@dataclasses.dataclass(frozen=True, order=True)
class InputFile:
    """One file to read.

    Attributes:
        path: Absolute, or a URL.
        size: In bytes on storage.
        digest: XXH3-128 of the content of a local file; of a remote one the time
            of its last change, or a checksum.
        format: A value of `SUFFIXES`, such as `parquet` or `jsonl.gz`.
    """

    path: str
    size: int
    digest: str
    format: str


def list_inputs(patterns: Sequence[str]) -> list[InputFile]:
    """Finds the files that paths, globs and folders stand for; each once, by path.

    Folders are searched to the bottom, without what is hidden, what begins with
    `_`, and what has no known ending. Globs skip unknown endings, too.

    Raises:
        UsageError: A pattern finds nothing, or names a file of unknown format.
        StorageError: A file cannot be listed or read.
    """
    if not patterns:
        raise UsageError("no input is given; name a file, a folder or a glob with --input")
    paths = {path for pattern in patterns for path in _expand(pattern)}
    unique = {_identity(path): path for path in sorted(paths, reverse=True)}
    return sorted(
        InputFile(path, *fingerprint(path), format=_format(path)) for path in unique.values()
    )


def fingerprint(path: str) -> tuple[int, str]:
    """Size and digest of a file as it is now.

    Raises:
        InputError: It is not there.
    """
    found = [entry for entry in storage.glob(path) if entry.path == path]
    if not found:
        raise InputError(f"{path} is not there; check the path, or list the input again")
    if not storage.is_local(path):
        return found[0].size, f"updated:{found[0].updated}"
    digest = xxhash.xxh3_128()
    size = 0
    with storage.open_input(path) as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return size, f"xxh3:{digest.hexdigest()}"


def write_inputs(files: Iterable[InputFile], path: str) -> None:
    """Writes the list as JSON Lines, sorted by path."""
    lines = [orjson.dumps(dataclasses.asdict(file)) + b"\n" for file in sorted(files)]
    storage.write_bytes_atomically(path, b"".join(lines))


def read_inputs(path: str) -> list[InputFile]:
    """Reads what `write_inputs` wrote.

    Raises:
        InputError: It is not there, or is no such list.
    """
    try:
        lines = storage.read_bytes(path).splitlines()
        return [InputFile(**orjson.loads(line)) for line in lines]
    except (TypeError, orjson.JSONDecodeError) as e:
        raise InputError(f"{path} is no list of inputs ({e}); list the input again") from e


def _expand(pattern: str) -> list[str]:
    if storage.is_local(pattern):
        pattern = os.path.normpath(storage.local_path(pattern).absolute())
        found = _expand_local(pattern)
    else:
        found = _expand_remote(pattern)
    readable = [path for path in found if _format(path)]
    if readable:
        return readable
    if pattern in found:
        what = "has no ending that tells its format"
    elif found or any(character in pattern for character in _MAGIC):
        what = "matches no file that can be read"
    else:
        what = "does not exist, or is a folder without files that can be read"
    raise UsageError(f"input {pattern} {what}; known endings are {', '.join(SUFFIXES)}")


def _expand_local(pattern: str) -> list[str]:
    exact = pathlib.Path(pattern).exists()
    matched = [pattern] if exact else _globbed(pattern)
    return [file for path in matched for file in (_walk(path) if os.path.isdir(path) else [path])]  # noqa: PTH112


def _globbed(pattern: str) -> Iterator[str]:
    """As the standard library does it, but `**` follows no links to folders.

    Two of them that lead upward would keep it busy for ever.
    """
    head, *rest = pattern.split("/**/", 1)
    if not rest:
        head, *rest = (pattern[:-3], "**") if pattern.endswith("/**") else (pattern,)
    folders = glob.glob(head or "/")  # noqa: PTH207  # absolute
    if not rest:
        yield from folders
        return
    parts = ["**", *rest[0].split("/")]
    for folder in sorted(folders):
        for path in _walk(folder, hidden="."):
            if _fits(path[len(folder.rstrip("/")) + 1 :].split("/"), parts):
                yield path


def _fits(names: list[str], parts: list[str]) -> bool:
    """Whether a path below a folder matches a pattern in which `**` is any way down."""
    reached = {0}
    for part in parts:
        if part == "**":
            reached = set(range(min(reached, default=len(names) + 1), len(names) + 1))
        else:
            reached = {
                i + 1 for i in reached if i < len(names) and fnmatch.fnmatchcase(names[i], part)
            }
    return len(names) in reached


def _walk(folder: str, hidden: str | tuple[str, ...] = (".", "_")) -> Iterator[str]:
    """Files below a folder, however deep it is; links to folders are not followed."""
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            if entry.name.startswith(hidden):
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            elif not os.path.isdir(entry.path):  # noqa: PTH112  # False for a link to itself
                yield entry.path


def _expand_remote(pattern: str) -> list[str]:
    matched = storage.glob(pattern)
    if matched:
        return [entry.path for entry in matched]
    root = pattern.rstrip("/")
    inside = [entry.path for entry in storage.glob(storage.join(root, "**"))]
    return [path for path in inside if all(map(_visible, path[len(root) + 1 :].split("/")))]


def _visible(name: str) -> bool:
    return not name.startswith((".", "_"))


def _format(path: str) -> str:
    name = path.rsplit("/", 1)[-1].lower()
    return next((SUFFIXES[suffix] for suffix in SUFFIXES if name.endswith(suffix)), "")


def _identity(path: str) -> str:
    return str(pathlib.Path(path).resolve()) if storage.is_local(path) else path
