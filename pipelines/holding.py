"""Holding the places of a run from its start to its end, so that no other run is there."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator

from pipelines.job import TEMPORARY, Job
from transforms import claim, storage
from transforms.guarded import quietly_after_failure

__all__ = ["Hold", "held"]


@dataclasses.dataclass
class Hold:
    """Places that are held.

    Attributes:
        left: Whether work goes on without this process: then the claims stay, and what is
            written in the places shows that they are alive.
    """

    left: bool = False


@contextlib.contextmanager
def held(job: Job, stale_after: float) -> Iterator[Hold]:
    """Holds the staging folder and the output folder while the block runs.

    Args:
        job: Whose places they are.
        stale_after: Seconds without life after which others may take over.

    Raises:
        HeldError: Another run holds one of them.
    """
    places = [job.staging, *([job.run] if job.run is not None else [])]
    hold = Hold()
    with contextlib.ExitStack() as stack:
        for place in places:
            stack.enter_context(_held(place, job, stale_after, hold))
        yield hold


@contextlib.contextmanager
def _held(place: str, job: Job, stale_after: float, hold: Hold) -> Iterator[None]:
    empty = not storage.exists(place)
    taken = claim.take(
        place,
        job.name,
        token=job.attempt,
        stale_after=stale_after,
        progress=lambda: _last_change(job),
    )
    try:
        _sweep(place)
        with taken.kept():
            yield
    finally:
        if not hold.left:
            _let_go(place, job.attempt, empty=empty)


def _let_go(place: str, attempt: str, *, empty: bool) -> None:
    with quietly_after_failure():
        claim.release(place, attempt)
    if empty and storage.is_local(place):
        # Nothing was put there: a refused run leaves nothing behind.
        with contextlib.suppress(OSError):
            storage.local_path(place).rmdir()


def _sweep(place: str) -> None:
    """Removes what was being written when a holder died: claims, records, manifests."""
    for entry in storage.glob(storage.join(place, "*.tmp")):
        storage.delete_tree(entry.path)


def _last_change(job: Job) -> float | None:
    """When a file of the job was last written, in seconds since 1970."""
    folders = [job.staging, job.place("*"), job.place("*", "*")]
    if job.run is not None:
        folders.append(storage.join(job.run, TEMPORARY))
    seen = [
        float(entry.updated) / (1e9 if storage.is_local(entry.path) else 1)
        for folder in folders
        for entry in storage.glob(storage.join(folder, "*"))
        if entry.path.rpartition("/")[2] != claim.CLAIM and entry.updated.replace(".", "").isdigit()
    ]
    return max(seen, default=None)
