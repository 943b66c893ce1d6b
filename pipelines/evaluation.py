"""Measures language identifiers and prints what came out, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from transforms.errors import InputError
from transforms.langid.config import LangidConfig
from transforms.langid.evaluate import LENGTHS, Identifier, Report, evaluate, identifier
from transforms.langid.labelled import read_labelled
from transforms.langid.model import load_model
from transforms.langid.registry import load_registry

__all__ = ["evaluate_langid", "print_reports"]

Reports = Mapping[str, Sequence[Report]]
"""Reports by model, one for every length."""


def evaluate_langid(
    data: Sequence[Path], models: Mapping[str, str | None], console: Console
) -> None:
    """Judges models on labelled texts, whole and in excerpts, and prints the tables.

    Args:
        data: Files that `read_labelled` understands.
        models: Paths by the names to print; None for the package's model.
        console: Where the tables go.

    Raises:
        InputError: There are no texts, or they cannot be read.
    """
    rows = list(read_labelled(data))
    if not rows:
        raise InputError(f"{', '.join(map(str, data))}: no texts; name a file with some")
    texts, labels = [row.text for row in rows], [row.label for row in rows]
    reports: dict[str, list[Report]] = {}
    for name, path in models.items():
        said = _identifier(path)
        reports[name] = [evaluate(texts, labels, said, length) for length in LENGTHS]
    print_reports(reports, console)


def _identifier(path: str | None) -> Identifier:
    return identifier(load_model(path), load_registry(), LangidConfig(model=path))


def print_reports(reports: Reports, console: Console) -> None:
    """Prints a summary, languages, reliability and confusions of every model."""
    console.print(_summary(reports))
    for number, name in enumerate(reports, start=1):
        console.print(f"model {number}: {name}", markup=False, highlight=False, soft_wrap=True)
    console.print(_languages(reports))
    for number, found in enumerate(reports.values(), start=1):
        console.print(_reliability(number, found))
        console.print(_confusions(number, found))


def _length(report: Report) -> str:
    return "whole" if report.length is None else str(report.length)


def _summary(reports: Reports) -> Table:
    told = ("characters", "texts", "macro-F1", "precision", "coverage", "abstained", "calib. error")
    table = _table("summary", "model", *told)
    for number, found in enumerate(reports.values(), start=1):
        for report in found:
            table.add_row(
                str(number),
                _length(report),
                f"{report.texts:,}",
                *(f"{value:.4f}" for value in (report.macro_f1, report.precision, report.coverage)),
                f"{report.abstained:,}",
                f"{report.calibration_error:.4f}",
            )
    return table


def _languages(reports: Reports) -> Table:
    numbers = range(1, len(reports) + 1)
    kinds = ("precision", "recall", "F1", "false pos.")
    table = _table(
        "languages, whole texts", "language", "texts", *(f"{k} {n}" for n in numbers for k in kinds)
    )
    for rows in zip(*(found[0].rows for found in reports.values()), strict=True):
        figures = [
            figure
            for row in rows
            for figure in (
                f"{row.precision:.3f}",
                f"{row.recall:.3f}",
                f"{row.f1:.3f}",
                f"{row.false_positive_rate:.5f}",
            )
        ]
        table.add_row(rows[0].label, f"{rows[0].texts:,}", *figures)
    return table


def _reliability(number: int, found: Sequence[Report]) -> Table:
    heads = (f"{_length(report)}: texts, mean score, right" for report in found)
    table = _table(f"reliability of scores, model {number}", "score", *heads)
    for parts in zip(*(report.bins for report in found), strict=True):
        cells = [
            f"{part.texts:,}  {part.mean_score:.3f}  {part.right / part.texts:.3f}"
            if part.texts
            else "0"
            for part in parts
        ]
        table.add_row(f"{parts[0].low:.1f} to {parts[0].high:.1f}", *cells)
    return table


def _confusions(number: int, found: Sequence[Report]) -> Table:
    table = _table(f"confusions, model {number}", "characters", "language", "labelled", "texts")
    for report in found:
        for true, label, count in report.confused:
            table.add_row(_length(report), true, label, f"{count:,}")
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    return table
