"""Labelled texts: JSON Lines of human and machine-made text, read for training and reference."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import xxhash

from transforms.jsonlines import read_rows
from transforms.synthetic.examples import is_untuned

__all__ = ["Labelled", "fold_of", "read_labelled"]

_LANG = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}")
_FORM = "a labelled text is a JSON object with the strings text, lang and label (human or machine)"


class Labelled(NamedTuple):
    """One text of known origin.

    Attributes:
        text: As it was read.
        lang: Label, such as `eng_Latn`.
        machine: Whether it is machine-made.
        source: The set it is of: its file's name up to the first dot.
        generator: Which machine; `human` for none.
    """

    text: str
    lang: str
    machine: bool
    source: str
    generator: str

    @property
    def kind(self) -> str:
        """The set and, of machine-made text, the generator."""
        return f"{self.source}/{self.generator}" if self.machine else self.source


def fold_of(text: str) -> int:
    """Zero or one: the half that a text is in, by its hash, whatever else is read."""
    return xxhash.xxh3_64_intdigest(text.encode()) >> 63


def _label(lang: str) -> str:
    if not _LANG.fullmatch(lang):
        raise ValueError(f"lang {lang!r} is no language and script, such as eng_Latn")
    return lang


def _source(path: Path) -> str:
    return path.name.partition(".")[0]


def read_labelled(paths: Sequence[Path], label: str | None = None) -> Iterator[Labelled]:
    """Reads JSON Lines (gzip or plain) with `text`, `lang` and `label`.

    Args:
        paths: Files; each is a set of its own.
        label: What every text is that says nothing of itself; None where each has to.
            Texts with a label other than `human` and `machine` are left out, and
            so are those of generators that were never tuned to follow instructions.

    Raises:
        InputError: A line lacks a field or holds something else there.
    """
    for path in paths:
        parse = functools.partial(_labelled, label=label, source=_source(path))
        for origin, found in read_rows(path, parse, _FORM):
            if origin == "human" or (origin == "machine" and not is_untuned(found.generator)):
                yield found


def _labelled(row: Any, label: str | None, source: str) -> tuple[object, Labelled]:
    """What the text is said to be, and the text."""
    given = row["label"] if label is None else row.get("label", label)
    lang, generator = _label(row["lang"]), str(row.get("generator", "unknown"))
    return given, Labelled(str(row["text"]), lang, given == "machine", source, generator)
