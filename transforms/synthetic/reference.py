"""The table of reference scores: texts of known origin, as the classifier sees them."""

from __future__ import annotations

import functools
import importlib.resources
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from transforms import storage
from transforms.errors import InputError
from transforms.synthetic.config import SyntheticConfig
from transforms.synthetic.labelled import Labelled, read_labelled
from transforms.synthetic.sample import REFERENCE, cells_of
from transforms.synthetic.score import Scorer

__all__ = [
    "NO_REFERENCE",
    "Reference",
    "Scores",
    "load_reference",
    "make_reference",
    "reference_of",
    "reference_rows",
    "write_reference",
]

Scores = Callable[
    [pa.StringArray, pa.StringArray], tuple[pa.Int16Array, pa.Int16Array, pa.Int16Array]
]
"""`(text, lang)` to the classifier's margin, the evidence of the words, letters a word."""

NO_REFERENCE = "none"
"""Says that there is no table: only the controls of the run speak."""

_SHIPPED = "synthetic_reference.parquet"
_BATCH = 1000


class Reference(NamedTuple):
    """Reference scores.

    Attributes:
        rows: `sample.REFERENCE`.
        digest: XXH3-128 of the file.
        model: Digest of the classifier that the scores are from.
    """

    rows: pa.Table
    digest: str
    model: str


def reference_rows(texts: Iterable[Labelled], score: Scores) -> pa.Table:
    """Scores texts of known origin.

    Args:
        texts: In any order; a text that recurs in its set counts once.
        score: The classifier and the table of words.

    Returns:
        Rows of `sample.REFERENCE`, sorted by all columns.
    """
    distinct = sorted(dict.fromkeys(texts))
    parts = [REFERENCE.empty_table()]
    for first in range(0, len(distinct), _BATCH):
        batch = distinct[first : first + _BATCH]
        text, lang, machine, *_ = zip(*batch, strict=True)
        source = [given.kind for given in batch]
        column, label = pa.array(text, pa.string()), pa.array(lang, pa.string())
        margin, words, letters = score(column, label)
        lengths = pa.array(cells_of(pc.utf8_length(column), letters))
        columns = [pa.array(machine), label, lengths, pa.array(source), margin, words]
        rows = pa.table(columns, schema=REFERENCE)
        parts.append(rows.filter(pc.or_(margin.is_valid(), words.is_valid())))
    order = [(name, "ascending") for name in REFERENCE.names]
    return pa.concat_tables(parts).sort_by(order).combine_chunks()


def write_reference(rows: pa.Table, model: str, path: str) -> None:
    """Writes a table of reference scores.

    Args:
        rows: `sample.REFERENCE`.
        model: Digest of the classifier.
        path: Where it goes.
    """
    sink = io.BytesIO()
    pq.write_table(
        rows.replace_schema_metadata({"model": model}),
        sink,
        compression="zstd",
        compression_level=19,
        use_dictionary=["lang", "source"],
        write_statistics=False,
    )
    storage.write_bytes_atomically(path, sink.getvalue())


def make_reference(
    controls: Sequence[Path], machine: Sequence[Path], scorer: Scorer, path: str
) -> pa.Table:
    """Scores texts of known origin and writes the table of their scores.

    Args:
        controls: Files of human text; each is a source of its own.
        machine: Files of machine-made text. None for the scores of the table that ships.
        scorer: The classifier and the table of words.
        path: Where the table goes.

    Returns:
        What was written (`sample.REFERENCE`).

    Raises:
        InputError: A file cannot be read, or the table that ships is not of this
            classifier.
    """
    human = reference_rows(read_labelled(controls, "human"), scorer)
    rows = [human.filter(~pc.field("machine"))]
    if machine:
        made = reference_rows(read_labelled(machine, "machine"), scorer)
        rows.append(made.filter(pc.field("machine")))
    else:
        shipped = load_reference()
        if shipped.model != scorer.digest:
            raise InputError(
                f"the scores of machine-made text that ship are of classifier {shipped.model}, "
                f"not of {scorer.digest}; name files of machine-made text with --machine"
            )
        rows.append(shipped.rows.filter(pc.field("machine")))
    table = pa.concat_tables(rows)
    write_reference(table, scorer.digest, path)
    return table


def reference_of(scorer: str, config: SyntheticConfig) -> Reference:
    """The table of a scorer: the one that is named, or the one that ships if it is of it.

    Args:
        scorer: Digest of the classifier and the table of words.
        config: Names the table, or none.

    Raises:
        InputError: The table that is named is of another classifier.
    """
    found = load_reference(config.reference)
    if found.model == scorer or config.reference == NO_REFERENCE:
        return found
    if config.reference is None:
        return load_reference(NO_REFERENCE)
    raise InputError(
        f"{config.reference} has scores of {found.model}, and the texts get scores of "
        f"{scorer}; make a table with `holdfast calibrate synthetic`"
    )


@functools.lru_cache(maxsize=2)
def load_reference(path: str | None = None) -> Reference:
    """Reads a table of reference scores.

    Args:
        path: A file, or `NO_REFERENCE`; None for the table that ships.

    Raises:
        InputError: The file is none.
    """
    if path == NO_REFERENCE:
        return Reference(REFERENCE.empty_table(), "", "")
    if path is None:
        shipped = importlib.resources.files("transforms.data").joinpath(_SHIPPED)
        data, path = shipped.read_bytes(), _SHIPPED
    else:
        data = storage.read_bytes(path)
    try:
        table = pq.ParquetFile(io.BytesIO(data)).read()
        model = (table.schema.metadata or {})[b"model"].decode()
        rows = table.select(REFERENCE.names).cast(REFERENCE).replace_schema_metadata(None)
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise InputError(
            f"{path} is no table of reference scores ({error}); `holdfast calibrate synthetic` "
            "makes one"
        ) from error
    if np.any(rows.column("bucket").to_numpy() < 0):
        raise InputError(f"{path} has a length below 0; it is damaged")
    return Reference(rows, xxhash.xxh3_128_hexdigest(data), model)
