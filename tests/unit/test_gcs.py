"""Google Cloud Storage over HTTP, as `transforms.storage` and `conditional` use it."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from transforms import claim, conditional, gcs, storage
from transforms.errors import HeldError, InputError, StorageError


@pytest.fixture
def place(bucket: str, request: pytest.FixtureRequest) -> str:
    return f"{bucket}/{request.node.originalname}"


def test_the_server_enforces_generations(place: str):
    """What all of this rests on: else the tests below would pass for nothing."""
    first = gcs.write_if(f"{place}/x", b"1", 0)
    assert first
    assert gcs.write_if(f"{place}/x", b"2", 0) is None
    assert gcs.write_if(f"{place}/x", b"2", first + 1) is None
    second = gcs.write_if(f"{place}/x", b"2", first)
    assert second != first
    assert gcs.write_if(f"{place}/x", b"3", first) is None
    assert gcs.read(f"{place}/x") == (b"2", second)
    assert gcs.write_if(f"{place}/x", b"2", first) == second, "an answer that was lost"


def test_files_are_files(place: str):
    path = f"{place}/deep/er/x.gz"
    with storage.create(path) as sink:
        sink.write(b"0123")
    assert storage.exists(path)
    with storage.open_input(path) as source:
        assert source.seek(-1, 2) == 3
        assert source.read(9) == b"3"
    [entry] = storage.glob(f"{place}/deep/*/*.gz")
    assert (entry.path, entry.size) == (path, 4)
    assert storage.glob(f"{place}/**") == [entry]
    storage.rename(path, f"{place}/y")
    storage.write_bytes_atomically(f"{place}/y-not-below", b"1")
    storage.write_bytes_atomically(f"{place}/y", b"2")
    assert storage.read_bytes(f"{place}/y") == b"2"
    storage.delete_tree(f"{place}/y")
    assert not storage.exists(f"{place}/y")
    assert storage.exists(f"{place}/y-not-below")
    storage.delete_tree(place)
    storage.delete_tree(place)
    assert storage.glob(f"{place}/**") == []


def test_what_is_not_there(bucket: str):
    assert conditional.read(f"{bucket}/none") is None
    with pytest.raises((InputError, StorageError), match="none"):
        storage.open_input(f"{bucket}/none")
    with pytest.raises(StorageError, match=r"no-such-bucket.*run again"):
        storage.write_bytes_atomically("gs://no-such-bucket/x", b"1")


def test_versions_are_generations(place: str):
    path = f"{place}/x"
    version = conditional.create(path, b"1")
    assert version
    assert conditional.create(path, b"2") is None
    again = conditional.replace(path, b"2", version)
    assert conditional.replace(path, b"3", version) is None
    assert conditional.read(path) == (b"2", again)
    assert conditional.remove(path, str(again))
    assert conditional.remove(path, str(again))
    assert conditional.read(path) is None


def test_of_many_one_claims(place: str):
    def take(number: int) -> bool:
        try:
            claim.take(place, "r", token=str(number), stale_after=60)
        except HeldError:
            return False
        return True

    with ThreadPoolExecutor(6) as threads:
        won = [number for number, one in enumerate(threads.map(take, range(12))) if one]
    assert len(won) == 1
    claim.confirm(place, str(won[0]))
    claim.release(place, str(won[0]))
    assert storage.glob(f"{place}/**") == []


def test_final_names_are_taken_once(place: str):
    src, dst, digest = f"{place}/a", f"{place}/b", hashlib.sha256(b"shard").hexdigest()
    for _ in range(2):
        storage.write_bytes_atomically(src, b"shard")
        conditional.place(src, dst, digest)
        conditional.place(src, dst, digest)
    storage.write_bytes_atomically(src, b"other")
    with pytest.raises(StorageError, match="another run writes to this place"):
        conditional.place(src, dst, hashlib.sha256(b"other").hexdigest())
    assert storage.read_bytes(dst) == b"shard"
