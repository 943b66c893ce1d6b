"""Records of WARC, WET and ARC files, one after the other, past those that are damaged."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from fastwarc.warc import HeaderMap

from transforms.ingest.archive_stream import ARC_LINE, Stream

__all__ = ["HEAD_BYTES", "Body", "Damage", "Head", "Skipped", "Verdict", "read_head", "records"]

HEAD_BYTES = 64 << 10
"""Longest header, of a record or of HTTP."""
_WARC: Final = re.compile(rb"WARC/[01]\.\d")
_BLANK: Final = re.compile(rb"\r?\n\r?\n")
_LENGTH: Final = re.compile(r"\d{1,18}", re.ASCII)
_FAULTS = (OSError, ValueError)


class Head(NamedTuple):
    """What a record says of itself.

    Attributes:
        kind: `response`, `conversion`, ... in lower case; of ARC, `response` or `warcinfo`.
        fields: By name in lower case.
        length: Of what follows, in bytes.
    """

    kind: str
    fields: dict[str, str]
    length: int


class Body(NamedTuple):
    """A record that is wanted, whole."""

    position: int
    head: Head
    data: bytes


class Skipped(NamedTuple):
    """A record that holds no document by what it is."""

    reason: str


class Damage(NamedTuple):
    """What is no record, or none that can be held."""

    position: int
    n_bytes: int
    reason: str
    excerpt: bytes | str


Verdict = Skipped | Damage | int
"""What to do with a record: pass it, refuse it, or hold it if it has at most so many bytes."""
Decide = Callable[[int, Head, bytes], Verdict]


def records(stream: Stream, decide: Decide) -> Iterator[Body | Skipped | Damage]:
    """Reads records to the end.

    Args:
        stream: At its start.
        decide: Given position, header, and the beginning of what follows it (`HEAD_BYTES`,
            if there are so many), what to do with a record.
    """
    stream.enter()
    start = ARC_LINE if ARC_LINE.match(stream.peek(HEAD_BYTES)) else _WARC
    while True:
        stream.skip_newlines()
        stream.enter()
        position = stream.position
        if not stream.peek(1):
            if stream.gap is None:
                return
            gap = stream.gap
            stream.resume()
            yield Damage(*gap)
        else:
            yield _record(stream, position, start, decide)


def _record(
    stream: Stream, position: int, start: re.Pattern[bytes], decide: Decide
) -> Body | Skipped | Damage:
    head = _arc_head(stream) if start is ARC_LINE else _warc_head(stream)
    if head is None:
        shown = stream.peek(1 << 10)
        passed = stream.seek(start)
        return _gap(stream, position) or Damage(position, passed, "invalid_record", shown)
    if stream.left is not None and head.length > stream.left:
        passed = stream.seek(start)
        return Damage(position, passed, "truncated_record", _told(head))
    verdict = decide(position, head, stream.peek(min(head.length, HEAD_BYTES)))
    if isinstance(verdict, int) and head.length > verdict:
        verdict = Damage(position, head.length, "oversized", _told(head))
    if not isinstance(verdict, int):
        got, data = stream.skip(head.length), b""
    else:
        data = stream.take(head.length)
        got = len(data)
    fault = _ending(stream, head, got, start)
    # What fails right behind a record is the checksum of its member.
    if gap := _gap(stream, position):
        return gap
    if fault is None:
        return Body(position, head, data) if isinstance(verdict, int) else verdict
    stream.unread(data)
    stream.seek(start)
    return Damage(position, got, fault, _told(head))


def _gap(stream: Stream, position: int) -> Damage | None:
    """What stands for a record, and for the rest of its member, that is damaged right here."""
    gap = stream.gap
    if gap is None or gap.offset > position or stream.at_member or stream.peek(1):
        return None
    stream.resume()
    return Damage(position, *gap[1:])


def _ending(stream: Stream, head: Head, got: int, start: re.Pattern[bytes]) -> str | None:
    """What is wrong with how a record ends, if anything."""
    if got < head.length:
        return "truncated_record"
    lines = stream.skip_newlines()
    if stream.at_member or not stream.peek(1):
        return None
    if lines >= (1 if start is ARC_LINE else 2) or start.match(stream.peek(HEAD_BYTES)):
        return None
    return "wrong_length"


def _told(head: Head) -> str:
    url = head.fields.get("warc-target-uri", "")
    return f"{head.kind} of {head.length} bytes {url}".strip()


def _warc_head(stream: Stream) -> Head | None:
    """The header of a WARC record; the stream is then behind it, or where it was."""
    data = stream.peek(HEAD_BYTES)
    blank = _BLANK.search(data)
    if not (_WARC.match(data) and blank):
        return None
    fields = read_head(data[: blank.end()])
    length = fields.get("content-length", "") if fields else ""
    if fields is None or not _LENGTH.fullmatch(length):
        return None
    stream.skip(blank.end())
    return Head(fields.get("warc-type", "").lower(), fields, int(length))


def read_head(data: bytes) -> dict[str, str] | None:
    """Names in lower case and values of a header with its first line; None if it is none."""
    headers = HeaderMap()
    try:
        headers.parse(io.BytesIO(data))
        pairs = headers.to_tuples()
    except _FAULTS:
        return None
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name.lower(), value.strip())
    return found


def _arc_head(stream: Stream) -> Head | None:
    """The same for ARC; its line is told in the words of WARC."""
    line = ARC_LINE.match(stream.peek(8 << 10))
    if not line:
        return None
    found = {name: value.decode("utf-8", "replace") for name, value in line.groupdict().items()}
    kind, _, more = found["rest"].strip().partition(" ")
    length = more.rpartition(" ")[2]
    if not _LENGTH.fullmatch(length):
        return None
    stream.skip(line.end())
    named = "warcinfo" if found["url"].startswith("filedesc:") else "response"
    fields = {
        "warc-target-uri": found["url"],
        "warc-date": found["date"],
        "content-type": kind.partition(";")[0],
    }
    return Head(named, fields, int(length))
