"""What each command does, once its flags are parsed."""

from __future__ import annotations

import argparse
import difflib
import logging
import os
import pathlib
from collections.abc import Sequence
from typing import NoReturn

import orjson
from rich.console import Console

from pipelines import report
from pipelines.config import Config, load_config
from pipelines.options import check_beam_flags, flag_values
from transforms.errors import UsageError

__all__ = ["annotate", "curate", "inspect", "languages", "plan", "refuse_unknown"]
__all__ += ["select", "train", "verify"]

_LOG = logging.getLogger("holdfast")


def refuse_unknown(rest: Sequence[str], parser: argparse.ArgumentParser) -> NoReturn:
    """Refuses arguments of a command that hands none on, naming the nearest."""
    known = list(parser._option_string_actions)  # argparse tells no other way
    near = difflib.get_close_matches(rest[0].partition("=")[0], known, n=1, cutoff=0)
    raise UsageError(f"unknown argument {rest[0]!r}; did you mean {near[0]}?")


def _config(given: argparse.Namespace) -> Config:
    path = getattr(given, "config_flag", None) or given.config
    return load_config(path, flag_values(given))


def _launch(
    kind: str, given: argparse.Namespace, rest: Sequence[str], parser: argparse.ArgumentParser
) -> Config:
    """Runs a job to its end; its configuration."""
    from pipelines.progress import Progress
    from pipelines.run import launch, prepare

    options = check_beam_flags(parser, rest)
    config = _config(given)
    ready = prepare(kind, config, options)  # type: ignore[arg-type]
    if ready.done:
        Console().print(f"run {ready.job.name} is published already; nothing to do")
        return config
    folder = ready.job.place("progress") if ready.job.carrier == "files" else None
    launch(ready, Progress(folder, ready.text_bytes))
    return config


def _summarise(config: Config) -> int:
    from transforms.shards.verify import require

    report.print_summary(require(str(config.output)), str(config.output), Console())
    return 0


def curate(given: argparse.Namespace, rest: Sequence[str], parser: argparse.ArgumentParser) -> int:
    """Files to published shards."""
    return _summarise(_launch("curate", given, rest, parser))


def select(given: argparse.Namespace, rest: Sequence[str], parser: argparse.ArgumentParser) -> int:
    """Staging to published shards."""
    return _summarise(_launch("select", given, rest, parser))


def annotate(
    given: argparse.Namespace, rest: Sequence[str], parser: argparse.ArgumentParser
) -> int:
    """Files to staging."""
    from transforms.staging.record import ANNOTATED, read_record

    if given.output and not given.staging:
        given.staging = given.output
    config = _launch("annotate", given, rest, parser)
    record = read_record(str(config.staging), ANNOTATED)
    documents = sum(part["rows"] for part in record["parts"])
    Console().print(f"{documents:,} documents annotated in {config.staging}", soft_wrap=True)
    return 0


def plan(given: argparse.Namespace, rest: Sequence[str], parser: argparse.ArgumentParser) -> int:
    """What is feasible from a staging folder, without touching text."""
    from pipelines.feasible import plan_staging

    del rest, parser
    made = plan_staging(_config(given))
    report.print_plan(orjson.loads(made.to_json()), Console())
    return 0


def verify(given: argparse.Namespace, rest: Sequence[str], parser: argparse.ArgumentParser) -> int:
    """Recomputes every promise of a run."""
    from pipelines.bridges import assess_for
    from transforms.shards.verify import verify_run

    del rest, parser
    verdict = verify_run(given.run_dir, assess_for, os.cpu_count() or 1)
    console = Console()
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


def inspect(given: argparse.Namespace, rest: Sequence[str], parser: argparse.ArgumentParser) -> int:
    """Prints a manifest as tables."""
    from transforms.shards.verify import require

    del rest, parser
    report.print_run(require(given.run_dir), given.run_dir, Console())
    return 0


def languages(
    given: argparse.Namespace, rest: Sequence[str], parser: argparse.ArgumentParser
) -> int:
    """Prints the language registry, or some of it."""
    from transforms.langid.labels import canonical
    from transforms.langid.registry import load_registry

    del rest, parser
    registry = load_registry()
    codes = [canonical(code).partition("_")[0] for code in given.codes]
    found = [registry.get(code) for code in codes] if codes else list(registry)
    rows = [(language, registry.is_tail(language.code)) for language in found if language]
    report.print_languages(rows, Console())
    return 0


def train(given: argparse.Namespace, rest: Sequence[str], parser: argparse.ArgumentParser) -> int:
    """Trains a model."""
    from transforms.langid.train import train as train_langid

    del rest, parser
    train_langid([pathlib.Path(path) for path in given.data], pathlib.Path(given.out))
    return 0
