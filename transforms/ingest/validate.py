"""Telling documents from dead letters.

Readers bring windows of records into one form (`raw_batch`); `judge` turns a window
into columns of `INGESTED`, all but `node`, and one dead letter for every record
that is no document. A record is lost alone, never with its neighbours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from transforms.ingest.config import IngestConfig
from transforms.ingest.dates import parse_dates
from transforms.ingest.html import html_column
from transforms.ingest.mapping import canonical_origin, hosts
from transforms.records import DEAD_LETTERS, INGESTED
from transforms.redact import redact

__all__ = [
    "DOCUMENTS",
    "DeadLetter",
    "Judged",
    "excerpt",
    "judge",
    "letters_batch",
    "raw_batch",
    "salvage",
]

Array: TypeAlias = "pa.Array[Any]"

DOCUMENTS = pa.schema([field for field in INGESTED if field.name != "node"])
"""What `judge` makes of good records."""
NO_DOCUMENTS = pa.RecordBatch.from_pylist([], schema=DOCUMENTS)
FAULTS = (pa.ArrowException, ValueError, TypeError, OverflowError, RecursionError)
"""What a value that cannot be converted raises."""

_EXCERPT = 200


class DeadLetter(NamedTuple):
    """A row of `records.DEAD_LETTERS`."""

    file: str
    position: int
    reason: str
    excerpt: str
    n_bytes: int


Judged = tuple[pa.RecordBatch, list[DeadLetter]]
"""Columns of `DOCUMENTS`, and the dead letters of the same window."""


def raw_batch(
    position: Sequence[int] | Array,
    n_bytes: Sequence[int] | Array,
    date: Array,
    metadata: Sequence[str | None],
    strings: Mapping[str, Any],
) -> pa.RecordBatch:
    """Brings a window of records into the form that `judge` takes.

    Args:
        position: Where each record starts, as dead letters tell it.
        n_bytes: Size of each record.
        date: Of any type that `parse_dates` takes.
        metadata: JSON or None.
        strings: `text`, `id`, `url`, `source`, `lang` and `origin`, checked UTF-8.
    """
    columns = {
        "position": pa.array(position, pa.int64()),
        "n_bytes": pa.array(n_bytes, pa.int64()),
        "date": date,
        "metadata": pa.array(metadata, pa.string()),
    }
    return pa.RecordBatch.from_pydict(columns | dict(strings))


def judge(
    records: pa.RecordBatch, file: str, config: IngestConfig, *, html: bool | None = None
) -> Judged:
    """Separates documents from records without usable text or with an impossible date.

    Args:
        records: As `raw_batch` makes them.
        file: Path for the dead letters.
        config: Longest text, input column of the declared origin, and whether text is HTML.
        html: Overrules the configuration in that.
    """
    text: Any = records.column("text")
    page_faults: dict[str, Any] = {}
    if config.html if html is None else html:
        text, page_faults = html_column(text, config.max_html_bytes)
    iso, day, no_date = parse_dates(records.column("date"))
    size = pc.binary_length(text)
    blank = pc.or_(pc.utf8_is_space(text), pc.equal(size, pa.scalar(0)))
    too_long = pc.greater(size, pa.scalar(config.max_document_bytes))
    faults = page_faults | {
        "null_text": text.is_null(),
        "empty_text": blank,
        "oversized": too_long,
        "invalid_date": no_date,
    }
    origin = canonical_origin(records.column("origin"))
    columns = {
        "text": text,
        "id": records.column("id"),
        "url": records.column("url"),
        "host": hosts(records.column("url")),
        "source": records.column("source"),
        "date": iso,
        "date_day": day,
        "metadata": _with_origin(records, origin, config.fields.origin),
        "lang_declared": records.column("lang"),
        "origin_declared": origin,
    }
    reasons = pc.case_when(pc.make_struct(*faults.values()), *map(pa.scalar, faults))
    good = reasons.is_null()
    if reasons.null_count == len(reasons):
        return pa.RecordBatch.from_pydict(columns, schema=DOCUMENTS), []
    kept = {name: column.filter(good) for name, column in columns.items()}
    letters = _letters(records.append_column("reason", reasons).filter(pc.invert(good)), file)
    return pa.RecordBatch.from_pydict(kept, schema=DOCUMENTS), letters


def salvage(
    window: pa.RecordBatch,
    first: int,
    convert: Callable[[pa.RecordBatch, int], Judged],
    lost: Callable[[pa.RecordBatch, int, Exception], DeadLetter],
) -> Iterator[Judged]:
    """Converts a window; where that fails, its halves, down to the row that cannot be.

    Args:
        window: Rows as read.
        first: Position of its first row.
        convert: `convert(window, first)`.
        lost: Makes the dead letter of a single row from what `convert` raised.
    """
    try:
        yield convert(window, first)
    except FAULTS as e:
        n = window.num_rows
        if n == 1:
            yield NO_DOCUMENTS, [lost(window, first, e)]
            return
        yield from salvage(window.slice(0, n // 2), first, convert, lost)
        yield from salvage(window.slice(n // 2), first + n // 2, convert, lost)


def excerpt(value: bytes | str | None) -> str:
    """At most 200 characters of a record, readable in a terminal."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        value = value[: 4 * _EXCERPT].decode(errors="replace")
    shown = (
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in value[:_EXCERPT]
    )
    return "".join(shown)[:_EXCERPT]


def letters_batch(letters: Sequence[DeadLetter]) -> pa.RecordBatch:
    """Dead letters as rows of `records.DEAD_LETTERS`; paths show nothing that gives access."""
    shown = [letter._replace(file=redact(letter.file)) for letter in letters]
    columns = zip(*shown, strict=True) if shown else [[]] * len(DEAD_LETTERS)
    arrays = [
        pa.array(list(column), field.type)
        for column, field in zip(columns, DEAD_LETTERS, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=DEAD_LETTERS)


def _letters(faulty: pa.RecordBatch, file: str) -> list[DeadLetter]:
    names = ("position", "reason", "n_bytes", "text")
    columns = [faulty.column(name).to_pylist() for name in names]
    dates = _printable_dates(faulty.column("date")).to_pylist()
    return [
        DeadLetter(
            file,
            position,
            reason,
            excerpt(str(date) if reason == "invalid_date" else text),
            n_bytes,
        )
        for position, reason, n_bytes, text, date in zip(*columns, dates, strict=True)
    ]


def _printable_dates(dates: Array) -> Array:
    """Dates beyond the calendar cannot become Python's: they are shown as numbers."""
    if not pa.types.is_temporal(dates.type):
        return dates
    return dates.view(pa.int32() if pa.types.is_date32(dates.type) else pa.int64())


def _with_origin(records: pa.RecordBatch, origin: Array, name: str) -> Array:
    """Puts declared origins that no alias explains back into the metadata."""
    raw, metadata = records.column("origin"), records.column("metadata")
    unknown = pc.and_(raw.is_valid(), origin.is_null())
    rows = np.flatnonzero(np.asarray(unknown))
    if not len(rows):
        return metadata
    merged: list[Any] = metadata.to_pylist()
    for row, value in zip(rows, raw.filter(unknown).to_pylist(), strict=True):
        fields = orjson.loads(merged[row] or "{}")
        fields["origin" if "origin" not in fields else name] = value
        merged[row] = orjson.dumps(fields, option=orjson.OPT_SORT_KEYS).decode()
    return pa.array(merged, pa.string())
