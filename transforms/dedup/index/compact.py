"""Compacting: the index files of many shards in one, and removing what nothing needs.

Names of runs, numbers of shards and rows stay as they are: only where rows lie
changes (`locate`). So what runs pinned stays pinned, and a run finds what it would
have found. What a compacted file replaces is removed only after a while: a run that
began before may still read it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence

import orjson
import pyarrow as pa
import xxhash

from transforms import storage
from transforms.dedup.index import layout
from transforms.dedup.index.locate import Compaction, Piece, compactions, own_files, pieces
from transforms.dedup.index.read import stored_rows
from transforms.dedup.index.segments import PublishedRun, listed
from transforms.dedup.index.write import INDEXED, index_bytes

__all__ = ["FILE_BYTES", "Compacted", "compact"]

FILE_BYTES = 128 << 20
"""About the size of a compacted file; one of half of it is left alone."""


@dataclasses.dataclass(frozen=True)
class Compacted:
    """What was done.

    Attributes:
        merged: Files that went into compacted ones.
        written: Compacted files.
        removed: Files that nothing needed any more.
        unfinished: Runs whose unfinished segments were removed.
    """

    merged: int
    written: int
    removed: int
    unfinished: tuple[str, ...]


def compact(
    index: str,
    published: PublishedRun,
    *,
    now: float,
    older_than: float,
    remove_unfinished: bool = False,
    file_bytes: int = FILE_BYTES,
) -> Compacted:
    """Merges small index files and removes what was replaced long enough ago.

    Args:
        index: The index.
        published: Tells which run a folder holds.
        now: Seconds since 1970.
        older_than: Seconds after which a file that nothing needs may go.
        remove_unfinished: Whether segments that do not count may go then, too.
        file_bytes: Size of a compacted file.

    Raises:
        UsageError: It is no index.
        InputError: It is damaged.
    """
    layout.config_of(index)
    runs = listed(index, published)
    segments = [segment for _, segment, counts in runs if counts and segment]
    before = compactions(index)
    places = pieces(index, segments, before)
    held = _containers([*places.values(), *_live(before)])
    groups = list(_groups(held, _sizes(index), file_bytes))
    written = max([int(now), *(compaction.written + 1 for compaction in before)])
    for group in groups:
        _merge(index, sorted(piece for path in group for piece in held[path]), written)
    after = compactions(index)
    removed = _remove_replaced(index, after, now - older_than)
    uncounted = [run for run, _, counts in runs if not counts] if remove_unfinished else []
    gone = tuple(run for run in uncounted if _remove_segment(index, run, now - older_than))
    return Compacted(sum(map(len, groups)), len(groups), removed, gone)


def _live(compacted: Iterable[Compaction]) -> list[Piece]:
    """The pieces of compacted files that no newer one holds, whether their runs count or not.

    A run that does not count today may count again: its folder may only be out of reach.
    """
    newest = {(p.run, p.shard): p for compaction in compacted for p in compaction.pieces}
    return list(newest.values())


def _containers(found: Iterable[Piece]) -> dict[str, list[Piece]]:
    """Pieces by the file that holds them, files and pieces in order of run and shard."""
    held: dict[str, list[Piece]] = {}
    for piece in sorted(set(found)):
        held.setdefault(piece.path, []).append(piece)
    return held


def _sizes(index: str) -> dict[str, int]:
    patterns = (layout.segment_place(index, "*", "*"), layout.compacted_place(index, "*"))
    return {entry.path: entry.size for pattern in patterns for entry in storage.glob(pattern)}


def _groups(
    held: Mapping[str, Sequence[Piece]], sizes: Mapping[str, int], file_bytes: int
) -> Iterator[list[str]]:
    """Files to be merged into one, several at a time; large ones are left alone."""
    group: list[str] = []
    size = 0
    for path in held:
        if sizes[path] >= file_bytes // 2:
            continue
        if group and size + sizes[path] > file_bytes:
            if len(group) > 1:
                yield group
            group, size = [], 0
        group.append(path)
        size += sizes[path]
    if len(group) > 1:
        yield group


def _merge(index: str, merged: Sequence[Piece], written: int) -> None:
    """Writes a compacted file, then its record: without that it is as if it were not there."""
    tables = [
        pa.concat_tables(
            [
                INDEXED.empty_table(),
                *stored_rows(piece.path, piece.first, piece.rows, INDEXED.names),
            ]
        )
        for piece in merged
    ]
    facts = [{"run": p.run, "shard": p.shard, "rows": p.rows} for p in merged]
    name = xxhash.xxh3_128_hexdigest(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS))
    file = layout.compacted_place(index, f"{name}.parquet")
    storage.write_bytes_atomically(file, index_bytes(tables))
    record = layout.dump({"written": written, "pieces": facts})
    storage.write_bytes_atomically(layout.compacted_place(index, f"{name}.json"), record)


def _remove_replaced(index: str, compacted: Sequence[Compaction], before: float) -> int:
    """Removes files all of whose rows lie in a newer compacted file since before a time."""
    since = {(p.run, p.shard): (p.path, c.written) for c in compacted for p in c.pieces}
    own = own_files(index)
    removed = [
        own[run, shard.rsplit("/", 1)[-1]]
        for (run, shard), (_, written) in since.items()
        if written <= before and (run, shard.rsplit("/", 1)[-1]) in own
    ]
    for compaction in compacted:
        holders = [since[piece.run, piece.shard] for piece in compaction.pieces]
        if all(path != compaction.path and written <= before for path, written in holders):
            # The record first: a file without one is not there for anybody.
            removed += [compaction.record, compaction.path]
    known = {path for compaction in compacted for path in (compaction.record, compaction.path)}
    removed += [
        entry.path
        for entry in storage.glob(layout.compacted_place(index, "*"))
        if entry.path not in known and _changed(entry) <= before
    ]
    for path in removed:
        storage.delete_tree(path)
    return len(removed)


def _changed(entry: storage.Entry) -> float:
    """When a file was last changed, in seconds since 1970; infinite where nobody knows."""
    try:
        return int(entry.updated) / 1e9 if storage.is_local(entry.path) else float(entry.updated)
    except ValueError:
        return float("inf")


def _remove_segment(index: str, run: str, before: float) -> bool:
    """Removes a segment all of whose files are older than a time."""
    patterns = (("*",), (layout.TEMPORARY, "*"))
    found = [e for p in patterns for e in storage.glob(layout.segment_place(index, run, *p))]
    if any(_changed(entry) > before for entry in found):
        return False
    storage.delete_tree(layout.segment_place(index, run))
    return True
