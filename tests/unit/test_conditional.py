"""Only one of several writes, whatever they know of each other."""

from __future__ import annotations

import hashlib
import multiprocessing
import pathlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from transforms import conditional, storage
from transforms.errors import StorageError


def test_created_once(tmp_path: pathlib.Path):
    path = str(tmp_path / "deep" / "x")
    version = conditional.create(path, b"one")
    assert version is not None
    assert conditional.create(path, b"two") is None
    assert conditional.read(path) == (b"one", version)
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["x"], "nothing temporary is left"


def test_replaced_only_as_it_was_seen(tmp_path: pathlib.Path):
    path = str(tmp_path / "x")
    first = conditional.create(path, b"one")
    second = conditional.replace(path, b"two", str(first))
    assert second is not None
    assert conditional.replace(path, b"three", str(first)) is None
    assert conditional.read(path) == (b"two", second)
    assert not conditional.remove(path, str(first))
    assert conditional.remove(path, second)
    assert conditional.remove(path, second), "gone already"
    assert conditional.read(path) is None
    assert conditional.replace(path, b"four", second) is None
    assert list(tmp_path.iterdir()) == []


def _add(path: str, times: int) -> int:
    """Counts up in a file; how many tries were lost to others."""
    lost = 0
    for _ in range(times):
        while True:
            found = conditional.read(path)
            assert found is not None
            if conditional.replace(path, str(int(found.data) + 1).encode(), found.version):
                break
            lost += 1
    return lost


def test_nobody_overwrites_what_they_have_not_seen(tmp_path: pathlib.Path):
    path = str(tmp_path / "count")
    conditional.create(path, b"0")
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.starmap(_add, [(path, 60)] * 2)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: _add(path, 20), range(4)))
    found = conditional.read(path)
    assert found is not None
    assert found.data == b"200"
    assert [p.name for p in tmp_path.iterdir()] == ["count"]


def test_of_many_that_create_one_wins(tmp_path: pathlib.Path):
    path = str(tmp_path / "x")
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda n: conditional.create(path, str(n).encode()), range(40)))
    won = [n for n, version in enumerate(made) if version]
    assert len(won) == 1
    assert (tmp_path / "x").read_text() == str(won[0])


def write(folder: pathlib.Path, name: str, data: bytes) -> tuple[str, str]:
    storage.write_bytes_atomically(str(folder / name), data)
    return str(folder / name), hashlib.sha256(data).hexdigest()


def test_placed_once_and_again_after_a_broken_attempt(tmp_path: pathlib.Path):
    src, digest = write(tmp_path, "a", b"shard")
    dst = str(tmp_path / "data" / "shard")
    conditional.place(src, dst, digest)
    conditional.place(src, dst, digest)  # the attempt died when the name was there already
    write(tmp_path, "a", b"shard")
    conditional.place(src, dst, digest)  # and before the temporary one was gone
    assert storage.read_bytes(dst) == b"shard"
    assert not (tmp_path / "a").exists()


def test_what_another_run_put_there_is_not_replaced(tmp_path: pathlib.Path):
    dst, _ = write(tmp_path, "final", b"theirs")
    src, digest = write(tmp_path, "a", b"ours")
    with pytest.raises(StorageError, match="another run writes to this place"):
        conditional.place(src, dst, digest)
    assert storage.read_bytes(dst) == b"theirs"


def test_a_source_that_is_gone_is_an_error(tmp_path: pathlib.Path):
    with pytest.raises(StorageError, match="it is gone"):
        conditional.place(str(tmp_path / "a"), str(tmp_path / "b"), "0")


def test_file_systems_without_conditions_are_looked_at(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
):
    """Beam's own local file system stands in for one."""
    monkeypatch.setattr(storage, "is_local", lambda _: False)
    test_replaced_only_as_it_was_seen(tmp_path)
    src, digest = write(tmp_path, "a", b"shard")
    conditional.place(src, str(tmp_path / "b"), digest)
    conditional.place(src, str(tmp_path / "b"), digest)
    assert storage.read_bytes(str(tmp_path / "b")) == b"shard"
