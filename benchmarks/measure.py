"""Wall clock, CPU and memory of a command with everything that it starts.

    python -m benchmarks.measure COMMAND [ARGUMENT ...]

CPU is what the kernel accounts to the processes themselves. A worker that its
parent waits for is part of the parent's account. One that nobody waits for is
adopted: the measuring process makes itself the subreaper of all that it starts,
so every account ends up here.

Memory is the proportional set size (PSS) of all processes together, sampled: a
page that n processes share counts 1/n in each. Where the kernel does not tell it,
the private part alone (USS) is taken.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import dataclasses
import os
import pathlib
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import IO

import psutil

__all__ = ["METHOD", "Usage", "measure"]

METHOD = "CPU: rusage of every process, orphans adopted; memory: sum of PSS, every 0.2 s"

_SECONDS = 0.2
_GRACE = 5.0
"""How long orphans may go on after the command has ended."""
_PR_SET_CHILD_SUBREAPER = 36


@dataclasses.dataclass(frozen=True)
class Usage:
    """What a command took.

    Attributes:
        returncode: Of the command; negative for a signal.
        wall: Seconds.
        cpu: Seconds, user and system, of all its processes.
        peak: Bytes of memory of all its processes together.
        processes: The most that were alive in one sample.
        orphans: Processes that outlived the command.
    """

    returncode: int
    wall: float
    cpu: float
    peak: int
    processes: int
    orphans: int


def _adopt() -> None:
    """Makes this process the parent of orphaned descendants (Linux)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) was refused")


def _memory(process: psutil.Process) -> int:
    try:
        told = process.memory_full_info()
    except psutil.Error:
        return 0  # it ended meanwhile
    return int(getattr(told, "pss", 0) or told.uss)


class _Account:
    """What is known of a command while it runs."""

    def __init__(self, leader: int) -> None:
        self.leader, self.returncode = leader, -1
        self.cpu, self.peak, self.processes, self.orphans = 0.0, 0, 0, 0
        self._self = psutil.Process()

    def sample(self) -> None:
        """Adds a sample of memory."""
        alive = self._self.children(recursive=True)
        self.peak = max(self.peak, sum(map(_memory, alive)))
        self.processes = max(self.processes, len(alive))

    def reap(self) -> bool:
        """Takes the account of what has ended; whether anything is left to wait for."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if not pid:
                return True
            self._add(pid, status, usage)

    def _add(self, pid: int, status: int, usage: resource.struct_rusage) -> None:
        self.cpu += usage.ru_utime + usage.ru_stime
        if pid == self.leader:
            self.returncode = os.waitstatus_to_exitcode(status)
            self.leader = 0
        else:
            self.orphans += 1


def _end(account: _Account, group: int) -> None:
    """Waits for orphans, and ends those of the command's own group that stay."""
    deadline = time.monotonic() + _GRACE
    while account.reap():
        if time.monotonic() > deadline:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
            deadline = float("inf")
        time.sleep(_SECONDS)


def measure(
    command: Sequence[str],
    *,
    output: IO[bytes] | None = None,
    env: Mapping[str, str] | None = None,
) -> Usage:
    """Runs a command in a process group of its own, and measures it.

    The calling process must have no other children.

    Args:
        command: Program and arguments.
        output: Where its output and errors go; those of this process by default.
        env: Its environment; that of this process by default.
    """
    _adopt()
    began = time.monotonic()
    leader = subprocess.Popen(
        command, stdout=output, stderr=output, env=env, start_new_session=True
    )
    account = _Account(leader.pid)
    try:
        while account.leader:
            time.sleep(_SECONDS)
            account.sample()
            account.reap()
        wall = time.monotonic() - began
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(leader.pid, signal.SIGTERM)
        raise
    finally:
        _end(account, leader.pid)
        leader.returncode = account.returncode  # reaped here, not by subprocess
    found = (account.peak, account.processes, account.orphans)
    return Usage(account.returncode, wall, account.cpu, *found)


def main() -> int:
    """Measures the command line that follows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND")
    command = parser.parse_args().command
    if not command:
        parser.error("name a command")
    own = pathlib.Path(command[0]).name
    used = measure(command)
    print(f"\n{own}: wall {used.wall:.1f} s, CPU {used.cpu:.1f} s, peak {used.peak / 1e6:,.0f} MB")
    print(f"{used.processes} processes at once, {used.orphans} outlived it ({METHOD})")
    return used.returncode


if __name__ == "__main__":
    sys.exit(main())
