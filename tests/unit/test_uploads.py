"""Streams to object storage: sent whole, and not taken for lost where only an answer was."""

from __future__ import annotations

import io
from typing import Any

import pytest

from transforms import gcs, storage, uploads
from transforms.errors import StorageError

TEXT = bytes(range(256)) * 8


@pytest.fixture
def place(bucket: str, request: pytest.FixtureRequest) -> str:
    return f"{bucket}/{request.node.originalname}"


@pytest.fixture
def chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is too large for one request."""
    monkeypatch.setattr(uploads, "_ONE_REQUEST", 100)


def write(path: str, *pieces: bytes) -> None:
    with storage.create(path) as sink:
        for piece in pieces:
            sink.write(piece)
        assert sink.tell() == sum(map(len, pieces))


def test_small_files_are_sent_when_they_are_closed(place: str):
    with storage.create(f"{place}/x") as sink:
        sink.write(TEXT)
        assert not storage.exists(f"{place}/x")
    write(f"{place}/empty")
    assert storage.read_bytes(f"{place}/x") == TEXT
    assert storage.read_bytes(f"{place}/empty") == b""


@pytest.mark.usefixtures("chunks")
def test_large_files_are_streams(place: str):
    write(f"{place}/x", TEXT[:60], TEXT[60:101], TEXT[101:])
    assert storage.read_bytes(f"{place}/x") == TEXT
    size, checksum = gcs.stat(f"{place}/x") or (0, "")
    assert (size, len(checksum)) == (len(TEXT), 8)
    assert gcs.stat(f"{place}/none") is None


class Lost(io.BytesIO):
    """A stream whose end is told to be unknown, after something was put there."""

    def __init__(self, path: str, there: bytes | None) -> None:
        super().__init__()
        self.path, self.there = path, there

    def close(self) -> None:
        if not self.closed:
            super().close()
            if self.there is not None:
                gcs.write(self.path, self.there)
            raise ConnectionResetError("no such upload")


@pytest.mark.usefixtures("chunks")
@pytest.mark.parametrize("there", [TEXT, None, TEXT[:-1], TEXT[:-1] + b"x"])
def test_an_answer_that_was_lost_is_told_from_an_upload_that_was(
    place: str, there: bytes | None, monkeypatch: pytest.MonkeyPatch
):
    path = f"{place}/{len(there or b'')}{(there or b'')[-1:].hex()}"

    def begin(_: Any) -> Lost:
        return Lost(path, there)

    monkeypatch.setattr(storage, "_stream", begin)
    if there == TEXT:
        write(path, TEXT)
    else:
        with pytest.raises(StorageError, match="no such upload"):
            write(path, TEXT)
