"""What a stored response of a web server carries, in bounded memory."""

from __future__ import annotations

import io
import re
import zlib
from typing import Final

import brotli
from fastwarc.warc import WarcRecord

from transforms.ingest.decompress import DamagedError, decompress
from transforms.ingest.html import PageError

__all__ = ["http_body"]

_WRAP: Final = (
    b"WARC/1.0\r\nWARC-Type: response\r\nContent-Type: application/http; msgtype=response\r\n"
    b"Content-Length: %d\r\n\r\n%b\r\n\r\n"
)
_CHUNK: Final = re.compile(rb"[0-9A-Fa-f]{1,8}[ \t]*(?:;[^\r\n]*)?\r\n")
_FRAMED: Final = {
    "gzip": ("gz", b"\x1f\x8b"),
    "x-gzip": ("gz", b"\x1f\x8b"),
    "zstd": ("zst", b"\x28\xb5\x2f\xfd"),
}
"""Encodings that begin with a mark: without it, the crawler has undone them."""
_MOST_ENCODINGS: Final = 4
_STEP: Final = 1 << 16


def http_body(data: bytes, most: int) -> tuple[bytes, str]:
    """The body of a response, and its content type.

    Args:
        data: Header and body as they went over the wire, or with chunks or compression
            already undone under the old header, as some crawlers do.
        most: Largest body, in bytes.

    Raises:
        PageError: It is larger (`oversized_html`), or cannot be decoded (`invalid_http`).
    """
    body, encodings, said = _transferred(data)
    names = [name.strip() for name in encodings.lower().split(",") if name.strip()]
    if len(names) > _MOST_ENCODINGS:
        raise PageError("invalid_http")
    for name in reversed(names):
        if name != "identity":
            body = _decoded(body, name, most)
    if len(body) > most:
        raise PageError("oversized_html")
    return body, said


def _transferred(data: bytes) -> tuple[bytes, str, str]:
    """The body without chunks, its content encodings and its type."""
    for mode in ("transfer", "none"):
        try:
            record = WarcRecord.from_bytes(_WRAP % (len(data), data))
            record.parse_http(auto_decode=mode, max_header_len=_STEP)
            headers = record.http_headers
            told = (headers.get("Content-Encoding") or "", headers.get("Content-Type") or "")
            body = record.reader.read(len(data))
        except (OSError, ValueError):
            continue
        if mode == "none" and _CHUNK.match(body):
            break  # chunks that are broken
        return body, *told
    raise PageError("invalid_http")


def _decoded(body: bytes, name: str, most: int) -> bytes:
    """Undoes one encoding; never makes much more than `most` bytes."""
    try:
        if name in _FRAMED:
            codec, mark = _FRAMED[name]
            return _unpacked(body, codec, most) if body.startswith(mark) else body
        if name not in ("deflate", "br"):
            raise PageError("invalid_http")
        if body.lstrip()[:1] == b"<":
            return body
        return _inflated(body, most) if name == "deflate" else _brotli(body, most)
    except (DamagedError, zlib.error, brotli.error) as e:
        raise PageError("invalid_http") from e


def _unpacked(body: bytes, codec: str, most: int) -> bytes:
    made = bytearray()
    for piece in decompress(io.BytesIO(body), codec):
        made += piece
        if len(made) > most:
            raise PageError("oversized_html")
    return bytes(made)


def _inflated(body: bytes, most: int) -> bytes:
    """`deflate`, which servers send with the header of zlib or without any."""
    wrapped = len(body) > 1 and body[0] & 0x0F == 8 and int.from_bytes(body[:2], "big") % 31 == 0
    decoder = zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
    made = decoder.decompress(body, most + 1)
    if len(made) > most:
        raise PageError("oversized_html")
    if not decoder.eof:
        raise PageError("invalid_http")
    return made


def _brotli(body: bytes, most: int) -> bytes:
    decoder, made, rest = brotli.Decompressor(), bytearray(), body
    while not decoder.is_finished():
        piece = decoder.process(rest, output_buffer_limit=_STEP)
        made += piece
        if len(made) > most:
            raise PageError("oversized_html")
        if not piece and decoder.can_accept_more_data():
            raise PageError("invalid_http")  # it ends too early
        rest = b""
    return bytes(made)
