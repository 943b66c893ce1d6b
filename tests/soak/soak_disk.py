"""The disk runs full, or becomes read-only, in the middle of a run.

Both need the right to mount; who lacks it gets an error, not silence.
"""

from __future__ import annotations

import contextlib
import pathlib
import subprocess
import time
from collections.abc import Iterator

from soak_job import Job, Tally, digests, leftovers, moments, wait_for, write_corpus

_SIZES = ("64k", "256k", "512k", "1m", "2m")
"""Of a disk that is too small at different moments of the run."""
_TRIES = 200
"""Times that a mount is made read-only: it is refused while a file is being written."""


def _mount(*arguments: str) -> bool:
    done = subprocess.run(  # noqa: S603  # arguments of its own
        ["/usr/bin/env", "mount", *arguments], capture_output=True, check=False
    )
    return done.returncode == 0


@contextlib.contextmanager
def _mounted(folder: pathlib.Path, *arguments: str) -> Iterator[pathlib.Path]:
    folder.mkdir(parents=True)
    if not _mount(*arguments, str(folder)):
        raise RuntimeError(f"cannot mount {folder}: this scenario needs root, or CAP_SYS_ADMIN")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S603, S607


def _calm(folder: pathlib.Path) -> tuple[pathlib.Path, dict[str, str], float]:
    source = write_corpus(folder / "crawl")
    began = time.monotonic()
    code, said = Job(str(source), str(folder / "calm"), str(folder / "calm.staging")).finish()
    if code:
        raise RuntimeError(f"the undisturbed run ended with {code}: {said}")
    return source, digests(folder / "calm"), time.monotonic() - began


def run_full(folder: pathlib.Path) -> Tally:
    """Disks of several sizes run full; then there is room, and the job is run again."""
    tally = Tally("disk full")
    source, expected, _ = _calm(folder / "full")
    for size in _SIZES:
        with _mounted(
            folder / f"disk-{size}", "-t", "tmpfs", "-o", f"size={size}", "tmpfs"
        ) as disk:
            job = Job(str(source), str(disk / "run"), str(disk / "run.staging"))
            code, said = job.finish("--resume")
            if code == 0:
                tally.note(f"{size} was enough")
            else:
                tally.faults += 1
                _check_refusal(tally, code, said, disk / "run", "No space left on device")
            _mount("-o", "remount,size=64m", str(disk))
            _finish(tally, job, expected)
    return tally


def run_read_only(folder: pathlib.Path, rounds: int, seed: int) -> Tally:
    """The right to write is lost at seeded moments; then it is there again."""
    tally = Tally("write permission lost")
    source, expected, longest = _calm(folder / "read-only")
    drawn = moments(seed, longest)
    for number in range(rounds):
        place = folder / f"place-{number}"
        place.mkdir()
        job = Job(str(source), str(place / "run"), str(place / "run.staging"))
        # The folder itself, mounted once more: what is written there stays when it is let go.
        with contextlib.ExitStack() as stack:
            stack.enter_context(_bound(place))
            with job.running("--resume") as process:
                wait_for(place / "run.staging" / "_claim.json", process)
                time.sleep(next(drawn))
                lost = _lose_permission(place)
                _, err = process.communicate()
                code = process.returncode
        if code == 0:
            tally.note("ended before it")
        elif lost:
            tally.faults += 1
            _check_refusal(
                tally, code, err.decode(errors="replace"), place / "run", "Read-only file system"
            )
        _finish(tally, job, expected)
    return tally


@contextlib.contextmanager
def _bound(folder: pathlib.Path) -> Iterator[None]:
    if not _mount("--bind", str(folder), str(folder)):
        raise RuntimeError(f"cannot mount {folder}: this scenario needs root, or CAP_SYS_ADMIN")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S603, S607


def _lose_permission(place: pathlib.Path) -> bool:
    """Makes a mount read-only, as soon as no file is being written."""
    for _ in range(_TRIES):
        if _mount("-o", "remount,bind,ro", str(place)):
            return True
        time.sleep(0.01)
    return False


def _check_refusal(tally: Tally, code: int, said: str, run: pathlib.Path, words: str) -> None:
    told = [line for line in said.splitlines() if line.startswith("holdfast: ")]
    if code != 5 or not told or words not in told[-1]:
        tally.wrong.append(f"ended with {code} and said: {said[-600:]}")
    if (run / "manifest.json").exists():
        tally.partial += 1
        tally.wrong.append(f"refused, and published: {said[-300:]}")


def _finish(tally: Tally, job: Job, expected: dict[str, str]) -> None:
    """Runs the job again, now that nothing is in its way."""
    code, said = job.finish("--resume")
    run = pathlib.Path(job.output)
    if code != 0:
        tally.wrong.append(f"run again, it ended with {code}: {said[-300:]}")
        return
    tally.survived += 1
    if digests(run) != expected:
        tally.lost += 1
        tally.wrong.append("differs from an undisturbed run")
    left = leftovers(run, pathlib.Path(job.staging), expected)
    tally.left += len(left)
    tally.wrong += [f"left behind: {name}" for name in left]
