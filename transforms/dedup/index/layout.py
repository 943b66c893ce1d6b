"""Names within an index, and the record that says how its signatures were made.

PATH/index.json                             scheme and parameters, written once
PATH/segments/<run>/shard-*.parquet         a file per published shard, see `rows`
PATH/segments/<run>/segment.json            what the segment holds, written last of it
PATH/compacted/<digest>.parquet, .json      files of several shards, see `compact`
"""

from __future__ import annotations

from typing import Any

import orjson

from transforms import storage
from transforms.dedup.config import SCHEME, DedupConfig
from transforms.errors import InputError, UsageError
from transforms.formats.choose import of_path

__all__ = [
    "FORMAT",
    "SEGMENT",
    "TEMPORARY",
    "check_format",
    "claim_format",
    "compacted_place",
    "config_of",
    "dump",
    "index_name",
    "index_place",
    "load",
    "read_format",
    "segment_place",
]

FORMAT = "index.json"
SEGMENT = "segment.json"
TEMPORARY = "_temporary"
"""Folder of a segment for files under names of one attempt's own."""
_VERSION = 1
_PARAMETERS = ("ngram", "permutations", "bands", "seed")


def segment_place(index: str, run: str, *names: str) -> str:
    """A path within the segment of a run."""
    return storage.join(index, "segments", run, *names)


def index_place(index: str, run: str, shard: str) -> str:
    """The index file of a published shard."""
    return segment_place(index, run, index_name(shard))


def index_name(shard: str) -> str:
    """What the index file of a published shard is called: as that, but for its format."""
    name = shard.rsplit("/", 1)[-1]
    return f"{name.removesuffix(of_path(name).extension)}.parquet"


def compacted_place(index: str, *names: str) -> str:
    """A path within the folder of compacted files."""
    return storage.join(index, "compacted", *names)


def dump(record: Any) -> bytes:
    """A record as JSON for people and programs: indented, keys sorted."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(record, option=options)


def load(path: str) -> Any:
    """Reads a record.

    Raises:
        InputError: It is no JSON object, or cannot be read.
    """
    try:
        found = orjson.loads(storage.read_bytes(path))
    except orjson.JSONDecodeError as error:
        raise InputError(f"{path} is no JSON ({error}); the index is damaged") from error
    if not isinstance(found, dict):
        raise InputError(f"{path} holds no JSON object; the index is damaged")
    return found


def _format_of(config: DedupConfig) -> dict[str, Any]:
    made = {name: getattr(config, name) for name in _PARAMETERS}
    return {"format": _VERSION, "scheme": SCHEME, **made}


def read_format(index: str) -> dict[str, Any]:
    """The format record of an index.

    Raises:
        UsageError: There is none.
        InputError: It is damaged.
    """
    path = storage.join(index, FORMAT)
    if not storage.exists(path):
        raise UsageError(f"{index} is no index: it has no {FORMAT}; a run with --index makes one")
    return load(path)  # type: ignore[no-any-return]


def check_format(index: str, config: DedupConfig) -> bool:
    """Whether there is an index; refuses one whose signatures cannot be compared.

    Raises:
        UsageError: It has another scheme or other parameters.
    """
    if not storage.exists(storage.join(index, FORMAT)):
        return False
    there = read_format(index)
    for name, asked in _format_of(config).items():
        if there.get(name) != asked:
            key = f"dedup.{name}" if name in _PARAMETERS else name
            raise UsageError(
                f"--index {index} was made with {key}={there.get(name)!r}, this run has "
                f"{asked!r}: its signatures cannot be compared; use the same, or another index"
            )
    return True


def claim_format(index: str, config: DedupConfig) -> None:
    """Makes the format record of an index unless there is one; either way it fits.

    Runs that begin at once may both write it. Each reads what is there then, and again
    before it appends (`segments.append`), so that of two that differ one is refused.

    Raises:
        UsageError: There is one of another scheme or other parameters.
    """
    if not check_format(index, config):
        storage.makedirs(index)
        storage.write_bytes_atomically(storage.join(index, FORMAT), dump(_format_of(config)))
        check_format(index, config)


def config_of(index: str) -> DedupConfig:
    """The part of a configuration that made the signatures of an index.

    Raises:
        InputError: The format is not one that this version reads.
    """
    there = read_format(index)
    if (there.get("format"), there.get("scheme")) != (_VERSION, SCHEME):
        raise InputError(
            f"{index} has format {there.get('format')!r} and scheme {there.get('scheme')!r}; this "
            f"version reads format {_VERSION} and scheme {SCHEME!r}"
        )
    try:
        return DedupConfig(**{name: there[name] for name in _PARAMETERS})
    except (KeyError, ValueError) as error:
        raise InputError(f"{storage.join(index, FORMAT)} is damaged: {error!r}") from error
