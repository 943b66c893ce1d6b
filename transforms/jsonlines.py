"""Reads JSON Lines that people prepared: training data, controls, labelled texts."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import orjson

from transforms.errors import InputError

__all__ = ["read_rows"]

Row = TypeVar("Row")


def read_rows(path: Path, parse: Callable[[Any], Row], form: str) -> Iterator[Row]:
    """What `parse` makes of each line of a file, gzip or plain.

    Args:
        path: A name that ends in `.gz` says that the file is compressed.
        parse: From what a line holds to a row; raises KeyError, TypeError, ValueError
            or InputError where it lacks something.
        form: What a line should be, for whoever reads the error.

    Raises:
        InputError: With the file and the line, where a line cannot be parsed.
    """
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                row = parse(orjson.loads(line))
            except (KeyError, TypeError, ValueError, InputError) as error:
                raise InputError(f"{path}, line {number}: {error}; {form}") from error
            yield row
