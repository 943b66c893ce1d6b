"""Places: whether a run may go where it is told to, and putting down what it reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from pipelines.difference import difference
from pipelines.job import DECISIONS, TEMPORARY, TOKENIZER, Job, asked
from transforms import storage
from transforms.claim import CLAIM
from transforms.commits import COMMITS, named_files
from transforms.dedup.index import layout, pins
from transforms.errors import UsageError
from transforms.ingest.listing import INPUTS, InputFile, write_inputs
from transforms.outcome import OUTCOME
from transforms.shards.layout import CARD, MANIFEST
from transforms.shards.verify import require
from transforms.staging.record import ANNOTATED, KEPT_RECORD

__all__ = ["check_output", "check_staging", "fill_staging", "same_place"]

_OWNER = "run.json"
_SELECTED = ("kept", "spool", "progress", DECISIONS, KEPT_RECORD, OUTCOME, pins.FACTS, pins.PINS)
_ANNOTATED = ("parts", "dead_letters")
_PUBLISHED = ("data", "dropped", "dead_letters", "ledger", CARD, TEMPORARY)


def check_output(job: Job) -> bool:
    """Whether the run is published already.

    Raises:
        UsageError: The place holds something else.
    """
    run = str(job.run)
    if storage.is_local(run) and storage.local_path(run).is_file():
        raise UsageError(f"--output {run} is a file; name a folder")
    if storage.exists(storage.join(run, MANIFEST)):
        manifest = require(run)
        if manifest["run"] == job.name:
            return True
        raise UsageError(
            f"--output {run} holds run {manifest['run']}, which has another input or "
            f"configuration: {difference(manifest, asked(job))}; a published run is never "
            "changed: choose another place"
        )
    # An attempt that broke off leaves files, and meanwhile the index may have grown.
    if _anything_in(run) and _owner(job.staging) != (run, job.unpinned):
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
    return any(not _is_passing(*path.rsplit("/", 2)[-2:]) for path in found)


def _is_passing(folder: str, name: str) -> bool:
    """Whether a file is one that an attempt leaves when it dies at the wrong moment."""
    return folder == TEMPORARY or name.startswith(CLAIM)


def check_staging(staging: str) -> None:
    """Refuses a staging folder that holds what holdfast did not put there.

    Raises:
        UsageError: It does.
    """
    if _anything_in(staging) and not storage.exists(storage.join(staging, _OWNER)):
        raise UsageError(
            f"--staging {staging} holds files that are not holdfast's; choose an empty folder"
        )


def fill_staging(
    job: Job,
    files: list[InputFile] | None,
    pinned: Iterable[Mapping[str, Any]] = (),
    *,
    resume: bool = False,
) -> None:
    """Removes what earlier attempts left and puts down what the graph reads.

    Args:
        job: The job.
        files: What there is to read; None for a staging folder that is annotated.
        pinned: Shards of earlier runs to compare with (`index.pins.PIN`).
        resume: Whether splits that are annotated already are left as they are.
    """
    storage.makedirs(job.staging)
    # First of all: it says that what is in both folders is holdfast's, whatever comes next.
    owner = {"output": job.run, "run": job.unpinned}
    storage.write_bytes_atomically(job.place(_OWNER), orjson.dumps(owner))
    for name in _SELECTED:
        storage.delete_tree(job.place(name))
    if files is not None:
        _empty_annotation(job, resume=resume)
        write_inputs(files, job.place(INPUTS))
        if job.config.tokenizer:
            counting = storage.read_bytes(job.config.tokenizer)
            storage.write_bytes_atomically(job.place(TOKENIZER), counting)
    if job.run is not None:
        for name in _PUBLISHED:
            storage.delete_tree(storage.join(job.run, name))
    if job.index is not None:
        _fill_index(job, job.index, pinned)
    if job.config.exclude:
        listed = storage.read_bytes(job.config.exclude)
        storage.write_bytes_atomically(job.place("exclude.txt"), listed)


def _empty_annotation(job: Job, *, resume: bool) -> None:
    """Removes annotations, but for those that are committed and asked for."""
    for name in (ANNOTATED, TOKENIZER):
        storage.delete_tree(job.place(name))
    if not resume:
        for name in (COMMITS, *_ANNOTATED):
            storage.delete_tree(job.place(name))
        return
    named, useless = named_files(job.commits)
    for path in useless:
        storage.delete_tree(path)
    for name in _ANNOTATED:
        for entry in storage.glob(job.place(name, "*")):
            if entry.path not in named:
                storage.delete_tree(entry.path)


def _fill_index(job: Job, facts: pins.Facts, pinned: Iterable[Mapping[str, Any]]) -> None:
    """Puts down what is pinned, and removes what an attempt of this run left in the index."""
    layout.claim_format(facts.index, job.config.dedup)
    if facts.append:
        storage.delete_tree(layout.segment_place(facts.index, job.name))
    pins.write_facts(job.staging, facts)
    pins.write_pins(job.staging, pinned)
