"""Places: whether a run may go where it is told to, and putting down what it reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from pipelines.graph import DECISIONS, TEMPORARY, TOKENIZER, Job
from transforms import storage
from transforms.dedup.index import layout, pins
from transforms.errors import UsageError
from transforms.ingest.listing import INPUTS, InputFile, write_inputs
from transforms.outcome import OUTCOME
from transforms.shards.layout import MANIFEST
from transforms.shards.verify import require
from transforms.staging.record import ANNOTATED, KEPT_RECORD

__all__ = ["check_output", "fill_staging", "same_place"]

_OWNER = "run.json"
_SELECTED = ("kept", "spool", "progress", DECISIONS, KEPT_RECORD, OUTCOME, pins.FACTS, pins.PINS)
_ANNOTATED = ("parts", "dead_letters", ANNOTATED, TOKENIZER)
_PUBLISHED = ("data", "dropped", "dead_letters", TEMPORARY)


def check_output(run: str, name: str, job: str, staging: str) -> bool:
    """Whether the run is published already.

    Args:
        run: The output folder.
        name: The run's name.
        job: Its name but for what an index holds: an attempt that broke off leaves files
            in the output folder, and meanwhile the index may have grown.
        staging: The staging folder.

    Raises:
        UsageError: The place holds something else.
    """
    if storage.is_local(run) and storage.local_path(run).is_file():
        raise UsageError(f"--output {run} is a file; name a folder")
    if storage.exists(storage.join(run, MANIFEST)):
        there = require(run)["run"]
        if there == name:
            return True
        raise UsageError(
            f"--output {run} holds run {there}, which has another input or configuration; "
            "a published run is never changed: choose another place"
        )
    if _anything_in(run) and _owner(staging) != (run, job):
        raise UsageError(
            f"--output {run} is not empty and holds no published run; choose an empty folder"
        )
    return False


def _owner(staging: str) -> tuple[str, str] | None:
    """Which run a staging folder was last used for."""
    path = storage.join(staging, _OWNER)
    if not storage.exists(path):
        return None
    owner = orjson.loads(storage.read_bytes(path))
    return owner["output"], owner["run"]


def same_place(one: str, other: str) -> bool:
    """Whether two paths name one folder."""
    if storage.is_local(one) and storage.is_local(other):
        return storage.local_path(one).resolve() == storage.local_path(other).resolve()
    return one.rstrip("/") == other.rstrip("/")


def _anything_in(folder: str) -> bool:
    """Whether there is a file in a folder, or in a folder of it but the temporary one."""
    found = [e.path for p in ("*", "*/*") for e in storage.glob(storage.join(folder, p))]
    return any(path.rsplit("/", 2)[-2] != TEMPORARY for path in found)


def _check_staging(staging: str) -> None:
    """Raises a UsageError where a staging folder holds what holdfast did not put there."""
    if _anything_in(staging) and not storage.exists(storage.join(staging, _OWNER)):
        raise UsageError(
            f"--staging {staging} holds files that are not holdfast's; choose an empty folder"
        )


def fill_staging(
    job: Job, files: list[InputFile] | None, pinned: Iterable[Mapping[str, Any]] = ()
) -> None:
    """Removes what earlier attempts left and puts down what the graph reads.

    Args:
        job: The job.
        files: What there is to read; None for a staging folder that is annotated.
        pinned: Shards of earlier runs to compare with (`index.pins.PIN`).

    Raises:
        UsageError: The staging folder holds something that is not holdfast's.
    """
    if files is not None:
        _check_staging(job.staging)
        storage.makedirs(job.staging)
    for name in _SELECTED if files is None else (*_ANNOTATED, *_SELECTED):
        storage.delete_tree(job.place(name))
    if files is not None:
        write_inputs(files, job.place(INPUTS))
        if job.config.tokenizer:
            counting = storage.read_bytes(job.config.tokenizer)
            storage.write_bytes_atomically(job.place(TOKENIZER), counting)
    if job.run is not None:
        for name in _PUBLISHED:
            storage.delete_tree(storage.join(job.run, name))
    if job.index is not None:
        _fill_index(job, job.index, pinned)
    owner = {"output": job.run, "run": job.unpinned}
    storage.write_bytes_atomically(job.place(_OWNER), orjson.dumps(owner))
    if job.config.exclude:
        listed = storage.read_bytes(job.config.exclude)
        storage.write_bytes_atomically(job.place("exclude.txt"), listed)


def _fill_index(job: Job, facts: pins.Facts, pinned: Iterable[Mapping[str, Any]]) -> None:
    """Puts down what is pinned, and removes what an attempt of this run left in the index."""
    layout.claim_format(facts.index, job.config.dedup)
    if facts.append:
        storage.delete_tree(layout.segment_place(facts.index, job.name))
    pins.write_facts(job.staging, facts)
    pins.write_pins(job.staging, pinned)
