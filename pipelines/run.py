"""Launching: what a run is called, where it may go, and running its graph to the end."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import apache_beam as beam
import orjson
import xxhash
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions

from pipelines import graph, identity, logs
from pipelines.config import Config
from pipelines.failures import understood
from pipelines.holding import held
from pipelines.indexing import pin
from pipelines.job import TEMPORARY, Job
from pipelines.places import check_output, check_staging, fill_staging
from pipelines.progress import Progress
from pipelines.request import Kind, check_request, check_tokens
from pipelines.scale import choose_runner, scale_of, unpacked
from transforms import errors, metrics, storage
from transforms.claim import CLAIM
from transforms.exchange import Carrier
from transforms.guarded import quietly_after_failure
from transforms.ingest.listing import INPUTS, InputFile, list_inputs, read_inputs
from transforms.shards import latest
from transforms.staging.record import ANNOTATED, read_record

__all__ = ["Launch", "launch", "prepare", "started"]


@dataclasses.dataclass(frozen=True)
class Launch:
    """A run that is ready to start.

    Attributes:
        kind: Which part of the job.
        job: What the graph is built from.
        options: Beam's, completed.
        text_bytes: About how much text there is to read.
        done: Whether the same run is published already.
        files: What there is to read; None for a staging folder that is annotated.
        pinned: Shards of earlier runs to compare with (`index.pins.PIN`).
        resume: Whether what is annotated already is kept.
        remote: Whether a service runs the graph, which goes on when this process ends.
    """

    kind: Kind
    job: Job
    options: PipelineOptions
    text_bytes: int
    done: bool
    files: list[InputFile] | None = None
    pinned: tuple[Mapping[str, Any], ...] = ()
    resume: bool = False
    remote: bool = False

    @property
    def as_template(self) -> bool:
        """Whether the graph is only written down, for a service to run."""
        return bool(self.options.view_as(GoogleCloudOptions).template_location)


def prepare(
    kind: Kind,
    config: Config,
    options: PipelineOptions,
    *,
    workers_chosen: bool = False,
    resume: bool = False,
) -> Launch:
    """Decides everything that is decided before the graph runs; writes nothing.

    Args:
        kind: Which part of the job.
        config: What is asked for.
        options: Beam's.
        workers_chosen: Whether the number of local workers in `options` is meant; Beam
            cannot tell its default from a 1 that somebody wrote.
        resume: Whether what is annotated already is kept.

    Raises:
        UsageError, InputError: Something that was asked for cannot be.
    """
    check_request(kind, config)
    # What Beam was told of accounts and endpoints holds for the launcher's own reading, too.
    FileSystems.set_options(options)
    staging = config.staging or f"{str(config.output).rstrip('/')}.staging"
    files = (
        read_inputs(storage.join(staging, INPUTS))
        if kind == "select"
        else list_inputs(config.input)
    )
    if kind == "select":
        record = read_record(staging, ANNOTATED)
        config, annotation = config.annotated_as(record["config"], staging), record["annotation"]
        models = identity.recorded_models(record, staging)
        check_tokens(config, models, staging)
    else:
        models = identity.models(config)
        annotation = config.digest_of("annotation", models)
    config = identity.compared(config, models)
    selection = config.digest_of("selection", identity.digests(config, models))
    unpinned = identity.run_name(files, annotation, selection)
    run = None if kind == "annotate" else str(config.output)
    pinning = None
    if run is not None and config.index:
        name_of = functools.partial(identity.pinned_name, unpinned)
        pinning = pin(config.index, run, staging, config.dedup, name_of)
    text_bytes = unpacked(files)
    runner, workers = choose_runner(options, text_bytes, chosen=workers_chosen)
    carrier: Carrier = config.exchange or ("files" if workers else "shuffle")
    job = Job(
        config=config,
        staging=staging,
        run=run,
        name=pinning.name if pinning else unpinned,
        config_digest=xxhash.xxh3_128_hexdigest(f"{annotation}{selection}".encode()),
        annotation=annotation,
        models=models,
        carrier=carrier,
        scale=scale_of(text_bytes, workers or 16),
        input_bytes=sum(file.size for file in files),
        unpinned=unpinned,
        index=pinning.facts if pinning else None,
        attempt=uuid.uuid4().hex,
        input=identity.input_facts(files),
    )
    done = run is not None and check_output(job)
    if not done:
        if kind != "select":
            check_staging(staging)
        told = f"run {job.name}: {len(files)} files on {runner}, workers: {workers or 'service'}"
        logs.event("started", told, run=job.name, kind=kind, input=dict(job.input), runner=runner)
    given = None if kind == "select" else files
    pinned = tuple(pinning.rows) if pinning else ()
    return Launch(kind, job, options, text_bytes, done, given, pinned, resume, not workers)


@contextlib.contextmanager
def started(ready: Launch) -> Iterator[bool]:
    """Holds the places of a run and puts down what its graph reads; cleans up afterwards.

    Yields:
        Whether the run was published meanwhile, by another attempt: then nothing is put down.

    Raises:
        HeldError: Another run holds a place.
        UsageError: Another run was published here meanwhile.
    """
    job = ready.job
    with held(job, job.config.stale_after) as hold:
        if job.run is not None and check_output(job):
            yield True
            return
        fill_staging(job, ready.files, ready.pinned, resume=ready.resume)
        try:
            yield False
            # Whoever runs the template works in these places.
            hold.left = ready.as_template
        except (KeyboardInterrupt, SystemExit):
            # Somebody stopped waiting: the job of a service goes on in these places.
            hold.left = ready.remote
            raise
        finally:
            if not hold.left:
                with quietly_after_failure():
                    _clean(job)


def _clean(job: Job) -> None:
    """Removes what only the graph needed."""
    storage.delete_tree(job.place("spool"))
    storage.delete_tree(job.place("progress"))
    if job.run is not None:
        storage.delete_tree(storage.join(job.run, TEMPORARY))
    if job.recorder is not None:
        storage.delete_tree(job.recorder.folder)


def _build(ready: Launch) -> beam.Pipeline:
    pipeline = beam.Pipeline(options=ready.options)
    staged = graph.staged if ready.kind == "select" else graph.annotate
    given = staged(pipeline, ready.job)
    if ready.kind != "annotate":
        graph.select(given, ready.job)
    return pipeline


def launch(ready: Launch, progress: Progress) -> bool:
    """Builds the graph, runs it and waits for it.

    Returns:
        Whether there was anything to do: not if the run is published already.

    Raises:
        HoldfastError: What the graph raised, with its own type.
    """
    if ready.done:
        _finish(ready.job)
        return False
    with started(ready) as done:
        if not done:
            _run(ready, progress)
    return not done


def _finish(job: Job) -> None:
    """Does what an attempt left undone that published the run and died."""
    if job.config.latest and job.run is not None:
        latest.point_to(job.config.latest, job.run, only_if_new=True)
    if any(storage.exists(storage.join(place, CLAIM)) for place in (str(job.run), job.staging)):
        # Whoever still holds the places cleans up for itself.
        with contextlib.suppress(errors.HeldError), held(job, job.config.stale_after):
            _clean(job)


def _run(ready: Launch, progress: Progress) -> None:
    job = ready.job
    try:
        pipeline = _build(ready)
        with progress:
            result = pipeline.run()
            if ready.as_template:
                return
            result.wait_until_finish()
    except Exception as error:
        raise understood(error, job.staging) from error
    counts = metrics.counters(result) | metrics.largest(result)
    storage.write_bytes_atomically(
        job.place("metrics.json"), orjson.dumps(counts, option=orjson.OPT_INDENT_2)
    )
    logs.event("counted", "the graph has run", people=False, counts=counts)
    if ready.kind == "annotate" and not storage.exists(job.place(ANNOTATED)):
        raise errors.InputError("the input holds no document; check --input and the field mapping")
