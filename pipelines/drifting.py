"""`holdfast verify --against`: what changed since another run, as a table or as JSON."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

import orjson
from rich.console import Console

from pipelines import report
from pipelines.bridges import assess_for
from pipelines.policies import judge_for
from transforms.errors import UsageError
from transforms.shards.drift import Drift, Figure, check_bounds, compare_runs, exceeded
from transforms.shards.sketch import STANDARD_ERROR
from transforms.shards.verify import require, verify_run
from transforms.tokens.tokenizer import load_tokenizer
from transforms.verdict import Verdict

__all__ = ["Asked", "print_drift", "verify"]

_MOST = 40


@dataclasses.dataclass(frozen=True)
class Asked:
    """What a call of `holdfast verify` asks for.

    Attributes:
        run: Folder of the run.
        against: Folder of an earlier run; None for none.
        bounds: Most that figures may have changed since then.
        as_json: Whether programs read the answer.
        tokenizer: File of the tokenizer that the run was made with; None recounts nothing.
    """

    run: str
    against: str | None = None
    bounds: Mapping[str, float] = dataclasses.field(default_factory=dict)
    as_json: bool = False
    tokenizer: str | None = None


def verify(asked: Asked, console: Console) -> int:
    """Verifies a run, says how it differs from another one, and gives the exit code.

    A run that does not verify is not compared.

    Raises:
        UsageError, InputError: What is asked for cannot be.
    """
    if asked.bounds and asked.against is None:
        raise UsageError("--max-drift needs another run to compare with: --against RUN")
    before = require(asked.against) if asked.against else None
    workers = os.cpu_count() or 1
    tokenizer = load_tokenizer(asked.tokenizer) if asked.tokenizer else None
    verdict = verify_run(asked.run, assess_for, workers, judge_for, tokenizer)
    drift: Drift | None = None
    beyond: tuple[str, ...] = ()
    if before is not None and not verdict.findings:
        after = require(asked.run)
        drift = compare_runs(asked.run, after, str(asked.against), before, workers)
        check_bounds(drift, asked.bounds)
        beyond = tuple(exceeded(drift, asked.bounds))
    if asked.as_json:
        told = _told(verdict, drift, beyond)
        console.file.write(orjson.dumps(told, option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        good = f"{asked.run} keeps every promise"
        report.print_verdict(verdict.checked, verdict.findings, good, console, verdict.unchecked)
        if drift is not None:
            print_drift(drift, console)
        report.print_failures(beyond, console)
    return 1 if verdict.findings or beyond else 0


def _told(verdict: Verdict, drift: Drift | None, beyond: tuple[str, ...]) -> dict[str, Any]:
    told: dict[str, Any] = {"checked": verdict.checked, "unchecked": verdict.unchecked}
    told["findings"] = verdict.findings
    if drift is not None:
        told |= {"drift": drift.record(), "exceeded": beyond}
    return told


def _cell(figure: Figure, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if figure.kind == "share" else f"{value:,.0f}"


def _change(figure: Figure) -> str:
    change = figure.change
    if change is None:
        return "new" if figure.before == 0 else ""
    if figure.kind == "size":
        return f"{100 * change:+.2f} %"
    return f"{change:+.4f}" if figure.kind == "share" else f"{change:+,.0f}"


def print_drift(drift: Drift, console: Console) -> None:
    """What changed, figure by figure; the languages that changed most."""
    table = report.columns(f"since run {drift.before}", "figure", "before", "now", "change")
    # First what is new, then by how much of it came or went.
    languages = sorted(
        (f for f in drift.figures if f.language and f.before != f.after),
        key=lambda f: (-abs(float("inf") if f.change is None else f.change), f.name),
    )
    for figure in [f for f in drift.figures if not f.language] + languages[:_MOST]:
        cells = (_cell(figure, figure.before), _cell(figure, figure.after), _change(figure))
        table.add_row(figure.name, *cells)
    console.print(table)
    if len(languages) > _MOST:
        console.print(f"{len(languages) - _MOST} more languages changed; --json has all of them")
    for name, labels in drift.lists.items():
        if labels:
            told = f"{name.replace('_', ' ')}: {', '.join(labels)}"
            console.print(told, soft_wrap=True, highlight=False)
    console.print(
        f"sizes in {drift.unit}; n-grams: different runs of five tokens, estimated with a "
        f"standard error of {100 * STANDARD_ERROR:.1f} %",
        soft_wrap=True,
    )
