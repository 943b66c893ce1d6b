"""A small job in a process group of its own, and what is to be seen of it from outside.

Nothing here is holdfast's code: files are looked at as any reader would.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIG = "examples/holdfast.yaml"
FILES = 8
_PUBLISHED = ("data", "dropped", "dead_letters")
_PATIENCE = 3600.0
"""Seconds after which a job counts as hung."""


@dataclasses.dataclass
class Tally:
    """What one kind of fault did.

    Attributes:
        name: Of the faults.
        faults: How many were injected.
        survived: Runs that ended as they should: whole, or refused with exit code 5.
        lost: Documents of an undisturbed run that are not where they should be.
        partial: Outputs that could be seen before they were whole.
        left: Temporary files that were there after the last run.
        wrong: Sentences on everything that was not as it should be.
    """

    name: str
    faults: int = 0
    survived: int = 0
    lost: int = 0
    partial: int = 0
    left: int = 0
    wrong: list[str] = dataclasses.field(default_factory=list)
    notes: dict[str, int] = dataclasses.field(default_factory=dict)

    def note(self, what: str, n: int = 1) -> None:
        """Counts something worth telling."""
        self.notes[what] = self.notes.get(what, 0) + n


def write_corpus(folder: pathlib.Path) -> pathlib.Path:
    """The example corpus in more files, so that there are more splits to be cut off at."""
    sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "e2e")]
    import e2e_corpus  # noqa: PLC0415  # it lies in a folder of tests

    folder.mkdir(parents=True)
    lines = [
        json.dumps(record, default=str) if record else '{"text": ' for record in e2e_corpus.corpus()
    ]
    for number in range(FILES):
        text = "\n".join(lines[number::FILES]) + "\n"
        (folder / f"crawl-{number}.jsonl").write_text(text, encoding="utf-8")
    return folder


@dataclasses.dataclass(frozen=True)
class Job:
    """A run of holdfast with places of its own.

    Attributes:
        source: What is read.
        output: Folder of the run.
        staging: Its staging folder.
        env: What is added to the environment.
        flags: More arguments.
        prefix: Command that the job is run by.
    """

    source: str
    output: str
    staging: str
    env: Mapping[str, str] = dataclasses.field(default_factory=dict)
    flags: tuple[str, ...] = ()
    prefix: tuple[str, ...] = ()

    def start(self, *flags: str) -> subprocess.Popen[bytes]:
        """Starts it as a process group of its own."""
        command = [*self.prefix, sys.executable, "-m", "pipelines.cli", "curate", CONFIG]
        command += ["--input", self.source, "--output", self.output, "--staging", self.staging]
        return subprocess.Popen(  # noqa: S603  # arguments of this file's own
            [*command, *self.flags, *flags],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), **self.env},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def finish(self, *flags: str) -> tuple[int, str]:
        """Runs it to its end: exit code and what it said."""
        with self.start(*flags) as process:
            try:
                _, err = process.communicate(timeout=_PATIENCE)
            except subprocess.TimeoutExpired:
                kill(process)
                return -1, f"hung for {_PATIENCE:.0f} s"
        return process.returncode, err.decode(errors="replace")

    @contextlib.contextmanager
    def running(self, *flags: str) -> Iterator[subprocess.Popen[bytes]]:
        """Starts it, and leaves no process of it behind."""
        process = self.start(*flags)
        try:
            yield process
        finally:
            kill(process)
            process.wait()


def kill(process: subprocess.Popen[bytes]) -> None:
    """Ends a process group as a machine does that loses its power."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def wait_for(path: pathlib.Path, process: subprocess.Popen[bytes]) -> bool:
    """Waits until a file is there; False if the process ended first."""
    while not path.exists():
        if process.poll() is not None:
            return False
        time.sleep(0.01)
    return True


def digests(run: pathlib.Path) -> dict[str, str]:
    """sha256 of every file of a folder, by its path within."""
    files = [path for path in sorted(run.rglob("*")) if path.is_file()]
    return {str(p.relative_to(run)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def data_of(found: Mapping[str, str]) -> dict[str, str]:
    """The files that hold rows."""
    return {name: digest for name, digest in found.items() if name.split("/")[0] in _PUBLISHED}


def documents(run: pathlib.Path) -> int:
    """Documents that the ledger of a run accounts for."""
    return int(json.loads((run / "manifest.json").read_bytes())["ledger"]["read"])


def leftovers(run: pathlib.Path, staging: pathlib.Path, expected: Mapping[str, str]) -> list[str]:
    """Files that only an attempt needed."""
    found = [name for name in digests(run) if name not in expected]
    record = json.loads((staging / "annotated.json").read_bytes())
    named = {row["path"] for key in ("parts", "dead_letters") for row in record[key]}
    for path in staging.rglob("*"):
        inside = path.relative_to(staging)
        rows = inside.parts[0] in ("parts", "dead_letters") and path.is_file()
        passing = inside.parts[0] in ("spool", "progress") or path.name.startswith("_claim")
        if passing or path.suffix == ".tmp" or (rows and str(path) not in named):
            found.append(str(inside))
    return found


def clear(*folders: pathlib.Path) -> None:
    """Removes folders."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def moments(seed: int, longest: float) -> Iterator[float]:
    """Random moments of a run."""
    drawn = random.Random(seed)
    while True:
        yield drawn.uniform(0, longest)
