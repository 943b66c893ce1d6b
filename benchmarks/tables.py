"""Figures as aligned text."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["Line", "print_lines", "print_table", "share"]

Line = tuple[str, str, str]
"""What was measured, the figure, and the target that it is held against."""


def share(part: int, whole: int) -> str:
    """`part` of `whole` in words that keep both numbers."""
    return f"{part / whole:.5f} ({part:,} of {whole:,})" if whole else "none to judge"


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table: the first column to the left, the others to the right."""
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    print(f"\n{title}")
    for row in (header, ["-" * width for width in widths], *rows):
        cells = [
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())


def print_lines(title: str, lines: Sequence[Line]) -> None:
    """Prints one figure a line, with its target."""
    print_table(title, ("what", "measured", "target"), lines)
