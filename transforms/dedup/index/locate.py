"""Where the index rows of each shard are: in a file of their own, or in a compacted one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from typing import Any

from transforms import storage
from transforms.dedup.index import layout
from transforms.dedup.index.segments import Segment
from transforms.errors import InputError

__all__ = ["Compaction", "Piece", "compactions", "own_files", "pieces"]


@dataclasses.dataclass(frozen=True, order=True)
class Piece:
    """The index rows of one shard.

    Attributes:
        run: Of the shard.
        shard: Its path within the run.
        path: The file that holds them.
        first: The row of the file at which they begin.
        rows: How many.
    """

    run: str
    shard: str
    path: str
    first: int
    rows: int


@dataclasses.dataclass(frozen=True)
class Compaction:
    """A file that holds the index rows of several shards.

    Attributes:
        record: Path of its record, which is written when the file is whole.
        path: The file.
        written: When the record was written, in seconds since 1970.
        pieces: In the order of the file.
    """

    record: str
    path: str
    written: int
    pieces: tuple[Piece, ...]


def _read(index: str, record: str) -> Compaction:
    data = layout.load(record)
    path = record.removesuffix(".json") + ".parquet"
    try:
        return Compaction(record, path, int(data["written"]), tuple(_cut(path, data["pieces"])))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{record} is damaged: {error!r}; index {index}") from error


def _cut(path: str, pieces: list[dict[str, Any]]) -> Iterator[Piece]:
    first = 0
    for piece in pieces:
        yield Piece(str(piece["run"]), str(piece["shard"]), path, first, int(piece["rows"]))
        first += int(piece["rows"])


def compactions(index: str) -> list[Compaction]:
    """All compacted files that are whole, oldest first."""
    found = storage.glob(layout.compacted_place(index, "*.json"))
    made = [_read(index, entry.path) for entry in found]
    return sorted(made, key=lambda compaction: (compaction.written, compaction.record))


def pieces(
    index: str, segments: Iterable[Segment], compacted: Iterable[Compaction] | None = None
) -> dict[tuple[str, str], Piece]:
    """Where the rows of each shard are, by run and shard.

    The newest compacted file that holds a shard counts, before a file of its own. A
    shard that has neither is left out.

    Args:
        index: The index.
        segments: Those asked for.
        compacted: As `compactions` lists them, if that was done already.
    """
    merged = {
        (piece.run, piece.shard): piece
        for compaction in (compactions(index) if compacted is None else compacted)
        for piece in compaction.pieces
    }
    own = own_files(index)
    found = {}
    for segment in segments:
        for shard in segment.shards:
            key = segment.run, shard.path
            name = segment.run, layout.index_name(shard.path)
            if key in merged:
                found[key] = merged[key]
            elif name in own:
                found[key] = Piece(*key, own[name], 0, shard.rows)
    return found


def own_files(index: str) -> dict[tuple[str, str], str]:
    """Index files of single shards, by run and name."""
    found = storage.glob(layout.segment_place(index, "*", "*.parquet"))
    split = [(entry.path.rsplit("/", 2), entry.path) for entry in found]
    return {(run, name): path for (_, run, name), path in split}
