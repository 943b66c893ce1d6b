"""Web archives for the tests of ingest, made record by record."""

from __future__ import annotations

import gzip
from collections.abc import Sequence

import zstandard

_ZSTD = zstandard.ZstdCompressor(write_checksum=True)
SENTENCE = "the river froze early that winter and nobody in the valley remembered such a cold"


def paragraph(number: int) -> str:
    return " ".join(f"{word}{number}" for word in SENTENCE.split()) + "."


def page(body: str, head: str = "") -> bytes:
    menu = "<nav><ul><li><a href=/>Home</a></li><li><a href=/a>About</a></li></ul></nav>"
    return (
        f"<!DOCTYPE html><html><head><title>t</title>{head}</head><body>{menu}"
        f"<main><article><p>{body}</p></article></main>"
        "<footer>All rights reserved</footer></body></html>"
    ).encode()


def http(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    given = headers or ("Content-Type: text/html; charset=utf-8",)
    lines = [f"HTTP/1.1 {status}", *given]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def warc(
    number: int, data: bytes, kind: str = "response", content_type: str = "", **fields: object
) -> bytes:
    """One record; `fields` overrule headers, with `_` for `-`."""
    if not content_type:
        content_type = f"application/http; msgtype={kind}"
    headers = {
        "WARC-Type": kind,
        "WARC-Record-ID": f"<urn:uuid:00000000-0000-0000-0000-{number:012}>",
        "WARC-Date": f"2019-03-{1 + number % 28:02}T04:05:06Z",
        "WARC-Target-URI": f"https://site{number}.example/page",
        "Content-Type": content_type,
        "Content-Length": str(len(data)),
    }
    headers |= {name.replace("_", "-"): str(value) for name, value in fields.items()}
    lines = ["WARC/1.0", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data + b"\r\n\r\n"


def arc(number: int, data: bytes) -> bytes:
    date = f"201903{1 + number % 28:02}040506"
    line = f"https://site{number}.example/page 127.0.0.1 {date} text/html {len(data)}\n"
    return line.encode() + data + b"\n"


def arc_start() -> bytes:
    told = b"1 0 InternetArchive\nURL IP-address Archive-date Content-type Archive-length\n\n"
    return b"filedesc://a.arc 0.0.0.0 20190301000000 text/plain %d\n" % len(told) + told


def response(number: int) -> bytes:
    return warc(number, http(page(paragraph(number))))


def pack(records: Sequence[bytes], how: str) -> bytes:
    """`plain`, a `gz` or `zst` member a record, or all in `one` member."""
    if how == "gz":
        return b"".join(gzip.compress(record, mtime=0) for record in records)
    if how == "zst":
        return b"".join(_ZSTD.compress(record) for record in records)
    whole = b"".join(records)
    return gzip.compress(whole, mtime=0) if how == "one" else whole


ENDING = {"plain": "warc", "gz": "warc.gz", "zst": "warc.zst", "one": "warc.gz"}
