"""The job is killed at random moments and run again."""

from __future__ import annotations

import pathlib
import time

from soak_job import (
    Job,
    Tally,
    clear,
    digests,
    documents,
    kill,
    leftovers,
    moments,
    wait_for,
    write_corpus,
)

_EVERY = 5
"""Kills after which a run is left alone until it ends."""
_MANNERS = (("--resume",), (), ("--resume", "--direct_num_workers=2"))


def run_kills(folder: pathlib.Path, kills: int, seed: int) -> Tally:
    """Kills the process group at seeded moments between its claim and its end."""
    tally = Tally("killed (SIGKILL)")
    source = write_corpus(folder / "crawl")
    calm = Job(str(source), str(folder / "calm"), str(folder / "calm.staging"))
    began = time.monotonic()
    with calm.running() as process:
        wait_for(folder / "calm.staging" / "_claim.json", process)
        began = time.monotonic()
        process.wait()
    longest = time.monotonic() - began
    expected, whole = digests(folder / "calm"), documents(folder / "calm")
    output, staging = folder / "run", folder / "run.staging"
    job = Job(str(source), str(output), str(staging))
    drawn = moments(seed, 1.0)
    while tally.faults < kills:
        manner = _MANNERS[tally.faults // _EVERY % len(_MANNERS)]
        for _ in range(min(_EVERY, kills - tally.faults)):
            if _kill_once(job, manner, next(drawn) * longest, expected, tally):
                break
        began = time.monotonic()
        code, said = job.finish(*manner)
        # How fast the machine is changes while this runs; a kill after the end is none.
        longest = time.monotonic() - began
        print(f"{tally.faults} kills, {tally.survived + 1} runs, {longest:.0f} s each", flush=True)
        if code != 0:
            tally.wrong.append(f"run again, it ended with {code}: {said[-300:]}")
            continue
        tally.survived += 1
        found = digests(output)
        if found != expected:
            differing = sorted(n for n in {*found, *expected} if found.get(n) != expected.get(n))
            tally.wrong.append(f"differs from an undisturbed run: {differing}")
        tally.lost += whole - documents(output)
        left = leftovers(output, staging, expected)
        tally.left += len(left)
        tally.wrong += [f"left behind: {name}" for name in left]
        clear(output, staging)
    return tally


def _kill_once(
    job: Job, manner: tuple[str, ...], moment: float, expected: dict[str, str], tally: Tally
) -> bool:
    """Starts the job and kills it; whether the run is published."""
    output, staging = pathlib.Path(job.output), pathlib.Path(job.staging)
    with job.running(*manner) as process:
        before = (staging / "_claim.json").stat().st_ino if _claimed(staging) else 0
        while process.poll() is None:
            if _claimed(staging) and (staging / "_claim.json").stat().st_ino != before:
                break
            time.sleep(0.01)
        deadline = time.monotonic() + moment
        while time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.01)
        alive = process.poll() is None
        kill(process)
    if alive:
        tally.faults += 1
    published = (output / "manifest.json").exists()
    if published:
        tally.note("published already when it was killed")
        if digests(output) | {"_claim.json": ""} != expected | {"_claim.json": ""}:
            tally.partial += 1
            tally.wrong.append("a manifest was there, and the run was not whole")
    else:
        stage = "staged whole" if (staging / "annotated.json").exists() else "still annotating"
        tally.note(f"{stage} when it was killed")
    return published


def _claimed(staging: pathlib.Path) -> bool:
    return (staging / "_claim.json").exists()
