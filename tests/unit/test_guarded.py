"""Reads of remote files that break off go on from where they began; others are told."""

from __future__ import annotations

import io

import pytest

from transforms import guarded, patience
from transforms.errors import StorageError

TEXT = bytes(range(256)) * 8


class Breaking(io.BytesIO):
    """The first reads give a few bytes and then break off."""

    def __init__(self, data: bytes, faults: int) -> None:
        super().__init__(data)
        self.faults = faults

    def read(self, size: int | None = -1, /) -> bytes:
        if self.faults:
            self.faults -= 1
            super().read(7)
            raise ConnectionResetError("the answer broke off")
        return super().read(size)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_PAUSES", (0.0,) * 3)


def test_what_broke_off_is_read_from_where_it_began():
    source = guarded.guarded_source(Breaking(TEXT, 3), "gs://bucket/file", remote=True)
    assert source.read(100) == TEXT[:100]
    assert source.read() == TEXT[100:]
    source = guarded.guarded_source(Breaking(TEXT, 2), "gs://bucket/file", remote=True)
    source.seek(1000)
    assert source.read(5) == TEXT[1000:1005]


@pytest.mark.parametrize(("faults", "remote"), [(1, False), (4, True)])
def test_what_breaks_off_again_and_again_is_told(faults: int, remote: bool):
    source = guarded.guarded_source(Breaking(TEXT, faults), "gs://bucket/file", remote=remote)
    with pytest.raises(StorageError, match="cannot read gs://bucket/file: ConnectionResetError"):
        source.read()
