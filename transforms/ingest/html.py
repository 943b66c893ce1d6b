"""The text of web pages: what was written on them, without what surrounds it.

Resiliparse tells the main content from menus and footers, and the encoding from what the
page says or from its bytes. It is given no page that would take it long
(`ingest.page_cost`).
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from resiliparse.extract.html2text import extract_plain_text
from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

from transforms.ingest.page_cost import MAX_COST, page_cost

__all__ = ["PageError", "decode_page", "html_column", "page_text"]

_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8"), (b"\xfe\xff", "utf-16-be"), (b"\xff\xfe", "utf-16-le"))
_NOT_IN_PYTHON: Final = {
    "windows-874": "cp874",
    "x-mac-cyrillic": "mac-cyrillic",
    "iso-8859-8-i": "iso-8859-8",
    "macintosh": "mac-roman",
}


class PageError(Exception):
    """A page that no text is extracted from.

    Attributes:
        reason: Of its dead letter.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def page_text(page: str, max_bytes: int) -> str:
    """The main content of a page as plain text; empty where it has none.

    Args:
        page: HTML.
        max_bytes: Largest page, in UTF-8 bytes.

    Raises:
        PageError: The page is too large (`oversized_html`), would take too long
            (`html_too_complex`), or cannot be parsed (`unreadable_html`).
    """
    data = page.encode(errors="replace")
    if len(data) > max_bytes:
        raise PageError("oversized_html")
    if page_cost(np.frombuffer(data, np.uint8)) > MAX_COST:
        raise PageError("html_too_complex")
    try:
        return str(
            extract_plain_text(
                data.decode(),
                main_content=True,
                list_bullets=False,
                alt_texts=False,
                post_meta=False,
            )
        ).replace("\0", "\ufffd")
    except Exception as e:
        # The library has no error of its own; one page must not cost the others.
        raise PageError("unreadable_html") from e


def decode_page(data: bytes, charset: str | None) -> tuple[str, str]:
    """A page as text, and the encoding that it was in.

    A byte order mark counts first, then what the server said, then what the page says
    of itself, then whether it is UTF-8, each if it fits all bytes; then what the bytes
    look like, and what does not fit becomes U+FFFD.

    Args:
        data: The page.
        charset: As the header `Content-Type` has it.
    """
    for mark, name in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace"), name
    for name in _candidates(data, charset):
        try:
            return data.decode(name), name
        except UnicodeDecodeError:
            continue
    guessed = _python_name(detect_encoding(data)) or "utf-8"
    return data.decode(guessed, "replace"), guessed


def _candidates(data: bytes, charset: str | None) -> Iterator[str]:
    said = charset and map_encoding_to_html5(charset.strip("\"' "), fallback_utf8=False)
    if name := _python_name(said):
        yield name
    if name := _python_name(detect_encoding(data, from_html_meta=True)):
        yield name
    yield "utf-8"


def _python_name(label: str | None) -> str | None:
    """What Python calls an encoding of the web; None for those that it does not know."""
    try:
        return codecs.lookup(_NOT_IN_PYTHON.get(label or "", label or "")).name
    except LookupError:
        return None


def html_column(pages: Any, max_bytes: int) -> tuple[pa.StringArray, dict[str, pa.BooleanArray]]:
    """The texts of a column of pages.

    Args:
        pages: Strings.
        max_bytes: Largest page, in UTF-8 bytes.

    Returns:
        Texts, null where `pages` is or where there is no text to be had; and by reason,
        which rows are such.
    """
    texts: list[str | None] = []
    reasons: list[str | None] = []
    for page in pages.to_pylist():
        text, reason = _text_or_reason(page, max_bytes)
        texts.append(text)
        reasons.append(reason)
    found = pa.array(reasons, pa.string())
    faults = {
        name: pc.equal(found, pa.scalar(name)).fill_null(False)
        for name in ("oversized_html", "html_too_complex", "unreadable_html")
    }
    return pa.array(texts, pa.string()), faults


def _text_or_reason(page: str | None, max_bytes: int) -> tuple[str | None, str | None]:
    if page is None:
        return None, None
    try:
        return page_text(page, max_bytes), None
    except PageError as e:
        return None, e.reason
