"""Servers of one machine: started with a log each, waited for, and ended together."""

from __future__ import annotations

import contextlib
import functools
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Self

__all__ = ["ROOT", "Processes", "answers", "free_port", "python_worker"]

ROOT = pathlib.Path(__file__).resolve().parents[1]

_POLL_SECONDS = 0.2
_END_SECONDS = 20.0
_TAIL = 2_000
"""Characters of a log that an error quotes."""


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Whether something listens on a port of this machine."""
    with contextlib.suppress(OSError), socket.create_connection(("localhost", port), timeout=1):
        return True
    return False


def python_worker() -> dict[str, object]:
    """How a runner starts a Python worker that can import the job (`--environment_config`)."""
    variables = {"HOLDFAST_PYTHON": sys.executable, "PYTHONPATH": str(ROOT)}
    return {"command": str(ROOT / "deploy" / "worker"), "env": variables}


class Processes:
    """Servers in process groups of their own, which end when the block does.

    Args:
        folder: Takes a log and a process id for each.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.end()

    def start(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        cwd: pathlib.Path | None = None,
    ) -> None:
        """Starts a server; its output goes to `<name>.log`."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f"{name}.log").open("wb") as log:
            started = subprocess.Popen(  # noqa: S603  # commands of this module's callers
                list(command),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **(environment or {})},
                cwd=cwd,
                start_new_session=True,
            )
        self._running[name] = started
        (self._folder / f"{name}.pid").write_text(str(started.pid))

    def wait_for(self, what: str, ready: Callable[[], bool], seconds: float) -> None:
        """Waits until `ready()`.

        Raises:
            RuntimeError: A server ended, or the time is over; quotes the logs' ends.
        """
        end = time.monotonic() + seconds
        while not ready():
            ended = [name for name, p in self._running.items() if p.poll() is not None]
            if ended:
                raise RuntimeError(f"{ended[0]} ended before {what}:\n{self.tail(ended[0])}")
            if time.monotonic() > end:
                logs = "\n".join(f"{name}:\n{self.tail(name)}" for name in self._running)
                raise RuntimeError(f"no {what} after {seconds:g} seconds\n{logs}")
            time.sleep(_POLL_SECONDS)

    def tail(self, name: str) -> str:
        """The end of a server's log."""
        path = self._folder / f"{name}.log"
        return path.read_text(errors="replace")[-_TAIL:] if path.exists() else ""

    def detach(self) -> list[subprocess.Popen[bytes]]:
        """Leaves the servers running when the block ends; `end_recorded` ends them."""
        left = list(self._running.values())
        self._running.clear()
        return left

    def end(self) -> None:
        """Ends the servers that this object started, the last first."""
        for name, process in reversed(self._running.items()):
            _end_group(process.pid, functools.partial(_ended, process))
            (self._folder / f"{name}.pid").unlink(missing_ok=True)
        self._running.clear()

    @staticmethod
    def end_recorded(folder: pathlib.Path) -> list[str]:
        """Ends the servers that were left running with a folder; their names."""
        ended = []
        for path in sorted(folder.glob("*.pid"), key=lambda p: p.stat().st_mtime, reverse=True):
            pid = int(path.read_text())
            _end_group(pid, functools.partial(_gone, pid))
            path.unlink()
            ended.append(path.stem)
        return ended


def _ended(process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is not None


def _gone(pid: int) -> bool:
    """Whether a process that may be nobody's child is there no more."""
    status = pathlib.Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"


def _end_group(pid: int, ended: Callable[[], bool]) -> None:
    """Asks a process group to end, and ends it if it does not."""
    for sent in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, sent)
        end = time.monotonic() + _END_SECONDS
        while time.monotonic() < end:
            if ended():
                return
            time.sleep(_POLL_SECONDS)
