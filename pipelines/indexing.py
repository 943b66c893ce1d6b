"""Which earlier runs a run compares with, decided before its graph is built."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from transforms import storage
from transforms.dedup.config import DedupConfig
from transforms.dedup.index import layout, locate
from transforms.dedup.index.pins import Facts, NameOf, choose, pin_rows
from transforms.dedup.index.segments import Pinned, Segment, counted
from transforms.errors import UsageError
from transforms.shards.layout import MANIFEST
from transforms.shards.verify import require

__all__ = ["Pinning", "pin", "published_run", "shards_gone"]

_READERS = 16


@dataclasses.dataclass(frozen=True)
class Pinning:
    """What a run compares with.

    Attributes:
        name: The run's name.
        facts: What its graph needs to know.
        rows: The pinned shards, for `pins.write_pins`.
    """

    name: str
    facts: Facts
    rows: tuple[dict[str, Any], ...]


def published_run(folder: str) -> str | None:
    """The name of the run that is published in a folder; None without one."""
    if not storage.exists(storage.join(folder, MANIFEST)):
        return None
    return str(require(folder)["run"])


def shards_gone(segments: Sequence[Segment]) -> dict[str, tuple[int, ...]]:
    """Numbers of the shards of each segment that are not there any more, by run."""

    def look(segment: Segment) -> tuple[int, ...]:
        # Shards lie in one folder of their run.
        folders = {shard.path.rpartition("/")[0] for shard in segment.shards}
        patterns = [storage.join(segment.folder, folder, "*") for folder in folders]
        found = [entry.path.rsplit("/", 1)[-1] for p in patterns for entry in storage.glob(p)]
        names = [shard.path.rsplit("/", 1)[-1] for shard in segment.shards]
        return tuple(number for number, name in enumerate(names) if name not in set(found))

    with ThreadPoolExecutor(_READERS) as pool:
        missing = list(pool.map(look, segments))
    return {segment.run: gone for segment, gone in zip(segments, missing, strict=True)}


def _check_place(index: str, places: Sequence[str]) -> None:
    if storage.is_local(index) and storage.local_path(index).is_file():
        raise UsageError(f"--index {index} is a file; name a folder")
    if index in places:
        raise UsageError(f"--index {index} is the output or staging folder; give it one of its own")
    if storage.exists(storage.join(index, layout.FORMAT)):
        return
    if any(storage.glob(storage.join(index, pattern)) for pattern in ("*", "*/*")):
        raise UsageError(f"--index {index} is not empty and holds no index; choose an empty folder")


def _published_pins(run: str) -> tuple[str, list[Mapping[str, Any]], str] | None:
    """Name, pinned list and index of the run in an output folder, if it had an index."""
    if published_run(run) is None:
        return None
    manifest = require(run)
    facts = manifest.get("index")
    return (manifest["run"], facts["pinned"], facts["path"]) if facts else None


def _check_appended(run: str, name: str, index: str, segments: Sequence[Segment]) -> None:
    if name not in {segment.run for segment in segments}:
        raise UsageError(
            f"--output {run} holds this run already, but --index {index} does not count it: name "
            "the index that it was appended to, or choose another output"
        )


def pin(index: str, run: str, staging: str, config: DedupConfig, name_of: NameOf) -> Pinning:
    """Pins what a run compares with.

    A run that the output folder or the index holds already keeps the list that it was
    named by, so that it has the same name, and the same bytes, however much the index
    has grown since. Any other run pins all that counts.

    Args:
        index: As given.
        run: The output folder.
        staging: The staging folder.
        config: How this run makes signatures.
        name_of: The run's name by what it pins.

    Raises:
        UsageError: The index cannot be used, or lost what the run was named by.
        InputError: It is damaged.
    """
    index = storage.absolute(index)
    _check_place(index, [storage.absolute(run), storage.absolute(staging)])
    layout.check_format(index, config)
    segments = counted(index, published_run)
    there = _published_pins(run)
    if there is not None and name_of(there[1]) == there[0]:
        _check_appended(run, there[0], index, segments)
        pinned = tuple(Pinned.of(record) for record in there[1])
        return Pinning(there[0], Facts(index, pinned, 0, append=False), ())
    return _pin(index, segments, name_of)


def _pin(index: str, segments: Sequence[Segment], name_of: NameOf) -> Pinning:
    """Pins for a run that is not published in its output folder yet."""
    missing = shards_gone(segments)

    def gone(segment: Segment) -> tuple[int, ...]:
        return missing[segment.run]

    pinned, own = choose(segments, gone, name_of)
    rows = tuple(pin_rows(index, pinned, segments, locate.pieces(index, segments), gone))
    runs = {pin.run for pin in pinned}
    documents = sum(segment.documents for segment in segments if segment.run in runs)
    facts = Facts(index, pinned, documents, append=own is None)
    return Pinning(name_of([pin.record() for pin in pinned]), facts, rows)
