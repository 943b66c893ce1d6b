"""What a stored response of a web server carries, in bounded memory."""

from __future__ import annotations

from typing import Final

from fastwarc.warc import WarcRecord

from transforms.ingest.html import PageError

__all__ = ["http_body"]

_WRAP: Final = (
    b"WARC/1.0\r\nWARC-Type: response\r\nContent-Type: application/http; msgtype=response\r\n"
    b"Content-Length: %d\r\n\r\n%b\r\n\r\n"
)
_MODES: Final = ("all", "content", "transfer", "none")
"""What to undo. Some crawlers store what they have decoded under the old header."""
_BINARY: Final = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"%PDF")


def http_body(data: bytes, most: int) -> tuple[bytes, str]:
    """The body of a response, and its content type.

    Args:
        data: Header and body as they went over the wire, or with chunks or compression
            already undone.
        most: Largest body, in bytes.

    Raises:
        PageError: It is larger (`oversized_html`), or cannot be decoded (`invalid_http`).
    """
    whole = _WRAP % (len(data), data)
    for mode in _MODES:
        try:
            record = WarcRecord.from_bytes(whole)
            record.parse_http(auto_decode=mode, max_header_len=1 << 16)
            body = record.reader.read(most + 1)
            said = record.http_headers.get("Content-Type") or ""
        except (OSError, ValueError):
            continue
        if len(body) > most:
            raise PageError("oversized_html")
        if not body.startswith(_BINARY):
            return body, said
    raise PageError("invalid_http")
