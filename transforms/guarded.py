"""Files whose errors name them: what storage says becomes an error of holdfast's."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from transforms.errors import HoldfastError, InputError, StorageError
from transforms.patience import patiently

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

__all__ = ["explained", "guarded_sink", "guarded_source", "quietly_after_failure"]


@contextmanager
def explained(path: str, verb: str) -> Iterator[None]:
    """Turns what goes wrong in the block into an error of ours that names the path.

    Raises:
        InputError: There is no such file.
        StorageError: Anything else.
    """
    try:
        yield
    except HoldfastError:
        raise
    except (FileNotFoundError, IsADirectoryError) as e:
        raise InputError(f"cannot {verb} {path}: {e}. Check the path.") from e
    except Exception as e:
        # The file systems' clients each have errors of their own, without a common base.
        told = " ".join(str(e).split())
        raise StorageError(
            f"cannot {verb} {path}: {type(e).__name__}: {told}. Check that the place can be "
            "reached, has room, and grants this account the right, then run again."
        ) from e


@contextmanager
def quietly_after_failure() -> Iterator[None]:
    """Cleans up; what fails then is not told where something failed before.

    The first failure is the cause: a full disk, say, which lets nobody clean up, either.
    """
    failed = sys.exc_info()[0] is not None
    try:
        yield
    except HoldfastError:
        if not failed:
            raise


def guarded_sink(raw: Any, path: str) -> BinaryIO:
    """A file for writing whose errors name it."""
    return cast(BinaryIO, _Sink(raw, path))


def guarded_source(raw: Any, path: str, *, remote: bool = False) -> BinaryIO:
    """A file for reading whose errors name it, so that no decoder takes them for corrupt data.

    Args:
        raw: The file; seekable.
        path: Its name, for errors.
        remote: Whether a server gives it: an answer may break off in the middle, which its
            client does not always try again; then it is read from where the read began.
    """
    return cast(BinaryIO, _Source(raw, path, remote))


class _Sink(io.RawIOBase):
    def __init__(self, raw: Any, path: str) -> None:
        self._raw = raw
        self._path = path

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return int(self._raw.tell())

    def write(self, data: ReadableBuffer, /) -> int:
        with explained(self._path, "write"):
            self._raw.write(data)
        return memoryview(data).nbytes

    def flush(self) -> None:
        if not self.closed:
            with explained(self._path, "write"):
                self._raw.flush()

    def close(self) -> None:
        if not self.closed:
            with explained(self._path, "write"):
                self._raw.close()
            # The base class would flush what is closed by now.
            self._raw = io.BytesIO()
        super().close()


class _Source(io.RawIOBase):
    def __init__(self, raw: Any, path: str, remote: bool) -> None:
        self._raw = raw
        self._path = path
        self._remote = remote

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        with explained(self._path, "read"):
            self._raw.seek(offset, whence)
            return self.tell()

    def tell(self) -> int:
        return int(self._raw.tell())

    def read(self, size: int | None = -1, /) -> bytes:
        """As many bytes as asked for unless the file ends first."""
        with explained(self._path, "read"):
            return self._once(-1) if size is None or size < 0 else self._exactly(size)

    def _once(self, size: int) -> bytes:
        """What one read gives; where it breaks off, it is tried from where it began."""
        if not self._remote:
            return bytes(self._raw.read(size))
        start = self.tell()
        return patiently(f"read {self._path}", lambda: self._from(start, size))

    def _from(self, start: int, size: int) -> bytes:
        self._raw.seek(start)
        return bytes(self._raw.read(size))

    def _exactly(self, size: int) -> bytes:
        data = self._once(size)
        if len(data) == size or not data:
            return data
        pieces = [data]
        while data and (size := size - len(data)):
            data = self._once(size)
            pieces.append(data)
        return b"".join(pieces)

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()
