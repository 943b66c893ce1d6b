"""Texts of known origin, and the environments they come from.

An environment is what a text has in common with others apart from its origin:
the collection (file) it is in and its language; among machine texts also the
generator. A classifier that learns to tell environments apart scores .98 on
them and .7 on the next, so every example keeps its own.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.errors import InputError
from transforms.jsonlines import read_rows

__all__ = ["HUMAN", "MACHINE", "MIXED", "Examples", "Names", "is_untuned", "read_examples"]

HUMAN, MACHINE, MIXED = "human", "machine", "mixed"
"""Labels: written by people, by a generator, by people and reworked by a generator."""

_FORM: Final = (
    "an example is a JSON object with the "
    f"strings text, label ({HUMAN}, {MACHINE} or {MIXED}), generator, domain, lang"
)

Names = npt.NDArray[np.str_]

_UNTUNED: Final = re.compile(
    r"(?i)gpt-?2|gpt-?neo|gpt-?j|\bopt\b|opt-\d|^llama-\d+b$|^davinci$|pythia|bloom(?!z)"
)


def is_untuned(generator: str) -> bool:
    """Whether a generator is a model never tuned to follow instructions.

    Such models continue a text in its own manner. Nobody fills the web with their
    continuations, and what they have in common with each other they hardly share
    with chat systems.
    """
    return _UNTUNED.search(generator) is not None


@dataclasses.dataclass(frozen=True, slots=True)
class Examples:
    """Texts with what is known of them, column by column.

    Attributes:
        text: As they were read.
        label: `human`, `machine` or `mixed`.
        generator: The model, or `human`.
        domain: What kind of text.
        lang: Such as `eng_Latn`.
        source: The collection: the file's name up to the first dot.
    """

    text: pa.StringArray
    label: Names
    generator: Names
    domain: Names
    lang: Names
    source: Names

    def __len__(self) -> int:
        return len(self.label)

    def take(self, rows: npt.NDArray[Any]) -> Examples:
        """Some of the examples: row numbers, or a mask."""
        numbers = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        columns = (getattr(self, field.name) for field in dataclasses.fields(self)[1:])
        return Examples(self.text.take(pa.array(numbers)), *(c[numbers] for c in columns))

    @property
    def chars(self) -> npt.NDArray[np.int32]:
        """Code points of each text."""
        lengths: npt.NDArray[np.int32] = pc.utf8_length(self.text).to_numpy()
        return lengths

    @property
    def places(self) -> Names:
        """Collection and language of each text."""
        return np.char.add(np.char.add(self.source, "|"), self.lang)


def read_examples(paths: Sequence[Path]) -> Examples:
    """Reads JSON Lines (gzip or plain): text, label, generator, domain, lang.

    Args:
        paths: Files; the result does not depend on their order.

    Raises:
        InputError: A line lacks a field or has an unknown label.
    """
    files = sorted(paths, key=_source)
    rows = [(*row, _source(path)) for path in files for row in read_rows(path, _row, _FORM)]
    if not rows:
        raise InputError("the data has no examples; give JSON Lines with text and label")
    text, *others = zip(*rows, strict=True)
    return Examples(pa.array(text, pa.string()), *(np.array(column) for column in others))


def _source(path: Path) -> str:
    return path.name.partition(".")[0]


def _row(given: dict[str, Any]) -> tuple[str, ...]:
    row = tuple(given[name] for name in ("text", "label", "generator", "domain", "lang"))
    if not all(isinstance(value, str) for value in row):
        raise TypeError("a field is no string")
    if row[1] not in (HUMAN, MACHINE, MIXED):
        raise ValueError(f"unknown label {row[1]!r}")
    return row
