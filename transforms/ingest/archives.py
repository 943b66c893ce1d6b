"""Web archives: WARC, WET and ARC, plain or compressed, to documents.

A document is the text of a web page (a response with status 200 in HTML, a resource in
HTML), a text that somebody extracted (conversion, as in WET files) or a resource in plain
text. All other records are no documents by what they are; they are counted by reason
(`records.SKIPPED`) and are neither read documents nor dead letters. A page without text
is one of them (`no_text`). What is damaged is a dead letter at the byte of the file, or
of the compressed member, where its record starts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

import orjson

from transforms import storage
from transforms.ingest.archive_records import (
    HEAD_BYTES,
    Body,
    Damage,
    Head,
    Skipped,
    Verdict,
    read_head,
    records,
)
from transforms.ingest.archive_stream import Stream, pieces
from transforms.ingest.config import IngestConfig
from transforms.ingest.html import PageError, decode_page, page_text
from transforms.ingest.http_body import http_body
from transforms.ingest.splits import Split
from transforms.ingest.validate import Judged
from transforms.ingest.window import Window

__all__ = ["Count", "read_archive"]

Count = Callable[[str, int], None]
"""`count(reason, n)` takes in n records that were skipped."""

_HTML: Final = {"text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml"}
_STATUS: Final = re.compile(rb"HTTP/\d(?:\.\d)? +(\d{3})")
_LOOKS_LIKE_HTML: Final = re.compile(rb"\s*<(?:!doctype\s+html|html|head|body)", re.IGNORECASE)
_CHARSET: Final = re.compile(r"charset\s*=\s*[\"']?([^\s;\"']+)", re.IGNORECASE)


def read_archive(split: Split, config: IngestConfig, count: Count) -> Iterator[Judged]:
    """Reads a file, window by window.

    Args:
        split: The whole file.
        config: How it is read.
        count: Takes in how many records were skipped, by reason.

    Raises:
        StorageError: The file cannot be read; that it is damaged is a dead letter.
    """
    reader = _Reader(split.path, config)
    codec = split.format.partition(".")[2]
    with storage.open_input(split.path) as source:
        stream = Stream(
            pieces(source, split.size, codec, config.limits), split.size, plain=not codec
        )
        for found in records(stream, reader.decide):
            if isinstance(found, Damage):
                reader.window.reject(*found)
            else:
                skipped = found if isinstance(found, Skipped) else reader.add(found)
                if skipped:
                    count(skipped.reason, 1)
            if reader.window.full():
                yield reader.window.take(html=False)
        yield reader.window.take(html=False)


class _Reader:
    """What records of one file become.

    Attributes:
        window: Documents and dead letters so far.
    """

    def __init__(self, path: str, config: IngestConfig) -> None:
        self._config = config
        self.window = Window(path, config)

    def decide(self, position: int, head: Head, first: bytes) -> Verdict:
        """Whether a record is wanted, from its header and the header of HTTP."""
        if head.kind == "conversion" or (head.kind == "resource" and _kind(head) == "text/plain"):
            return self._config.max_document_bytes
        if head.kind == "resource":
            html = _kind(head) in _HTML
            return self._config.max_html_bytes if html else Skipped("content_type")
        if head.kind != "response":
            return Skipped(head.kind if head.kind in _KNOWN else "unknown_type")
        if "warc-segment-number" in head.fields:
            return Skipped("segmented")
        return self._decide_response(position, head, first)

    def _decide_response(self, position: int, head: Head, first: bytes) -> Verdict:
        url = head.fields.get("warc-target-uri", "").strip("<>").lower()
        if not url.startswith(("http:", "https:")):
            return Skipped("not_http")
        if head.length == 0:
            return Skipped("no_text")
        status = _STATUS.match(first)
        http = _http_head(first)
        if status is None or http is None:
            return Damage(position, head.length, "invalid_http", first[:1024])
        if status[1] != b"200":
            return Skipped("http_status")
        fields, end = http
        kind = fields.get("content-type", "").partition(";")[0].strip().lower()
        if kind in _HTML or (not kind and _LOOKS_LIKE_HTML.match(first, end)):
            return self._config.max_html_bytes + HEAD_BYTES
        return Skipped("content_type")

    def add(self, found: Body) -> Skipped | None:
        """Takes in a record that is wanted; a reason to skip it where it has no text."""
        try:
            text, metadata = self._text(found)
        except PageError as e:
            shown = found.head.fields.get("warc-target-uri", "")
            self.window.reject(found.position, len(found.data), e.reason, shown)
            return None
        if not text.strip():
            return Skipped("no_text")
        fields = found.head.fields
        self.window.document(
            found.position,
            len(found.data),
            text,
            date=fields.get("warc-date"),
            metadata=orjson.dumps(metadata, option=orjson.OPT_SORT_KEYS).decode(),
            id=fields.get("warc-record-id", "").strip("<>") or None,
            url=fields.get("warc-target-uri", "").strip("<>") or None,
            lang=fields.get("warc-identified-content-language"),
        )
        return None

    def _text(self, found: Body) -> tuple[str, dict[str, str]]:
        """Text and metadata of a record; raises a PageError where it is damaged."""
        kind, fields = found.head.kind, found.head.fields
        data, said = found.data, fields.get("content-type", "")
        if kind == "response":
            data, said = http_body(found.data, self._config.max_html_bytes)
        if kind == "conversion":
            text, encoding = _utf8(data), "utf-8"
        else:
            charset = _CHARSET.search(said)
            text, encoding = decode_page(data, charset[1] if charset else None)
        if kind == "response" or _kind(found.head) in _HTML:
            text = page_text(text, self._config.max_html_bytes)
        metadata = {"content_type": said, "encoding": encoding, "warc_type": kind}
        for name in ("warc-truncated", "warc-refers-to"):
            if name in fields:
                metadata[name.replace("-", "_")] = fields[name].strip("<>")
        return text, metadata


_KNOWN: Final = {"request", "metadata", "warcinfo", "revisit", "continuation"}


def _kind(head: Head) -> str:
    return head.fields.get("content-type", "").partition(";")[0].strip().lower()


def _http_head(first: bytes) -> tuple[dict[str, str], int] | None:
    """The header of a response, and where it ends."""
    for blank in (b"\r\n\r\n", b"\n\n"):
        end = first.find(blank)
        if end >= 0:
            fields = read_head(first[: end + len(blank)])
            return None if fields is None else (fields, end + len(blank))
    return None


def _utf8(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise PageError("invalid_utf8") from e
