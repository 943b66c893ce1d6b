"""What may be shown of a path, a URL or a message: all but what gives access."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["printable", "redact"]

_HIDDEN: Final = "***"
# The length of a scheme is bounded so that time stays linear whatever the text.
_USER: Final = re.compile(r"(\b[A-Za-z][A-Za-z0-9+.\-]{0,20}://)[^\s/?#@]*(?:@[^\s/?#@]*)*@")
_QUERY: Final = re.compile(
    r"(\b[A-Za-z][A-Za-z0-9+.\-]{0,20}://[^\s?#\"'<>]{0,4096}\?)([^\s#\"'<>]*=[^\s#\"'<>]*)"
)
_VALUE: Final = re.compile(r"=[^&;]*")


def redact(text: str) -> str:
    """Hides users and passwords of URLs, and the values of their query.

    `s3://key:secret@host/a` becomes `s3://***@host/a`, and `https://host/a?X-Sig=5f` becomes
    `https://host/a?X-Sig=***`. A question mark without `=` behind it is part of a glob and
    stays.
    """
    without_user = _USER.sub(rf"\1{_HIDDEN}@", text)
    return _QUERY.sub(lambda found: found[1] + _VALUE.sub(f"={_HIDDEN}", found[2]), without_user)


def printable(text: str) -> str:
    """The text with control characters spelled out, so that none reaches a terminal."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text
    )
