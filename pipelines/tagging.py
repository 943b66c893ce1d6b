"""What a run says of machine-made text, as tables for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
from rich.console import Console

from pipelines.report import columns
from transforms.synthetic.cells import named_bucket

__all__ = ["print_reference", "print_synthetic"]

_MOST = 40


def _rows(decision: Mapping[str, list[Any]] | None) -> list[dict[str, Any]]:
    """The first rows of a decision, which a manifest holds by column."""
    return pa.table(dict(decision)).slice(0, _MOST).to_pylist() if decision else []


def _percent(low: int | None, share: int | None, high: int | None) -> str:
    if share is None or low is None or high is None:
        return ""
    return f"{share / 100:.1f} ({low / 100:.1f} to {high / 100:.1f})"


def print_synthetic(manifest: Mapping[str, Any], console: Console) -> None:
    """What was decided about machine-made text: calibration, shares, warnings."""
    decisions = manifest["decisions"]
    cells = columns("calibration", "language", "length", "controls", "threshold", "speaks for")
    for cell in _rows(decisions.get("synthetic_calibration")):
        texts = sum(given["texts"] for given in cell["controls"])
        length, register = named_bucket(cell["bucket"])
        everyone = f"all sources, {register} writing" if register else "all sources"
        covers = everyone if cell["covers"] is None else ", ".join(cell["covers"])
        at = "" if cell["threshold"] is None else f"{cell['threshold'] / 1000:.3f}"
        said = covers if at else "nobody"
        cells.add_row(cell["lang"], str(length), f"{texts:,}", at, said or "nobody")
    console.print(cells)
    shares = columns(
        "machine-made text, %", "language", "source", "month", "documents", "classifier", "words"
    )
    for row in _rows(decisions.get("synthetic_shares")):
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
    table = columns("reference scores", "language", "length", "origin", "texts")
    counted = rows.group_by(["lang", "bucket", "machine"]).aggregate([([], "count_all")])
    order = [(name, "ascending") for name in ("lang", "bucket", "machine")]
    for row in counted.sort_by(order).to_pylist():
        origin = "machine" if row["machine"] else "human"
        table.add_row(row["lang"], str(row["bucket"]), origin, f"{row['count_all']:,}")
    console.print(table)
