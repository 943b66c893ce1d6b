"""Reads texts whose language is known."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import orjson

from transforms.errors import InputError
from transforms.langid.labels import canonical

__all__ = ["SAME", "Labelled", "read_labelled"]

SAME: Mapping[str, str] = {
    "zlm_Latn": "zsm_Latn",  # what corpora call the Malay language is the standard one
}
"""Labels whose text is in the language of another label."""


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
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    row = orjson.loads(line)
                    label = canonical(row["lang"])
                    found = Labelled(str(row["text"]), SAME.get(label, label), str(row["source"]))
                except (KeyError, TypeError, ValueError, InputError) as error:
                    raise InputError(
                        f"{path}, line {number}: {error}; a labelled text is a JSON object "
                        f"with the strings text, lang and source"
                    ) from error
                yield found
