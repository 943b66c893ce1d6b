"""A place has one holder, and a dead one is succeeded."""

from __future__ import annotations

import dataclasses
import pathlib
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from transforms import claim, conditional
from transforms.claim import CLAIM, Claim, Holder
from transforms.errors import HeldError, StorageError


def take(place: pathlib.Path, name: str, stale_after: float = 600, **more: object) -> Claim:
    return claim.take(str(place), f"run-{name}", token=name, stale_after=stale_after, **more)  # type: ignore[arg-type]


def age(place: pathlib.Path, seconds: float, **fields: object) -> Holder:
    """Makes a claim older, as if its holder had been silent."""
    path = place / CLAIM
    there = Holder.parse(path.read_bytes(), str(path))
    older = dataclasses.replace(there, beat=there.beat - seconds, **fields)  # type: ignore[arg-type]
    path.write_bytes(older.encoded())
    return older


def test_one_holds_and_the_other_is_told_who(tmp_path: pathlib.Path):
    held = take(tmp_path, "a")
    with pytest.raises(HeldError) as caught:
        take(tmp_path, "b")
    for words in ("run-a", held.holder.host, f"process {held.holder.pid}", "since 20"):
        assert words in str(caught.value)
    assert caught.value.exit_code == 6
    claim.release(str(tmp_path), "b")
    assert (tmp_path / CLAIM).exists(), "only the holder releases"
    claim.release(str(tmp_path), "a")
    assert list(tmp_path.iterdir()) == []
    take(tmp_path, "b")


def test_of_many_at_once_one_wins(tmp_path: pathlib.Path):
    def attempt(number: int) -> bool:
        try:
            take(tmp_path, str(number))
        except HeldError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(attempt, range(24))) == 1


def test_silence_makes_stale(tmp_path: pathlib.Path):
    old = take(tmp_path, "a")
    age(tmp_path, 599)
    with pytest.raises(HeldError):
        take(tmp_path, "b")
    age(tmp_path, 2)
    new = take(tmp_path, "b")
    assert not old.beat(), "who was taken for dead finds out"
    with pytest.raises(HeldError, match=r"taken over by run run-b.*nothing is published"):
        claim.confirm(str(tmp_path), "a")
    assert new.beat()
    claim.release(str(tmp_path), "a")
    claim.confirm(str(tmp_path), "b")


def test_work_that_goes_on_without_its_launcher_is_alive(tmp_path: pathlib.Path):
    take(tmp_path, "a")
    age(tmp_path, 10_000)
    with pytest.raises(HeldError, match=r"last showed life 5[0-9] s ago"):
        take(tmp_path, "b", progress=lambda: time.time() - 50)
    take(tmp_path, "b", progress=lambda: time.time() - 700)


def test_a_process_of_this_machine_that_died_is_succeeded_at_once(tmp_path: pathlib.Path):
    program = f"from transforms import claim; claim.take({str(tmp_path)!r}, 'r', token='a', "
    subprocess.run([sys.executable, "-c", program + "stale_after=600)"], check=True)  # noqa: S603
    take(tmp_path, "b")


@pytest.mark.parametrize("process", ["", "another-boot pid:[1] 5"])
def test_a_process_elsewhere_is_not_taken_for_dead(tmp_path: pathlib.Path, process: str):
    take(tmp_path, "a")
    age(tmp_path, 0, process=process, pid=2**22 - 3)
    with pytest.raises(HeldError):
        take(tmp_path, "b")


def test_a_later_process_of_the_same_number_is_another(tmp_path: pathlib.Path):
    held = take(tmp_path, "a").holder
    age(tmp_path, 0, process=held.process + "1")
    take(tmp_path, "b")


def test_the_holder_shows_life_and_so_does_the_graph(tmp_path: pathlib.Path):
    held = take(tmp_path, "a", stale_after=0.2)
    began = Holder.parse((tmp_path / CLAIM).read_bytes(), "").beat
    with held.kept():
        claim.confirm(str(tmp_path), "a")  # changes the version, which the holder gets over
        while Holder.parse((tmp_path / CLAIM).read_bytes(), "").beat < began + 0.3:
            time.sleep(0.01)
    assert held.beat()


def test_a_released_claim_is_confirmed_to_nobody(tmp_path: pathlib.Path):
    with pytest.raises(HeldError, match="not claimed any more"):
        claim.confirm(str(tmp_path), "a")


def test_a_damaged_claim_is_no_claim_of_ours(tmp_path: pathlib.Path):
    conditional.create(str(tmp_path / CLAIM), b"{}")
    with pytest.raises(StorageError, match="is no claim"):
        take(tmp_path, "a")
    claim.release(str(tmp_path), "a")
    assert (tmp_path / CLAIM).read_bytes() == b"{}"
