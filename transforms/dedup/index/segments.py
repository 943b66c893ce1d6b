"""Segments: what each run appended, which of them count, and appending one.

A segment counts only when its run is published: when the manifest in the run's
folder names the run. Until then, and after a crash for good, it is as if it were
not there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from transforms import conditional, storage
from transforms.dedup.config import DedupConfig
from transforms.dedup.index import layout
from transforms.errors import InputError

__all__ = [
    "Pinned",
    "PublishedRun",
    "Segment",
    "Shard",
    "append",
    "counted",
    "listed",
    "read_segment",
    "run_names",
]

PublishedRun = Callable[[str], str | None]
"""The name of the run that is published in a folder; None without one."""

_READERS = 16


@dataclasses.dataclass(frozen=True)
class Pinned:
    """A segment that a run compares with.

    Attributes:
        run: Its name.
        gone: Shards of it, by number, whose text was not there any more: similarity to
            their documents is estimated.
    """

    run: str
    gone: tuple[int, ...] = ()

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Pinned:
        """Reads what `record` made."""
        return cls(str(record["run"]), tuple(int(number) for number in record["gone"]))

    def record(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {"run": self.run, "gone": list(self.gone)}


@dataclasses.dataclass(frozen=True)
class Shard:
    """A published shard in the index.

    Attributes:
        path: Of the shard within its run.
        rows: Of the shard, and of its index file.
        documents: How many of them are first appearances.
        sha256: Of its index file as it was written.
    """

    path: str
    rows: int
    documents: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class Segment:
    """What one run appended.

    Attributes:
        run: Name of the run.
        folder: Where the run is published.
        pinned: What the run compared with.
        shards: By number.
    """

    run: str
    folder: str
    pinned: tuple[Pinned, ...]
    shards: tuple[Shard, ...]

    @property
    def documents(self) -> int:
        """Distinct documents."""
        return sum(shard.documents for shard in self.shards)

    def record(self) -> dict[str, Any]:
        """As JSON can hold it."""
        made = dataclasses.asdict(self)
        return made | {"pinned": [pinned.record() for pinned in self.pinned]}


def read_segment(index: str, run: str) -> Segment | None:
    """The segment of a run; None if it was never written to its end."""
    path = layout.segment_place(index, run, layout.SEGMENT)
    if not storage.exists(path):
        return None
    record = layout.load(path)
    try:
        segment = Segment(
            run=str(record["run"]),
            folder=str(record["folder"]),
            pinned=tuple(Pinned.of(pinned) for pinned in record["pinned"]),
            shards=tuple(Shard(**shard) for shard in record["shards"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is damaged: {error!r}") from error
    if segment.run != run:
        raise InputError(f"{path} is of run {segment.run}; the folder was renamed or copied")
    return segment


def run_names(index: str) -> list[str]:
    """Names of all runs that have any file in the index, sorted."""
    found = set()
    for depth, below in ((2, ("*",)), (3, (layout.TEMPORARY, "*"))):
        for entry in storage.glob(layout.segment_place(index, "*", *below)):
            found.add(entry.path.rsplit("/", depth)[-depth])
    return sorted(found)


def listed(index: str, published: PublishedRun) -> list[tuple[str, Segment | None, bool]]:
    """Every run with files in the index: its name, its segment, and whether that counts.

    Args:
        index: The index.
        published: Tells which run a folder holds.

    Returns:
        By name. The segment is None where an append broke off before its record.
    """

    def look(run: str) -> tuple[str, Segment | None, bool]:
        segment = read_segment(index, run)
        return run, segment, segment is not None and published(segment.folder) == run

    with ThreadPoolExecutor(_READERS) as pool:
        return list(pool.map(look, run_names(index)))


def counted(index: str, published: PublishedRun) -> list[Segment]:
    """The segments that count, by name."""
    return [segment for _, segment, counts in listed(index, published) if counts and segment]


def append(
    index: str,
    config: DedupConfig,
    run: str,
    folder: str,
    pinned: Iterable[Pinned],
    shards: Sequence[Shard],
    written: Sequence[str],
) -> None:
    """Gives index files their final names and records the segment.

    It counts from when the run's manifest is written, which is the caller's next step.

    Args:
        index: The index.
        config: Of this run: the index may have been made by another one meanwhile.
        run: The run's name.
        folder: Where the run is published.
        pinned: What the run compared with.
        shards: By number.
        written: Temporary paths of their index files.

    Raises:
        UsageError: The index is not, or not any more, of this scheme and configuration.
    """
    layout.claim_format(index, config)
    for shard, path in zip(shards, written, strict=True):
        final = layout.index_place(index, run, shard.path)
        storage.makedirs(layout.segment_place(index, run))
        conditional.place(path, final, shard.sha256)
    segment = Segment(run, folder, tuple(pinned), tuple(shards))
    record = layout.dump(segment.record())
    storage.delete_tree(layout.segment_place(index, run, layout.TEMPORARY))
    storage.write_bytes_atomically(layout.segment_place(index, run, layout.SEGMENT), record)
