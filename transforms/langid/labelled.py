"""Reads texts whose language is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from transforms.jsonlines import read_rows
from transforms.langid.labels import canonical

__all__ = ["SAME", "Labelled", "read_labelled"]

SAME: Mapping[str, str] = {
    "zlm_Latn": "zsm_Latn",  # what corpora call the Malay language is the standard one
}
"""Labels whose text is in the language of another label."""

_FORM = "a labelled text is a JSON object with the strings text, lang and source"


class Labelled(NamedTuple):
    """A text, its canonical label, and where it comes from."""

    text: str
    label: str
    source: str


def read_labelled(paths: Sequence[Path]) -> Iterator[Labelled]:
    """Reads JSON Lines (gzip or plain) with `text`, `lang` and `source`.

    Raises:
        InputError: A line lacks a field or names no known language.
    """
    for path in paths:
        yield from read_rows(path, _labelled, _FORM)


def _labelled(row: Any) -> Labelled:
    label = canonical(row["lang"])
    return Labelled(str(row["text"]), SAME.get(label, label), str(row["source"]))
