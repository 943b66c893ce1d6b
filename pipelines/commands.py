"""What each command does, once its flags are parsed."""

from __future__ import annotations

import argparse
import logging
import os
import pathlib
from collections.abc import Sequence

import orjson

from pipelines import report
from pipelines.config import Config, load_config
from pipelines.options import flag_values
from transforms.errors import UsageError

__all__ = ["annotate", "curate", "evaluate", "inspect", "languages", "plan"]
__all__ += ["select", "train", "verify"]

_LOG = logging.getLogger("holdfast")


def _config(given: argparse.Namespace) -> Config:
    path = getattr(given, "config_flag", None) or given.config
    return load_config(path, flag_values(given))


def _launch(kind: str, given: argparse.Namespace, beam: Sequence[str]) -> Config:
    """Runs a job to its end; its configuration."""
    from apache_beam.options.pipeline_options import PipelineOptions

    from pipelines.progress import Progress
    from pipelines.run import launch, prepare

    config = _config(given)
    options = PipelineOptions(list(beam), save_main_session=False)
    chosen = any(flag.partition("=")[0] == "--direct_num_workers" for flag in beam)
    ready = prepare(kind, config, options, workers_chosen=chosen)  # type: ignore[arg-type]
    if ready.done:
        report.console().print(f"run {ready.job.name} is published already; nothing to do")
        return config
    folder = ready.job.place("progress") if ready.job.carrier == "files" else None
    launch(ready, Progress(folder, ready.text_bytes))
    return config


def _summarise(config: Config) -> int:
    from transforms.shards.verify import require

    report.print_summary(require(str(config.output)), str(config.output), report.console())
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
    """Recomputes every promise of a run."""
    from pipelines.bridges import assess_for
    from transforms.shards.verify import verify_run

    del beam
    verdict = verify_run(given.run_dir, assess_for, os.cpu_count() or 1)
    console = report.console()
    for line in verdict.checked:
        console.print(f"checked: {line}", markup=False, highlight=False, soft_wrap=True)
    for finding in verdict.findings[:20]:
        console.print(
            f"FAILED: {finding}", style="red", markup=False, highlight=False, soft_wrap=True
        )
    if len(verdict.findings) > 20:
        console.print(f"and {len(verdict.findings) - 20} more")
    if not verdict.findings:
        console.print(f"{given.run_dir} keeps every promise", soft_wrap=True)
    return 1 if verdict.findings else 0


def inspect(given: argparse.Namespace, beam: Sequence[str]) -> int:
    """Prints a manifest as tables."""
    from transforms.shards.verify import require

    del beam
    report.print_run(require(given.run_dir), given.run_dir, report.console())
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
    from transforms.langid.train import train as train_langid

    del beam
    data = _data_files(given.data)
    leave_out = [_label_and_source(pair) for pair in given.leave_out]
    train_langid(data, pathlib.Path(given.out), leave_out=leave_out)
    return 0


def evaluate(given: argparse.Namespace, beam: Sequence[str]) -> int:
    """Measures a model, or two."""
    from pipelines.evaluation import evaluate_langid

    del beam
    models = {"default" if given.langid_model is None else given.langid_model: given.langid_model}
    if given.against is not None:
        models[given.against] = given.against
    evaluate_langid(_data_files(given.data), models, report.console())
    return 0


def _data_files(paths: Sequence[str]) -> list[pathlib.Path]:
    for path in paths:
        if not pathlib.Path(path).is_file():
            raise UsageError(f"--data {path} does not exist, or is no file")
    return [pathlib.Path(path) for path in paths]


def _label_and_source(pair: str) -> tuple[str, str]:
    from transforms.langid.labels import canonical

    label, separator, source = pair.partition("=")
    if not (separator and source):
        raise UsageError(f"--leave-out {pair!r} is not LABEL=SOURCE, such as zsm_Latn=web")
    return canonical(label), source
