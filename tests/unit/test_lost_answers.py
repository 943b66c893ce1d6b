"""Every other answer of the server is lost or broken; what is asked for happens, and once."""

from __future__ import annotations

import gc
import hashlib
import random
import time
import warnings
from collections.abc import Iterator

import pytest
from gcs_server import BUCKET, Server, free_port
from soak_job import Tally
from soak_proxy import Plan, proxied

from transforms import claim, conditional, gcs, patience, storage
from transforms.errors import HeldError, StorageError

# Beam makes a client for each call; connections that broke are closed by the collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
KINDS = ("reset after", "reset before", "truncated", "503")


@pytest.fixture(scope="module", autouse=True)
def _collected() -> Iterator[None]:
    """Leaves no broken connection to the tests of other modules."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


class Alternating(Plan):
    """Breaks every other answer."""

    broken = False

    def next(self) -> str | None:
        with self.lock:
            self.broken = not self.broken
            self.tally.faults += self.broken
            return self.kinds[0] if self.broken else None


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A place on a server behind such a proxy; nobody waits."""
    port, tally = free_port(), Tally("alternating")
    server = Server(external=f"http://127.0.0.1:{port}")
    server.start()
    server.make_bucket()
    plan = Alternating((request.param,), 1.0, random.Random(0), tally)
    try:
        with proxied(port, server.port, plan) as url:
            monkeypatch.setenv(gcs.EMULATOR, url)
            monkeypatch.setattr(patience, "_PAUSES", (0.0,) * 10)
            monkeypatch.setattr(time, "sleep", lambda _: None)
            yield f"gs://{BUCKET}/place"
    finally:
        server.kill()
    assert tally.faults > 5


def test_files(place: str):
    for number in range(3):
        with storage.create(f"{place}/{number}") as sink:
            sink.write(b"content")
    assert [storage.read_bytes(f"{place}/{number}") for number in range(3)] == [b"content"] * 3
    storage.rename(f"{place}/0", f"{place}/3")
    assert [entry.path[-1] for entry in storage.glob(f"{place}/*")] == ["1", "2", "3"]
    storage.delete_tree(place)
    assert storage.glob(f"{place}/*") == []


def test_an_own_success_is_told_from_a_lost_race(place: str):
    made = conditional.create(f"{place}/x", b"mine")
    assert made is not None
    assert conditional.create(f"{place}/x", b"theirs") is None
    again = conditional.replace(f"{place}/x", b"mine again", made)
    assert again is not None
    assert conditional.replace(f"{place}/x", b"theirs", made) is None
    assert conditional.read(f"{place}/x") == (b"mine again", again)
    assert conditional.remove(f"{place}/x", again)
    assert conditional.read(f"{place}/x") is None


def test_a_place_is_held_by_one(place: str):
    one, two = "one", "two"
    claim.take(place, "r", token=one, stale_after=60)
    with pytest.raises(HeldError, match="is held by"):
        claim.take(place, "r", token=two, stale_after=60)
    claim.confirm(place, "one")
    with pytest.raises(HeldError, match="was taken over"):
        claim.confirm(place, "two")
    claim.release(place, "one")
    assert not storage.exists(f"{place}/{claim.CLAIM}")


def test_final_names_are_taken_once(place: str):
    src, dst, digest = f"{place}/a", f"{place}/b", hashlib.sha256(b"shard").hexdigest()
    storage.write_bytes_atomically(src, b"shard")
    conditional.place(src, dst, digest)
    storage.write_bytes_atomically(src, b"other")
    with pytest.raises(StorageError, match="another run writes to this place"):
        conditional.place(src, dst, hashlib.sha256(b"other").hexdigest())
    assert storage.read_bytes(dst) == b"shard"
