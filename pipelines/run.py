"""Launching: what a run is called, where it may go, and running its graph to the end."""

from __future__ import annotations

import dataclasses
import functools
import logging
import math
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import apache_beam as beam
import orjson
import xxhash
from apache_beam.options.pipeline_options import (
    DirectOptions,
    GoogleCloudOptions,
    PipelineOptions,
    StandardOptions,
)

from pipelines import graph
from pipelines.config import Config
from pipelines.indexing import pin
from pipelines.places import check_output, fill_staging, same_place
from pipelines.policies import previous_manifest
from pipelines.progress import Progress
from transforms import errors, metrics, storage
from transforms.dedup.partitions import Scale
from transforms.errors import HoldfastError, InputError, UsageError
from transforms.exchange import Carrier
from transforms.ingest.exclude import ExcludeList
from transforms.ingest.listing import INPUTS, InputFile, list_inputs, read_inputs
from transforms.langid.model import load_model
from transforms.outcome import read_outcome
from transforms.staging.record import ANNOTATED, read_record
from transforms.synthetic.reference import NO_REFERENCE, load_reference
from transforms.synthetic.score import load_scorer

__all__ = ["Launch", "launch", "prepare", "submit"]

Kind = Literal["curate", "annotate", "select"]

_LOG = logging.getLogger("holdfast")
_LOCAL = ("FnApiRunner", "DirectRunner", "BundleBasedDirectRunner", "PrismRunner")
_PARALLEL_BYTES = 24 << 20
"""Input from which several worker processes are worth the seconds that they take to start."""
_PARTITION_BYTES = 48 << 20
_LIGHT_BYTES = 64 << 20
"""Text whose light rows fill a partition."""
_MANY = 1_000
"""Partitions up to which each has a size of its own: 64 GB of light rows' text."""
_FILE_BYTES = 1 << 30
"""Text whose dropped documents fill a file."""
_PACKED = 4
"""How much larger text is than its file; only partition counts depend on it."""


@dataclasses.dataclass(frozen=True)
class Launch:
    """A run that is ready to start.

    Attributes:
        kind: Which part of the job.
        job: What the graph is built from.
        options: Beam's, completed.
        text_bytes: About how much text there is to read.
        done: Whether the same run is published already.
    """

    kind: Kind
    job: graph.Job
    options: PipelineOptions
    text_bytes: int
    done: bool

    @property
    def as_template(self) -> bool:
        """Whether the graph is only written down, for a service to run."""
        return bool(self.options.view_as(GoogleCloudOptions).template_location)


def _unpacked(files: list[InputFile]) -> int:
    return sum(file.size * (1 if file.format == "jsonl" else _PACKED) for file in files)


def _partitions(text_bytes: int, each: int) -> int:
    """Partitions of `each` bytes of text, and of more where there would be very many.

    A batch is cut into a piece for each partition, and a piece costs up to 2 kB however few
    rows it has: beyond `_MANY`, partitions grow with the root of the text, as their number.
    """
    plain = -(-text_bytes // each)
    return plain if plain <= _MANY else math.isqrt(plain * _MANY)


def _scale(text_bytes: int, workers: int) -> Scale:
    least = 4 * workers if workers > 1 else 2
    return Scale(
        light=max(least, _partitions(text_bytes, _LIGHT_BYTES)),
        text=max(least, _partitions(text_bytes, _PARTITION_BYTES)),
        files=max(1, -(-text_bytes // _FILE_BYTES)),
    )


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _complete(options: PipelineOptions, text_bytes: int, *, chosen: bool) -> tuple[str, int]:
    """Chooses the runner, and workers unless they are chosen; name and number."""
    standard, direct = options.view_as(StandardOptions), options.view_as(DirectOptions)
    standard.runner = standard.runner or "FnApiRunner"
    runner = standard.runner.rsplit(".", 1)[-1]
    if runner not in _LOCAL:
        return runner, 0
    if not chosen:
        direct.direct_num_workers = _cores() if text_bytes >= _PARALLEL_BYTES else 1
    workers = direct.direct_num_workers or _cores()
    if workers > 1 and direct.direct_running_mode == "in_memory":
        direct.direct_running_mode = "multi_processing"
        # Arrow sizes its thread pool by this: a worker per core leaves none for threads.
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    return runner, workers


def _models(config: Config) -> dict[str, str]:
    """Digests of the models that annotate."""
    return {
        "langid_model": load_model(config.langid.model).digest,
        "synthetic_model": load_scorer(config.synthetic.model).digest,
    }


def _compared(config: Config, models: Mapping[str, str]) -> Config:
    """The configuration without reference scores that are of another classifier.

    Raises:
        InputError: The configuration names such scores itself.
    """
    given, scorer = config.synthetic.reference, models["synthetic_model"]
    if given == NO_REFERENCE or load_reference(given).model == scorer:
        return config
    if given is not None:
        raise InputError(
            f"the reference scores {given} are of classifier {load_reference(given).model}, and "
            f"the text has scores of {scorer}; make a table with `holdfast calibrate synthetic`"
        )
    _LOG.warning("the reference scores that ship are not of this classifier, and are left out")
    update = {"synthetic": config.synthetic.model_copy(update={"reference": NO_REFERENCE})}
    return config.model_copy(update=update)


def _digests(config: Config, models: Mapping[str, str]) -> dict[str, str]:
    """Digests of the files that a configuration names, and that decide the output."""
    reference = load_reference(config.synthetic.reference)
    found = dict(models) | {"synthetic_reference": reference.digest}
    if config.exclude:
        found["exclude"] = ExcludeList.read(config.exclude).digest
    if config.synthetic.previous:
        path = previous_manifest(config.synthetic.previous)
        if not storage.exists(path):
            raise InputError(f"{path} does not exist; --previous-run names a published run")
        found["previous"] = xxhash.xxh3_128_hexdigest(storage.read_bytes(path))
    return found


def _run_name(files: list[InputFile], annotation: str, selection: str) -> str:
    """From the configuration and what was read, not from what it is called."""
    contents = sorted(f"{file.size}:{file.digest}" for file in files)
    data = orjson.dumps([contents, annotation, selection])
    return xxhash.xxh3_64_hexdigest(data)


def _pinned_name(unpinned: str, pinned: Sequence[Mapping[str, Any]]) -> str:
    """The name of a run that compares with earlier ones."""
    data = orjson.dumps([unpinned, list(pinned)], option=orjson.OPT_SORT_KEYS)
    return xxhash.xxh3_64_hexdigest(data)


def prepare(
    kind: Kind, config: Config, options: PipelineOptions, *, workers_chosen: bool = False
) -> Launch:
    """Decides everything that is decided before the graph runs.

    Args:
        kind: Which part of the job.
        config: What is asked for.
        options: Beam's.
        workers_chosen: Whether the number of local workers in `options` is meant; Beam
            cannot tell its default from a 1 that somebody wrote.

    Raises:
        UsageError, InputError: Something that was asked for cannot be.
    """
    _check_request(kind, config)
    staging = config.staging or f"{str(config.output).rstrip('/')}.staging"
    files = (
        read_inputs(storage.join(staging, INPUTS))
        if kind == "select"
        else list_inputs(config.input)
    )
    if kind == "select":
        record = read_record(staging, ANNOTATED)
        config, annotation = config.annotated_as(record["config"], staging), record["annotation"]
        models = _recorded(record, staging)
    else:
        models = _models(config)
        annotation = config.digest_of("annotation", models)
    config = _compared(config, models)
    selection = config.digest_of("selection", _digests(config, models))
    unpinned = _run_name(files, annotation, selection)
    run = None if kind == "annotate" else str(config.output)
    pinning = None
    if run is not None and config.index:
        name_of = functools.partial(_pinned_name, unpinned)
        pinning = pin(config.index, run, staging, config.dedup, name_of)
    name = pinning.name if pinning else unpinned
    done = run is not None and check_output(run, name, unpinned, staging)
    text_bytes = _unpacked(files)
    runner, workers = _complete(options, text_bytes, chosen=workers_chosen)
    carrier: Carrier = config.exchange or ("files" if workers else "shuffle")
    job = graph.Job(
        config=config,
        staging=staging,
        run=run,
        name=name,
        config_digest=xxhash.xxh3_128_hexdigest(f"{annotation}{selection}".encode()),
        annotation=annotation,
        models=models,
        carrier=carrier,
        scale=_scale(text_bytes, workers or 16),
        input_bytes=sum(file.size for file in files),
        unpinned=unpinned,
        index=pinning.facts if pinning else None,
    )
    if not done:
        pinned = pinning.rows if pinning else ()
        fill_staging(job, None if kind == "select" else files, pinned)
        _LOG.info(
            "run %s: %d files on %s, workers: %s", name, len(files), runner, workers or "service"
        )
    return Launch(kind, job, options, text_bytes, done)


def _recorded(record: Mapping[str, Any], staging: str) -> dict[str, str]:
    """Digests of the models that annotated a staging folder."""
    try:
        return {name: str(record["models"][name]) for name in ("langid_model", "synthetic_model")}
    except (KeyError, TypeError) as error:
        raise InputError(
            f"{staging} was annotated by another version of holdfast, which says nothing of "
            f"{error}; annotate again"
        ) from error


def _check_request(kind: Kind, config: Config) -> None:
    """Refuses requests that lack something."""
    if kind != "annotate" and not (config.floors or config.caps or config.no_floors):
        raise UsageError(
            "no floors are given: name them (--floor original=0.3 --floor tail=0.1), or say "
            "--no-floors if shares do not matter"
        )
    if config.no_floors and config.floors:
        raise UsageError("--no-floors contradicts the floors given; leave one of them out")
    if config.output is None and not (kind == "annotate" and config.staging):
        raise UsageError("no output is given; name a folder with --output")
    if kind != "select" and not config.input:
        raise UsageError("no input is given; name a file, a folder or a glob with --input")
    if kind == "select" and config.staging is None:
        raise UsageError("no staging folder is given; name the one that annotate or curate left")
    places = (config.output, config.staging)
    if kind != "annotate" and all(places) and same_place(*map(str, places)):
        raise UsageError(
            f"--output and --staging are both {config.output}; give each a folder of its own"
        )


def _build(ready: Launch) -> beam.Pipeline:
    pipeline = beam.Pipeline(options=ready.options)
    staged = graph.staged if ready.kind == "select" else graph.annotate
    given = staged(pipeline, ready.job)
    if ready.kind != "annotate":
        graph.select(given, ready.job)
    return pipeline


def launch(ready: Launch, progress: Progress) -> Any:
    """Builds the graph, runs it and waits for it.

    Returns:
        Beam's result.

    Raises:
        HoldfastError: What the graph raised, with its own type.
    """
    pipeline = _build(ready)
    try:
        with progress:
            result = pipeline.run()
            result.wait_until_finish()
    except Exception as error:
        raise _understood(error, ready.job.staging) from error
    finally:
        storage.delete_tree(ready.job.place("spool"))
        storage.delete_tree(ready.job.place("progress"))
        if ready.job.run is not None:
            storage.delete_tree(storage.join(ready.job.run, graph.TEMPORARY))
        if ready.job.recorder is not None:
            storage.delete_tree(ready.job.recorder.folder)
    told = metrics.counters(result) | metrics.largest(result)
    storage.write_bytes_atomically(
        ready.job.place("metrics.json"),
        orjson.dumps(told, option=orjson.OPT_INDENT_2),
    )
    if ready.kind == "annotate" and not storage.exists(ready.job.place(ANNOTATED)):
        raise errors.InputError("the input holds no document; check --input and the field mapping")
    return result


def submit(ready: Launch) -> None:
    """Builds the graph and writes it down as a template; a service runs it later."""
    _build(ready).run()


_WHERE = re.compile(r" \[while running .*", re.DOTALL)
"""What Beam appends to the words of an exception."""
_RAISED = re.compile(r"transforms\.errors\.(\w+): (.*)")


def _understood(error: Exception, staging: str) -> Exception:
    """The error of ours behind a runner's: by type, by record, or by its words."""
    if isinstance(error, HoldfastError):
        return type(error)(_WHERE.sub("", str(error)))
    outcome = read_outcome(staging)
    if outcome is not None:
        return _with_code(outcome["exit_code"], outcome["message"])
    found = _RAISED.findall(str(error))
    if found:
        name, message = found[-1]
        kind = getattr(errors, name, HoldfastError)
        return kind(_WHERE.sub("", message.replace("\\n", " ")))
    if isinstance(error, OSError):
        return errors.StorageError(f"{error}")
    return error


def _with_code(code: int, message: str) -> HoldfastError:
    kinds = (errors.UsageError, errors.VerificationError, errors.InfeasibleError)
    for kind in (*kinds, errors.DeadLettersError, errors.StorageError):
        if kind.exit_code == code:
            return kind(message)
    return HoldfastError(message)
