"""Manifests as tables for people."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from transforms.records import REASONS
from transforms.synthetic.evaluate import Slice

__all__ = ["console", "print_languages", "print_plan", "print_reference", "print_run"]
__all__ += ["print_slices", "print_summary"]

_MOST = 40
_FIGURES = ("human", "machine", "auroc", "tpr", "abstains", "fpr", "found", "error")
_PIPE_WIDTH = 160


def console() -> Console:
    """Standard output; wide enough for paths where it is no terminal."""
    return Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    return table


def _shares(manifest: Mapping[str, Any]) -> Table:
    table = _table(f"shares by {manifest['size_unit']}", "share", "promised", "worst shard", "all")
    total = sum(shard["size"] for shard in manifest["shards"]) or 1
    for kind, sign, pick in (("floors", ">=", min), ("caps", "<=", max)):
        for name, share in manifest[kind].items():
            worst = pick(shard["shares"][name] for shard in manifest["shards"])
            every = sum(shard["members"][name] for shard in manifest["shards"]) / total
            table.add_row(name, f"{sign} {share:.4g}", f"{worst:.4f}", f"{every:.4f}")
    return table


def _ledger(manifest: Mapping[str, Any]) -> Table:
    ledger = manifest["ledger"]
    table = _table("ledger", "documents", "count")
    table.add_row("read", f"{ledger['read']:,}")
    table.add_row("kept", f"{ledger['kept']:,}")
    for reason in REASONS:
        if ledger["dropped"].get(reason):
            table.add_row(f"dropped: {reason}", f"{ledger['dropped'][reason]:,}")
    table.add_row("dead letters", f"{ledger['dead_letters']:,}")
    return table


def print_summary(manifest: Mapping[str, Any], where: str, console: Console) -> None:
    """The end of a run: what was read, kept and dropped, the shares, and where it is."""
    console.print(_ledger(manifest))
    if manifest["floors"] or manifest["caps"]:
        console.print(_shares(manifest))
    size = sum(shard["size"] for shard in manifest["shards"])
    console.print(
        f"{len(manifest['shards'])} shards, {size:,} {manifest['size_unit']} in {where}",
        soft_wrap=True,
    )


def print_run(manifest: Mapping[str, Any], where: str, console: Console) -> None:
    """A whole manifest."""
    console.print(f"run {manifest['run']}, holdfast {manifest['versions']['holdfast']}")
    print_summary(manifest, where, console)
    shards = _table("shards", "path", "documents", "size", *manifest["floors"], *manifest["caps"])
    for shard in manifest["shards"][:_MOST]:
        names = (*manifest["floors"], *manifest["caps"])
        shares = [f"{shard['shares'][name]:.4f}" for name in names]
        shards.add_row(shard["path"], f"{shard['documents']:,}", f"{shard['size']:,}", *shares)
    console.print(shards)
    languages = _table("languages", "language", "tail", "documents", "size")
    ranked = sorted(manifest["languages"].items(), key=lambda item: (-item[1]["size"], item[0]))
    for lang, facts in ranked[:_MOST]:
        tail = "yes" if lang in manifest["tail"] else ""
        languages.add_row(lang, tail, f"{facts['documents']:,}", f"{facts['size']:,}")
    console.print(languages)
    print_synthetic(manifest, console)
    for name, rows in (("shards", manifest["shards"]), ("languages", ranked)):
        if len(rows) > _MOST:
            console.print(f"{len(rows) - _MOST} more {name} in manifest.json")


def _percent(low: int | None, share: int | None, high: int | None) -> str:
    if share is None or low is None or high is None:
        return ""
    return f"{share / 100:.1f} ({low / 100:.1f} to {high / 100:.1f})"


def print_synthetic(manifest: Mapping[str, Any], console: Console) -> None:
    """What was decided about machine-made text: calibration, shares, warnings."""
    decisions = manifest["decisions"]
    cells = _table("calibration", "language", "length", "controls", "threshold", "speaks for")
    for cell in decisions.get("synthetic_calibration", [])[:_MOST]:
        texts = sum(given["texts"] for given in cell["controls"])
        covers = "all sources" if cell["covers"] is None else ", ".join(cell["covers"])
        at = "" if cell["threshold"] is None else f"{cell['threshold'] / 1000:.3f}"
        said = covers if at else "nobody"
        cells.add_row(cell["lang"], str(cell["bucket"]), f"{texts:,}", at, said or "nobody")
    console.print(cells)
    shares = _table(
        "machine-made text, %", "language", "source", "month", "documents", "classifier", "words"
    )
    for row in decisions.get("synthetic_shares", [])[:_MOST]:
        told = [
            _percent(*(row[f"{name}_{part}"] for part in ("low", "share", "high")))
            for name in ("classifier", "words")
        ]
        when = "all" if row["month"] is None else row["month"] or "undated"
        shares.add_row(row["lang"], row["source"], when, f"{row['documents']:,}", *told)
        if row["warning"]:
            console.print(f"{row['lang']}, {row['source'] or 'no source'}, {when}: ", end="")
            console.print(row["warning"], soft_wrap=True)
    console.print(shares)


def print_reference(rows: Any, console: Console) -> None:
    """How many texts a table of reference scores has, by language, length and origin."""
    table = _table("reference scores", "language", "length", "origin", "texts")
    counted = rows.group_by(["lang", "bucket", "machine"]).aggregate([([], "count_all")])
    order = [(name, "ascending") for name in ("lang", "bucket", "machine")]
    for row in counted.sort_by(order).to_pylist():
        origin = "machine" if row["machine"] else "human"
        table.add_row(row["lang"], str(row["bucket"]), origin, f"{row['count_all']:,}")
    console.print(table)


def print_plan(plan: Mapping[str, Any], console: Console) -> None:
    """What a plan takes of each cell, and what binds it."""
    table = _table("plan", "cell", "documents", "unique", "taken", "appearances")
    for cell in plan["cells"]:
        figures = (cell["documents"], cell["unique"], cell["quota"], cell["appearances"])
        table.add_row(cell["name"], *(f"{figure:,}" for figure in figures))
    console.print(table)
    unit = plan["config"]["unit"]
    console.print(f"{plan['total']:,} {unit} in {plan['shards']} shards; {plan['unique']:,} unique")
    console.print(f"largest feasible: {plan['feasible']:,} {unit}", soft_wrap=True)
    console.print(f"binding: {'; '.join(plan['binding'])}", soft_wrap=True)
    for note in plan["notes"]:
        console.print(note, soft_wrap=True)


def print_languages(languages: list[Any], console: Console) -> None:
    """Rows of the language registry, a line each."""
    line = "{:6}{:36}{:24}{:>6}  {:6}{:>14}"
    rows = [line.format("code", "name", "scripts", "class", "tail", "speakers")]
    for language, tail in languages:
        speakers = "" if language.speakers is None else f"{language.speakers:,}"
        scripts, name = " ".join(language.scripts)[:22], language.name[:34]
        marks = (str(language.joshi), "yes" if tail else "", speakers)
        rows.append(line.format(language.code, name, scripts, *marks))
    console.file.write("\n".join(row.rstrip() for row in rows) + "\n")


def print_slices(slices: Sequence[Slice], given: int, console: Console) -> None:
    """Figures of a classifier, a line each.

    Args:
        slices: What `transforms.synthetic.evaluate` found.
        given: Examples that were read, those too short for a score included.
        console: Where to.
    """
    line = "{:17}{:40}{:>7}{:>8}{:>7}{:>7}{:>10}{:>7}{:>7}{:>7}"
    rows = [line.format("", "", *_FIGURES)]
    for one in slices:
        figures = (one.auroc, one.tpr, one.abstains, one.fpr, one.found, one.error)
        told = ("" if math.isnan(figure) else f"{figure:.3f}" for figure in figures)
        rows.append(line.format(one.kind, one.name[:39], one.human, one.machine, *told))
    console.file.write("\n".join(row.rstrip() for row in rows) + "\n")
    scored = next((one.human + one.machine for one in slices if one.kind == "all"), 0)
    console.file.write(
        f"{given:,} examples; {scored:,} human or machine texts are long enough. tpr: found at 1 % "
        f"false positives\nwithin the line; fpr, found: above the operating point that the other "
        f"files give\n"
    )
