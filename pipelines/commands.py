"""What each command does, once its flags are parsed."""

from __future__ import annotations

import argparse
import logging
import os
import pathlib
import time
from collections.abc import Sequence

import orjson

from pipelines import logs, report, tagging
from pipelines.config import Config, load_config
from pipelines.options import flag_values, once
from transforms.errors import UsageError

__all__ = ["annotate", "calibrate", "curate", "doctor", "evaluate", "index", "inspect", "languages"]
__all__ += ["plan", "select", "train", "verify"]

_LOG = logging.getLogger("holdfast")
_KEEP_HOURS = 72.0
"""For which files of an index that were replaced are kept: runs may still read them."""


def _config(given: argparse.Namespace) -> Config:
    path = getattr(given, "config_flag", None) or given.config
    return load_config(path, flag_values(given))


def _launch(kind: str, given: argparse.Namespace, beam: Sequence[str]) -> Config | None:
    """Runs a job to its end; its configuration, or None where a service will run it."""
    from apache_beam.options.pipeline_options import PipelineOptions

    from pipelines.progress import Progress
    from pipelines.run import launch, prepare

    config = _config(given)
    options = PipelineOptions(list(beam), save_main_session=False)
    chosen = any(flag.partition("=")[0] == "--direct_num_workers" for flag in beam)
    resume = bool(getattr(given, "resume", False))
    ready = prepare(kind, config, options, workers_chosen=chosen, resume=resume)  # type: ignore[arg-type]
    folder = ready.job.place("progress") if ready.job.carrier == "files" else None
    logs.tell_of(run=ready.job.name)
    if not launch(ready, Progress(folder, ready.text_bytes)):
        report.console().print(f"run {ready.job.name} is published already; nothing to do")
        logs.event("nothing_to_do", "the run is published already", people=False)
    elif ready.as_template:
        report.console().print(f"run {ready.job.name} is handed over as a template")
        return None
    return config


def _summarise(config: Config | None) -> int:
    from transforms.shards.verify import require

    if config is None:
        return 0
    manifest = require(str(config.output))
    ledger = {n: manifest["ledger"][n] for n in ("read", "kept", "dropped", "dead_letters")}
    place = str(config.output)
    logs.event("published", f"in {place}", people=False, output=place, counts=ledger)
    report.print_summary(manifest, str(config.output), report.console())
    return 0


def curate(given: argparse.Namespace, beam: Sequence[str]) -> int:
    """Files to published shards."""
    return _summarise(_launch("curate", given, beam))


def select(given: argparse.Namespace, beam: Sequence[str]) -> int:
    """Staging to published shards."""
    return _summarise(_launch("select", given, beam))


def annotate(given: argparse.Namespace, beam: Sequence[str]) -> int:
    """Files to staging."""
    from transforms.staging.record import ANNOTATED, read_record

    if given.output and not given.staging:
        given.staging = given.output
    config = _launch("annotate", given, beam)
    if config is None:
        return 0
    record = read_record(str(config.staging), ANNOTATED)
    documents = sum(part["rows"] for part in record["parts"])
    report.console().print(f"{documents:,} documents annotated in {config.staging}", soft_wrap=True)
    return 0


def plan(given: argparse.Namespace, beam: Sequence[str]) -> int:
    """What is feasible from a staging folder, without touching text."""
    from pipelines.feasible import plan_staging

    del beam
    made = plan_staging(_config(given))
    report.print_plan(orjson.loads(made.to_json()), report.console())
    return 0


def verify(given: argparse.Namespace, beam: Sequence[str]) -> int:
    """Recomputes every promise of a run, and says how it differs from another one."""
    from pipelines import drifting

    del beam
    bounds = once("max-drift", given.max_drift)
    asked = drifting.Asked(given.run_dir, given.against, bounds, given.json, given.tokenizer)
    return drifting.verify(asked, report.console())


def doctor(given: argparse.Namespace, beam: Sequence[str]) -> int:
    """Checks what a run needs, before it needs it."""
    from pipelines.doctor import examine

    del beam
    found = examine(given.places, given.input, given.langid_model, given.synthetic_model)
    report.print_checks([(check.what, check.good, check.told) for check in found], report.console())
    return 0 if all(check.good for check in found) else 1


def index(given: argparse.Namespace, beam: Sequence[str]) -> int:
    """Shows, verifies or compacts an index."""
    del beam
    if given.what != "compact" and (given.remove_unfinished or given.older_than is not None):
        raise UsageError("--remove-unfinished and --older-than are for `holdfast index compact`")
    return {"show": _show, "verify": _verify, "compact": _compact}[given.what](given)


def _show(given: argparse.Namespace) -> int:
    from pipelines.indexing import published_run
    from transforms.dedup.index.layout import read_format
    from transforms.dedup.index.show import describe

    shown, compacted = describe(given.path, published_run)
    made = read_format(given.path)
    report.print_index(made, shown, compacted, given.path, report.console())
    return 0


def _verify(given: argparse.Namespace) -> int:
    from pipelines.bridges import days
    from pipelines.indexing import published_run
    from transforms.dedup.index.check import check_index

    verdict = check_index(given.path, published_run, days, os.cpu_count() or 1)
    good = f"{given.path} holds what its runs published"
    report.print_verdict(verdict.checked, verdict.findings, good, report.console())
    return 1 if verdict.findings else 0


def _compact(given: argparse.Namespace) -> int:
    from pipelines.indexing import published_run
    from transforms.dedup.index.compact import compact

    hours = _KEEP_HOURS if given.older_than is None else given.older_than
    if hours < 0:
        raise UsageError(f"--older-than {hours:g} is no number of hours; give 0 or more")
    done = compact(
        given.path,
        published_run,
        now=time.time(),
        older_than=3600 * hours,
        remove_unfinished=given.remove_unfinished,
    )
    console = report.console()
    console.print(f"{done.merged} files merged into {done.written}; {done.removed} files removed")
    for run in done.unfinished:
        console.print(f"removed what run {run} left without being published", soft_wrap=True)
    return 0


def inspect(given: argparse.Namespace, beam: Sequence[str]) -> int:
    """Prints a manifest as tables."""
    from transforms.shards.verify import require

    del beam
    manifest = require(given.run_dir)
    report.print_run(manifest, given.run_dir, report.console())
    tagging.print_synthetic(manifest, report.console())
    return 0


def languages(given: argparse.Namespace, beam: Sequence[str]) -> int:
    """Prints the language registry, or some of it."""
    from transforms.langid.labels import canonical
    from transforms.langid.registry import load_registry

    del beam
    registry = load_registry()
    codes = [canonical(code).partition("_")[0] for code in given.codes]
    found = [registry.get(code) for code in codes] if codes else list(registry)
    rows = [(language, registry.is_tail(language.code)) for language in found if language]
    report.print_languages(rows, report.console())
    return 0


def train(given: argparse.Namespace, beam: Sequence[str]) -> int:
    """Trains a model."""
    del beam
    data = _data_files(given.data)
    if given.what == "langid":
        from transforms.langid.train import train as train_langid

        leave_out = [_label_and_source(pair) for pair in given.leave_out]
        train_langid(data, pathlib.Path(given.out), leave_out=leave_out)
    elif given.what == "words":
        from transforms.synthetic.labelled import read_labelled
        from transforms.synthetic.words_train import train_words

        train_words(read_labelled(data), pathlib.Path(given.out))
    else:
        from transforms.synthetic.train import train as train_synthetic

        train_synthetic(data, pathlib.Path(given.out))
    return 0


def calibrate(given: argparse.Namespace, beam: Sequence[str]) -> int:
    """Makes a table of reference scores."""
    from transforms.synthetic.reference import make_reference
    from transforms.synthetic.score import load_scorer

    del beam
    if not given.controls:
        raise UsageError("no controls are given; name files of human text with --controls")
    rows = make_reference(
        _data_files(given.controls, "--controls"),
        _data_files(given.machine, "--machine"),
        load_scorer(given.synthetic_model),
        given.out,
    )
    tagging.print_reference(rows, report.console())
    return 0


def evaluate(given: argparse.Namespace, beam: Sequence[str]) -> int:
    """Measures a model on texts of known language or origin."""
    from pipelines import detection, evaluation

    del beam
    data = _data_files(given.data)
    foreign = {"langid": ("attacks", "json", "synthetic_reference"), "synthetic": ("against",)}
    for name in foreign[given.what]:
        if getattr(given, name):
            told = name.replace("_", "-")
            raise UsageError(f"--{told} does not go with evaluate {given.what}; leave it out")
    if given.what == "langid":
        models = {given.model or "default": given.model}
        if given.against is not None:
            models[given.against] = given.against
        evaluation.evaluate_langid(data, models, report.console())
    else:
        from transforms.synthetic.config import SyntheticConfig

        config = SyntheticConfig(model=given.model, reference=given.synthetic_reference)
        detection.evaluate_synthetic(
            data, config, report.console(), attacks=given.attacks, as_json=given.json
        )
    return 0


def _data_files(paths: Sequence[str], flag: str = "--data") -> list[pathlib.Path]:
    for path in paths:
        if not pathlib.Path(path).is_file():
            raise UsageError(f"{flag} {path} does not exist, or is no file")
    return [pathlib.Path(path) for path in paths]


def _label_and_source(pair: str) -> tuple[str, str]:
    from transforms.langid.labels import canonical

    label, separator, source = pair.partition("=")
    if not (separator and source):
        raise UsageError(f"--leave-out {pair!r} is not LABEL=SOURCE, such as zsm_Latn=web")
    return canonical(label), source
