"""What is fuzzed: each target takes any bytes and raises only where something is wrong.

Errors of holdfast's own family are answers, not faults. Whatever a file holds, reading it
ends with documents that can be stored, and with dead letters.
"""

from __future__ import annotations

import contextlib
import io
import os
import pathlib
import tempfile
from collections.abc import Callable

from pipelines.yaml_file import parse_yaml
from transforms.errors import HoldfastError, InputError
from transforms.ingest.config import IngestConfig
from transforms.ingest.footer import CORRUPT, open_parquet
from transforms.ingest.html import PageError, decode_page, page_text
from transforms.ingest.read import read_split
from transforms.ingest.splits import FILE_PARTS, Split
from transforms.records import DEAD_LETTERS, INGESTED

_SMALL = IngestConfig(max_document_bytes=1 << 20, max_html_bytes=1 << 18, max_ratio=50)


def _read(data: bytes, kind: str) -> None:
    handle, path = tempfile.mkstemp()
    try:
        with os.fdopen(handle, "wb") as sink:
            sink.write(data)
        stop = 1 if kind == "parquet" else len(data)
        split = Split(0, 0, FILE_PARTS, path, kind, len(data), "", 0, stop)
        for found, batch in read_split(split, _SMALL):
            batch.validate(full=True)
            assert batch.schema.equals(INGESTED if found == "documents" else DEAD_LETTERS)
    finally:
        pathlib.Path(path).unlink()


def jsonl(data: bytes) -> None:
    """Lines of JSON; the first byte tells how they are packed."""
    kinds = ("jsonl", "jsonl.gz", "jsonl.zst", "jsonl.bz2", "jsonl.xz")
    _read(data[1:], kinds[data[0] % len(kinds)] if data else "jsonl")


def archive(data: bytes) -> None:
    """Records of WARC and ARC; the first byte tells how they are packed."""
    kinds = ("warc", "warc.gz", "warc.zst")
    _read(data[1:], kinds[data[0] % len(kinds)] if data else "warc")


def table(data: bytes) -> None:
    """Rows of CSV, behind a header or not; the first byte tells which."""
    head = b"id,text\n" if data[:1] < b"\x80" else b""
    with contextlib.suppress(InputError):
        _read(head + data[1:], "csv")


def html(data: bytes) -> None:
    """A page in any encoding."""
    text, _ = decode_page(data, None)
    with contextlib.suppress(PageError):
        page_text(text, 1 << 18).encode()


def footer(data: bytes) -> None:
    """The footer of a Parquet file, and its first row group."""
    with contextlib.suppress(*CORRUPT):
        open_parquet(io.BytesIO(data))
    # A sound footer of some other table has no column of text, or no row group.
    with contextlib.suppress(InputError, IndexError):
        _read(data, "parquet")


def configuration(data: bytes) -> None:
    """A configuration file."""
    with contextlib.suppress(HoldfastError):
        assert isinstance(parse_yaml(data, "fuzz.yaml"), dict)


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target for target in (jsonl, archive, table, html, footer, configuration)
}
