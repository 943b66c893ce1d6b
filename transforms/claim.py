"""Claims: which run is at work in a place, so that two never write to it at once.

A claim is a file in the place, created only if there is none (`conditional.create`). It
says who holds the place, and its holder writes it anew from time to time: the heartbeat.
Every change of it is conditional on its version, so that of two one wins.

A claim is stale, and may be taken over, when its holder is a process of this machine
that is gone, or when neither its heartbeat nor the progress of its work is younger than
`stale_after`. The second is for services that go on when the launcher has left.

A holder that was taken for dead, and is not, finds out before it publishes: the step
that publishes asks `confirm` first, and final files are created only where none are.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import logging
import os
import pathlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from transforms import conditional, storage
from transforms.errors import HeldError, StorageError

__all__ = ["CLAIM", "Claim", "Holder", "confirm", "release", "take"]

CLAIM = "_claim.json"
"""Name of a claim within its place."""

_LOG = logging.getLogger("holdfast")
_BEATS = 6
"""Heartbeats in the time after which a claim without any is stale."""

Progress = Callable[[], float | None]
"""When work in a place last showed, as seconds since 1970; None for never."""


@dataclasses.dataclass(frozen=True)
class Holder:
    """Who holds a place.

    Attributes:
        token: Of this attempt alone.
        run: The run's name.
        host: Name of the machine.
        pid: Process on it.
        process: What tells this process from a later one of the same number; empty where
            the system does not say.
        since: When the place was claimed, in seconds since 1970.
        beat: When the holder last showed life.
        stale_after: Seconds without life after which others may take over.
    """

    token: str
    run: str
    host: str
    pid: int
    process: str
    since: float
    beat: float
    stale_after: float

    def told(self) -> str:
        """For people: who, where, since when."""
        since = datetime.datetime.fromtimestamp(self.since, datetime.UTC).isoformat(" ", "seconds")
        return f"run {self.run} (host {self.host}, process {self.pid}, since {since})"

    def encoded(self) -> bytes:
        """As the file holds it."""
        return orjson.dumps(dataclasses.asdict(self), option=orjson.OPT_INDENT_2)

    @classmethod
    def parse(cls, data: bytes, path: str) -> Holder:
        """Reads what `encoded` wrote.

        Raises:
            StorageError: The file is no claim.
        """
        try:
            return cls(**orjson.loads(data))
        except (TypeError, orjson.JSONDecodeError) as error:
            raise StorageError(
                f"{path} is no claim ({error}); if no run is at work there, delete it"
            ) from error


def _process(pid: int) -> str:
    """Boot, process table and starting time of a process of this machine; empty if gone."""
    try:
        boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        table = pathlib.Path("/proc/self/ns/pid").readlink()
        # Fields after the name, which may hold blanks: the start is the 22nd of all.
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return f"{boot} {table} {fields[19]}"


def _is_gone(holder: Holder) -> bool:
    """Whether the holder is a process of this machine that is not there any more."""
    here = _process(os.getpid()).rpartition(" ")[0]
    if not here or holder.process.rpartition(" ")[0] != here:
        return False
    return _process(holder.pid) != holder.process


class Claim:
    """A place that is held.

    Args:
        place: The folder.
        holder: Who holds it.
        version: Of the claim's file.
    """

    def __init__(self, place: str, holder: Holder, version: str) -> None:
        self.place, self.holder, self._version = place, holder, version
        self._lock = threading.Lock()

    def beat(self) -> bool:
        """Shows life; whether the place is still held."""
        with self._lock:
            path = storage.join(self.place, CLAIM)
            alive = dataclasses.replace(self.holder, beat=time.time())
            made = conditional.replace(path, alive.encoded(), self._version)
            if made is None:
                # The step that publishes shows life, too, and this is news to us then.
                found = conditional.read(path)
                if found is None or Holder.parse(found.data, path).token != self.holder.token:
                    return False
                made = found.version
            self._version = made
            return True

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Shows life from time to time while the block runs."""
        stop = threading.Event()
        thread = threading.Thread(target=self._keep, args=(stop,), name="claim", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _keep(self, stop: threading.Event) -> None:
        while not stop.wait(self.holder.stale_after / _BEATS):
            try:
                if not self.beat():
                    _LOG.error("%s was taken over; nothing will be published", self.place)
                    return
            except StorageError as error:
                # Silence is what makes a claim stale: the next beat may do better.
                _LOG.warning("the claim on %s shows no life: %s", self.place, error)


def take(
    place: str, run: str, *, token: str, stale_after: float, progress: Progress = lambda: None
) -> Claim:
    """Claims a place.

    Args:
        place: The folder.
        run: Name of the run that wants it.
        token: Of this attempt.
        stale_after: Seconds without life after which others may take over.
        progress: When work in the place last showed; asked only of claims without beats.

    Raises:
        HeldError: Another run holds the place.
    """
    path, now = storage.join(place, CLAIM), time.time()
    pid = os.getpid()
    mine = Holder(token, run, socket.gethostname(), pid, _process(pid), now, now, stale_after)
    for _ in range(3):
        found = conditional.read(path)
        if found is None:
            made = conditional.create(path, mine.encoded())
        else:
            holder = Holder.parse(found.data, path)
            _check_stale(place, holder, now, progress)
            made = conditional.replace(path, mine.encoded(), found.version)
            if made is not None:
                _LOG.warning("%s was held by %s, which is gone", place, holder.told())
        if made is not None:
            return Claim(place, mine, made)
    raise HeldError(f"{place} is being claimed by several runs at once; run again")


def _check_stale(place: str, holder: Holder, now: float, progress: Progress) -> None:
    if _is_gone(holder):
        return
    idle = now - holder.beat
    if idle > holder.stale_after:
        idle = min(idle, now - (progress() or 0.0))
    if idle <= holder.stale_after:
        raise HeldError(
            f"{place} is held by {holder.told()}, which last showed life {max(idle, 0):.0f} s ago; "
            f"wait for it, or choose another place: it is taken over after {holder.stale_after:g} "
            "s without life"
        )


def confirm(place: str, token: str) -> None:
    """Asks whether an attempt still holds a place, and shows life for it.

    Raises:
        HeldError: It does not: another took over, or released it.
    """
    path = storage.join(place, CLAIM)
    found = conditional.read(path)
    while found is not None:
        holder = Holder.parse(found.data, path)
        if holder.token != token:
            raise HeldError(f"{place} was taken over by {holder.told()}; nothing is published")
        alive = dataclasses.replace(holder, beat=time.time())
        if conditional.replace(path, alive.encoded(), found.version) is not None:
            return
        found = conditional.read(path)
    raise HeldError(f"{place} is not claimed any more; nothing is published: run again")


def release(place: str, token: str) -> None:
    """Gives a place back, if this attempt still holds it."""
    path = storage.join(place, CLAIM)
    found = conditional.read(path)
    while found is not None and _token(found.data) == token:
        if conditional.remove(path, found.version):
            return
        found = conditional.read(path)


def _token(data: bytes) -> Any:
    try:
        return orjson.loads(data).get("token")
    except (AttributeError, orjson.JSONDecodeError):
        return None
