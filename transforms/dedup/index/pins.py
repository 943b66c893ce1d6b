"""The shards that a run compares with, pinned before it begins and put down for its graph.

`index.json` in staging says what is pinned and where the run appends; `index.jsonl`
has a line for each shard. The graph reads both: lists do not go into it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson
import pyarrow as pa

from transforms import storage
from transforms.dedup.index import layout
from transforms.dedup.index.locate import Piece
from transforms.dedup.index.segments import Pinned, Segment
from transforms.errors import InputError, UsageError
from transforms.records import INDEX_PART
from transforms.redact import redact

__all__ = [
    "FACTS",
    "PIN",
    "PINS",
    "Facts",
    "NameOf",
    "choose",
    "pin_rows",
    "read_facts",
    "read_pins",
    "write_facts",
    "write_pins",
]

FACTS = "index.json"
PINS = "index.jsonl"
"""Names in a staging folder."""

PIN = pa.schema(
    [
        ("part", pa.uint64()),
        ("run", pa.string()),
        ("shard", pa.string()),
        ("rows", pa.int64()),
        ("index", pa.string()),
        ("first", pa.int64()),
        ("text", pa.string()),
    ]
)
"""A pinned shard. `part`: `node >> 24` of its documents; `shard`: its path within its
run; `index` and `first`: its index file, and the row of that at which it begins;
`text`: the shard itself, null where it was gone when the run was named."""

NameOf = Callable[[Sequence[Mapping[str, Any]]], str]
"""The name of a run from the records of what it pins."""


@dataclasses.dataclass(frozen=True)
class Facts:
    """What a run needs to know of its index, besides the pinned shards.

    Attributes:
        index: The index.
        pinned: What the run compares with.
        documents: How many documents that is.
        append: Whether the run appends what it publishes; not if it did before.
    """

    index: str
    pinned: tuple[Pinned, ...]
    documents: int
    append: bool

    def told(self) -> dict[str, Any]:
        """For a manifest."""
        pinned = [pinned.record() for pinned in self.pinned]
        return {"path": redact(self.index), "pinned": pinned, "documents": self.documents}


def choose(
    segments: Sequence[Segment], gone: Callable[[Segment], tuple[int, ...]], name_of: NameOf
) -> tuple[tuple[Pinned, ...], Segment | None]:
    """What a run pins: what it pinned before if the index has it already, else all there is.

    Args:
        segments: Those that count, by name.
        gone: Numbers of a segment's shards whose text is not there.
        name_of: The run's name by what it pins.

    Returns:
        What to pin, by name, and the run's own segment: it is never pinned.
    """
    own = [s for s in segments if name_of([pinned.record() for pinned in s.pinned]) == s.run]
    if own:
        # Runs of one name made at once, over different lists, could leave several.
        first = min(own, key=lambda segment: (len(segment.pinned), segment.run))
        return first.pinned, first
    return tuple(Pinned(segment.run, gone(segment)) for segment in segments), None


def pin_rows(
    index: str,
    pinned: Iterable[Pinned],
    segments: Sequence[Segment],
    pieces: Mapping[tuple[str, str], Piece],
    gone: Callable[[Segment], tuple[int, ...]],
) -> Iterator[dict[str, Any]]:
    """Rows of `PIN`, in the order that numbers the parts.

    Args:
        index: The index, for messages.
        pinned: What to pin.
        segments: Those that count.
        pieces: Where the rows of a shard are, by run and shard (`locate.pieces`).
        gone: As for `choose`.

    Raises:
        UsageError: A segment or a text that the run was named by is gone.
        InputError: The index lost a file.
    """
    known = {segment.run: segment for segment in segments}
    number = INDEX_PART
    for pin in pinned:
        segment = _segment_of(index, pin, known, gone)
        for shard, facts in enumerate(segment.shards):
            text = None if shard in pin.gone else storage.join(segment.folder, facts.path)
            row = {"part": number, "run": pin.run, "shard": facts.path, "rows": facts.rows}
            yield row | _place_of(index, pin, facts.path, pieces) | {"text": text}
            number += 1


def _segment_of(
    index: str,
    pin: Pinned,
    known: Mapping[str, Segment],
    gone: Callable[[Segment], tuple[int, ...]],
) -> Segment:
    """The segment that is pinned, as far as it was there when the run was named."""
    if pin.run not in known:
        raise UsageError(
            f"this run compares with run {pin.run}, which index {index} does not count any "
            "more: its folder lost its manifest, or its segment was removed; put it back, "
            "or use another index"
        )
    segment = known[pin.run]
    if lost := sorted(set(gone(segment)) - set(pin.gone)):
        raise UsageError(
            f"this run compared with {segment.shards[lost[0]].path} of {segment.folder}, "
            "which is gone: it cannot be made again; put the shard back"
        )
    return segment


def _place_of(
    index: str, pin: Pinned, shard: str, pieces: Mapping[tuple[str, str], Piece]
) -> dict[str, Any]:
    """`index` and `first` of a pinned shard."""
    piece = pieces.get((pin.run, shard))
    if piece is None:
        raise InputError(
            f"index {index} lost its file of {shard} of run {pin.run}; "
            "`holdfast index verify` tells more"
        )
    return {"index": piece.path, "first": piece.first}


def write_pins(staging: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Puts down the pinned shards, one JSON object a line."""
    data = b"".join(orjson.dumps(row) + b"\n" for row in rows)
    storage.write_bytes_atomically(storage.join(staging, PINS), data)


def read_pins(staging: str) -> pa.Table:
    """The pinned shards of a run (PIN), in order of their part."""
    path = storage.join(staging, PINS)
    rows = [orjson.loads(line) for line in storage.read_bytes(path).splitlines()]
    return pa.Table.from_pylist(rows, schema=PIN)


def write_facts(staging: str, facts: Facts) -> None:
    """Puts down what the run needs to know of its index."""
    record = facts.told() | {"append": facts.append}
    storage.write_bytes_atomically(storage.join(staging, FACTS), layout.dump(record))


def read_facts(staging: str) -> Facts:
    """Reads what `write_facts` wrote."""
    record = layout.load(storage.join(staging, FACTS))
    pinned = tuple(Pinned.of(pinned) for pinned in record["pinned"])
    return Facts(record["path"], pinned, int(record["documents"]), bool(record["append"]))
