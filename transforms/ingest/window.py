"""Records on their way to `judge`, for formats that come one record at a time."""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa

from transforms.ingest.config import IngestConfig
from transforms.ingest.mapping import MISSING, Record, find, metadata_json, scalar_text, without
from transforms.ingest.validate import NO_DOCUMENTS, DeadLetter, Judged, excerpt, judge, raw_batch

__all__ = ["Window"]

_ROLES = ("id", "url", "source", "lang", "origin")
_WINDOW_ROWS = 1000
_WINDOW_BYTES = 8 << 20
_FAULTS = (TypeError, ValueError, RecursionError)


class Window:
    """Records and dead letters that have not been handed on.

    Attributes:
        letters: Dead letters so far.
    """

    def __init__(self, path: str, config: IngestConfig) -> None:
        self._path, self._config = path, config
        self._fields = config.fields
        self._columns = {role: getattr(config.fields, role) for role in _ROLES}
        self._mapped = frozenset([*self._columns.values(), self._fields.text, self._fields.date])
        self._clear()

    def _clear(self) -> None:
        self.letters: list[DeadLetter] = []
        self._rows: list[tuple[Any, ...]] = []
        self._bytes = 0

    def full(self) -> bool:
        """Whether it is time to `take`."""
        rows = len(self._rows) + len(self.letters)
        return rows >= _WINDOW_ROWS or self._bytes >= _WINDOW_BYTES

    def add(self, position: int, n_bytes: int, record: Record, raw: bytes) -> None:
        """Takes in a record as its fields stand.

        Args:
            position: Where it starts, as dead letters tell it.
            n_bytes: Its size.
            record: By the names of its fields.
            raw: Its bytes, or how they begin, for an excerpt.
        """
        text = find(record, self._fields.text)
        if type(text) is not str:
            self.reject(position, n_bytes, _text_fault(text), raw)
            return
        try:
            self._accept(position, n_bytes, record, text)
        except _FAULTS:
            self.reject(position, n_bytes, "unreadable_record", raw)

    def _accept(self, position: int, n_bytes: int, record: Record, text: str) -> None:
        date = _date_text(find(record, self._fields.date))
        metadata = metadata_json(without(record, self._mapped))
        strings = [scalar_text(find(record, name)) for name in self._columns.values()]
        self._rows.append((position, n_bytes, text, date, metadata, *strings))
        self._bytes += n_bytes

    def document(self, position: int, n_bytes: int, text: str, **fields: str | None) -> None:
        """Takes in a record whose fields are known by what they mean, whatever the mapping.

        Args:
            position: As of `add`.
            n_bytes: As of `add`.
            text: The document.
            fields: `date`, `metadata` (JSON), `id`, `url`, `source`, `lang`, `origin`.
        """
        known = (fields.get(role) for role in ("date", "metadata", *_ROLES))
        self._rows.append((position, n_bytes, text, *known))
        self._bytes += n_bytes

    def reject(self, position: int, n_bytes: int, reason: str, raw: bytes | str) -> None:
        """Takes in what is no record."""
        self.letters.append(DeadLetter(self._path, position, reason, excerpt(raw), n_bytes))

    def take(self, *, html: bool | None = None) -> Judged:
        """Judges what is held, and holds nothing.

        Args:
            html: Whether the text is HTML; as configured by default.
        """
        rows, letters = self._rows, self.letters
        self._clear()
        if not rows:
            return NO_DOCUMENTS, letters
        position, n_bytes, text, date, metadata, *strings = zip(*rows, strict=True)
        columns = dict(zip(_ROLES, strings, strict=True)) | {"text": text}
        arrays = {name: pa.array(column, pa.string()) for name, column in columns.items()}
        records = raw_batch(position, n_bytes, pa.array(date, pa.string()), metadata, arrays)
        documents, more = judge(records, self._path, self._config, html=html)
        return documents, letters + more


def _text_fault(text: Any) -> str:
    if text is MISSING:
        return "missing_text"
    return "null_text" if text is None else "text_not_string"


def _date_text(value: Any) -> str | None:
    """A date as text; a fraction of a number is cut, as it is in a column of floats."""
    return str(math.floor(value)) if type(value) is float else scalar_text(value)
