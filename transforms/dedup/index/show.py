"""What an index holds, for people."""

from __future__ import annotations

import dataclasses

from transforms import storage
from transforms.dedup.index import layout
from transforms.dedup.index.segments import PublishedRun, listed

__all__ = ["Shown", "describe"]


@dataclasses.dataclass(frozen=True)
class Shown:
    """One segment.

    Attributes:
        run: Name of its run.
        folder: Where the run is published; empty where no record says so.
        state: `counts`, `unfinished` (the append broke off) or `not published` (the
            run's folder has no manifest of that run).
        shards: Of the run.
        documents: Distinct ones.
        bytes: Of the segment's own files; what was compacted is not among them.
    """

    run: str
    folder: str
    state: str
    shards: int
    documents: int
    bytes: int


def describe(index: str, published: PublishedRun) -> tuple[list[Shown], int]:
    """The segments of an index, by run, and the size of its compacted files.

    Raises:
        UsageError: It is no index.
        InputError: One of its records is damaged.
    """
    layout.read_format(index)
    sizes: dict[str, int] = {}
    for depth, below in ((2, ("*",)), (3, (layout.TEMPORARY, "*"))):
        for entry in storage.glob(layout.segment_place(index, "*", *below)):
            run = entry.path.rsplit("/", depth)[-depth]
            sizes[run] = sizes.get(run, 0) + entry.size
    shown = []
    for run, segment, counts in listed(index, published):
        if segment is None:
            shown.append(Shown(run, "", "unfinished", 0, 0, sizes.get(run, 0)))
            continue
        state = "counts" if counts else "not published"
        facts = (len(segment.shards), segment.documents, sizes.get(run, 0))
        shown.append(Shown(run, segment.folder, state, *facts))
    compacted = storage.glob(layout.compacted_place(index, "*"))
    return shown, sum(entry.size for entry in compacted)
