"""Streams to Google Cloud Storage that survive an answer that does not arrive.

A file that fits into one request is sent in one, when it is closed: sending it again is
writing the same again. A larger one goes through Beam's stream in chunks, which the
client sends again by itself. But where the answer to the last chunk is lost, the upload
is over when it is sent again, and the server may say that there is none. Then what lies
there decides: it is ours if it has our size and checksum.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from transforms import gcs

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

__all__ = ["Upload"]

_ONE_REQUEST = 8 << 20
"""Bytes up to which the client sends a file in one request."""


class Upload(io.RawIOBase):
    """A new object that appears when it is closed.

    Args:
        path: Of the object.
        begin: Begins a stream for a large one.
    """

    def __init__(self, path: str, begin: Callable[[], Any]) -> None:
        import google_crc32c  # noqa: PLC0415  # it comes with the client, only if needed

        self._path, self._begin = path, begin
        self._start, self._size = io.BytesIO(), 0
        self._stream: Any = None
        self._checksum: Any = google_crc32c.Checksum()  # type: ignore[no-untyped-call]

    def writable(self) -> bool:
        """Whether it can be written: it is there for nothing else."""
        return True

    def tell(self) -> int:
        """Bytes written so far."""
        return self._size

    def write(self, data: ReadableBuffer, /) -> int:
        """Takes bytes; they are sent when there are many, or when the file is closed."""
        given = bytes(data)
        self._size += len(given)
        self._checksum.update(given)
        if self._stream is None and self._size > _ONE_REQUEST:
            self._stream = self._begin()
            self._stream.write(self._start.getvalue())
            self._start = io.BytesIO()
        (self._start if self._stream is None else self._stream).write(given)
        return len(given)

    def close(self) -> None:
        """Sends what was not sent yet; the object is there then."""
        if not self.closed:
            super().close()
            if self._stream is None:
                gcs.write(self._path, self._start.getvalue())
            else:
                self._finish()

    def _finish(self) -> None:
        try:
            self._stream.close()
        except Exception:
            checksum = base64.b64encode(self._checksum.digest()).decode()
            if gcs.stat(self._path) != (self._size, checksum):
                raise
