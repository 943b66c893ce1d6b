"""Parquet, by row groups, in columns from the file to `INGESTED`."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from transforms import storage
from transforms.errors import InputError
from transforms.ingest.config import FieldMapping, IngestConfig
from transforms.ingest.footer import CORRUPT, RowGroup, open_parquet
from transforms.ingest.mapping import metadata_json, scalar_text, without
from transforms.ingest.splits import Split
from transforms.ingest.validate import (
    FAULTS,
    NO_DOCUMENTS,
    Array,
    DeadLetter,
    Judged,
    excerpt,
    judge,
    raw_batch,
    salvage,
)

__all__ = ["read_parquet"]

_ROLES = ("id", "url", "source", "lang", "origin")
# Windows do not depend on settings: what a damaged row group gives up must not either.
_WINDOW_ROWS = 1000
_WINDOW_BYTES = 8 << 20


def read_parquet(split: Split, config: IngestConfig) -> Iterator[Judged]:
    """Reads a split, window by window.

    Raises:
        InputError: The file lacks the text column, or one that the user named.
        StorageError: The file cannot be read; that it is damaged is a dead letter.
    """
    with storage.open_input(split.path) as source:
        try:
            file, groups = open_parquet(source)
        except CORRUPT as e:
            letter = DeadLetter(split.path, -1, "unreadable_file", excerpt(str(e)), split.size)
            yield NO_DOCUMENTS, [letter]
            return
        table = _Table(split.path, file.schema_arrow, config)
        for group in range(split.start, split.stop):
            windows = file.iter_batches(_window_rows(groups[group]), [group], use_threads=False)
            yield from _row_group(windows, groups[group], table)


def _row_group(
    windows: Iterator[pa.RecordBatch], group: RowGroup, table: _Table
) -> Iterator[Judged]:
    """Reads one row group; what follows damage within it is one dead letter."""
    position = group.first
    problem = "the row group ends before its last row"
    try:
        while (window := next(windows, None)) is not None:
            if window.num_rows:
                yield from salvage(window, position, table.convert, table.lost)
            position += window.num_rows
    except CORRUPT as e:
        problem = str(e)
    if position < group.first + group.rows:
        reason = "unreadable_row_group"
        letter = DeadLetter(table.path, position, reason, excerpt(problem), group.stored)
        yield NO_DOCUMENTS, [letter]


def _window_rows(group: RowGroup) -> int:
    return max(1, min(_WINDOW_ROWS, _WINDOW_BYTES * group.rows // max(group.size, 1)))


class _Place(NamedTuple):
    """Where a mapped column is: the number of the column, and names within it."""

    column: int
    names: tuple[str, ...]

    def of(self, batch: pa.RecordBatch) -> Array:
        column = batch.column(self.column)
        return pc.struct_field(column, list(self.names)) if self.names else column


class _Table:
    """How the columns of one file become records."""

    def __init__(self, path: str, schema: pa.Schema, config: IngestConfig) -> None:
        self.path = path
        self._config = config
        self._fields = config.fields
        roles = FieldMapping.model_fields
        self._places = {role: _locate(path, schema, config.fields, role) for role in roles}
        found = [place for place in self._places.values() if place]
        whole = {place.column for place in found if not place.names}
        self._rest = [i for i in range(len(schema)) if i not in whole]
        self._nested = frozenset(
            ".".join([schema.field(place.column).name, *place.names])
            for place in found
            if place.names
        )

    def convert(self, window: pa.RecordBatch, first: int) -> Judged:
        """Judges rows from `first` on; raises one of `FAULTS` when any cannot be converted."""
        text = self._column(window, "text")
        if not (_is_text(text.type) or pa.types.is_null(text.type)):
            return NO_DOCUMENTS, list(self._not_strings(text, first))
        strings: dict[str, Any] = {
            role: _strings(self._column(window, role)) for role in ("text", *_ROLES)
        }
        sizes = pc.binary_length(strings["text"]).fill_null(0)
        positions = range(first, first + window.num_rows)
        date = _dates(self._column(window, "date"))
        records = raw_batch(positions, sizes, date, self._metadata(window), strings)
        return judge(records, self.path, self._config)

    def lost(self, row: pa.RecordBatch, position: int, error: Exception) -> DeadLetter:
        """The dead letter of a row that `convert` cannot take."""
        utf8 = isinstance(error, UnicodeDecodeError) or "UTF8" in str(error)
        text = self._text_bytes(row)
        reason = "invalid_utf8" if utf8 else "unreadable_record"
        return DeadLetter(self.path, position, reason, excerpt(text), len(text))

    def _text_bytes(self, row: pa.RecordBatch) -> bytes:
        try:
            return _binary(self._column(row, "text"))[0].as_py() or b""
        except FAULTS:
            return b""

    def _column(self, window: pa.RecordBatch, role: str) -> Array:
        place = self._places[role]
        return place.of(window) if place else pa.nulls(window.num_rows)

    def _not_strings(self, text: Array, first: int) -> Iterator[DeadLetter]:
        for row, present in enumerate(text.is_valid().to_pylist()):
            shown = excerpt(str(text[row])) if present else ""
            reason = "text_not_string" if present else "null_text"
            yield DeadLetter(self.path, first + row, reason, shown, len(shown))

    def _metadata(self, window: pa.RecordBatch) -> list[str | None]:
        if not self._rest:
            return [None] * window.num_rows
        rest = pa.RecordBatch.from_arrays(
            [_plain(window.column(i)) for i in self._rest],
            [window.schema.field(i).name for i in self._rest],
        )
        rows = rest.to_pylist()
        if self._nested:
            rows = [without(row, self._nested) for row in rows]
        return [metadata_json(row) for row in rows]


def _locate(path: str, schema: pa.Schema, fields: FieldMapping, role: str) -> _Place | None:
    name: str = getattr(fields, role)
    if schema.names.count(name) > 1:
        raise InputError(f"{path} has two columns named {name!r}; rename one of them")
    if (column := schema.get_field_index(name)) >= 0:
        return _Place(column, ())
    first, *names = name.split(".")
    column = schema.get_field_index(first)
    if column >= 0 and _leads_somewhere(schema.field(column).type, names):
        return _Place(column, tuple(names))
    if not fields.required(role):
        return None
    near = difflib.get_close_matches(name, schema.names, n=1, cutoff=0)
    raise InputError(
        f"{path} has no column {name!r} for {role}; "
        + (f"the nearest is {near[0]!r}, " if near else "")
        + f"all are {', '.join(schema.names)}. Name the right one in the fields of ingest."
    )


def _leads_somewhere(kind: pa.DataType, names: list[str]) -> bool:
    for name in names:
        if not isinstance(kind, pa.StructType) or kind.get_field_index(name) < 0:
            return False
        kind = kind.field(name).type
    return bool(names)


def _is_text(kind: pa.DataType) -> bool:
    if isinstance(kind, pa.DictionaryType):
        return _is_text(kind.value_type)
    return any(is_text(kind) for is_text in _TEXT_KINDS)


_TEXT_KINDS = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_binary_view,
    pa.types.is_fixed_size_binary,
)


def _binary(array: Array) -> Array:
    """Text of any layout as `binary`."""
    if isinstance(array, pa.DictionaryArray):
        array = array.dictionary_decode()
    return array if pa.types.is_binary(array.type) else array.cast(pa.binary())


def _strings(array: Array) -> Array:
    """Text of any layout as checked UTF-8; other values as their JSON text."""
    if _is_text(array.type):
        return _binary(array).cast(pa.string())  # which checks the UTF-8
    if pa.types.is_integer(array.type) or pa.types.is_null(array.type):
        return array.cast(pa.string())
    return pa.array([scalar_text(value) for value in _plain(array).to_pylist()], pa.string())


def _dates(array: Array) -> Array:
    """What `parse_dates` takes: numbers and temporal types as they are, the rest as text."""
    temporal = pa.types.is_date(array.type) or pa.types.is_timestamp(array.type)
    return array if temporal or pa.types.is_floating(array.type) else _strings(array)


def _plain(array: Array) -> Array:
    """Cuts nanoseconds, at any depth, which Python's times cannot hold."""
    kind = _without_nanoseconds(array.type)
    return array if kind == array.type else array.cast(kind, safe=False)


@functools.cache
def _without_nanoseconds(kind: pa.DataType) -> pa.DataType:
    if isinstance(kind, pa.TimestampType | pa.DurationType | pa.Time64Type):
        return _microseconds(kind) if kind.unit == "ns" else kind
    if isinstance(kind, pa.StructType):
        return pa.struct([_field_without(kind.field(i)) for i in range(kind.num_fields)])
    if isinstance(kind, pa.ListType):
        return pa.list_(_field_without(kind.value_field))
    if isinstance(kind, pa.LargeListType):
        return pa.large_list(_field_without(kind.value_field))
    return kind


def _microseconds(kind: pa.DataType) -> pa.DataType:
    if isinstance(kind, pa.TimestampType):
        return pa.timestamp("us", kind.tz)
    return pa.time64("us") if isinstance(kind, pa.Time64Type) else pa.duration("us")


def _field_without(field: pa.Field[Any]) -> pa.Field[Any]:
    return field.with_type(_without_nanoseconds(field.type))
