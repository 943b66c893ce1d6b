"""Settings of `ingest`: which input column means what, and how much is read at once."""

from __future__ import annotations

import pydantic

from transforms.ingest.decompress import Limits
from transforms.settings import Settings

__all__ = ["MAX_DOCUMENT_BYTES", "FieldMapping", "IngestConfig"]

MAX_DOCUMENT_BYTES = 67_108_863
"""Largest text that can be taken, in UTF-8 bytes: `n_chars` has to stay below 2**26."""


class FieldMapping(Settings):
    """The input column that gives each field.

    A dotted path such as `meta.url` reaches into nested objects; a column whose
    own name holds the dot is found first. A column may serve several fields.
    Naming a column other than the default makes it required of Parquet files.
    """

    text: str = "text"
    id: str = "id"
    url: str = "url"
    source: str = "source"
    date: str = "date"
    lang: str = "lang"
    origin: str = "origin"

    @pydantic.field_validator("*")
    @classmethod
    def _named(cls, value: str) -> str:
        if not value or not all(value.split(".")):
            raise ValueError(
                f"{value!r} is no column name; give a name or a dotted path such as "
                "'meta.url', without empty parts"
            )
        return value

    def required(self, role: str) -> bool:
        """Whether a Parquet file without the column is refused."""
        return role == "text" or getattr(self, role) != role


class IngestConfig(Settings):
    """How input files are read.

    Attributes:
        fields: Which input column gives text, id, url, source, date, language, origin.
        html: Whether the text column holds HTML; the document is then the text that is
            extracted from it. Pages in web archives are extracted in any case.
        max_document_bytes: Longer texts become dead letters.
        max_html_bytes: Longer pages become dead letters before they are parsed.
        max_ratio: Most unpacked bytes per byte of a compressed file, beyond its first
            64 MiB; what follows is one dead letter.
        max_unpacked_bytes: Most unpacked bytes of a compressed file, likewise.
        max_dead_fraction: The job fails when more than this share of the records
            read is unreadable.
        batch_rows: Most rows of a batch.
        batch_bytes: A batch is closed by the row whose text reaches this many bytes.
    """

    fields: FieldMapping = FieldMapping()
    html: bool = False
    max_document_bytes: int = MAX_DOCUMENT_BYTES
    max_html_bytes: int = 8 << 20
    max_ratio: int = 200
    max_unpacked_bytes: int = 1 << 40
    max_dead_fraction: float = 0.01
    batch_rows: int = 1000
    batch_bytes: int = 8 << 20

    @pydantic.field_validator("max_document_bytes")
    @classmethod
    def _fits(cls, value: int) -> int:
        return _within("max_document_bytes", value, 1, MAX_DOCUMENT_BYTES)

    @pydantic.field_validator("max_html_bytes")
    @classmethod
    def _page(cls, value: int) -> int:
        return _within("max_html_bytes", value, 1, MAX_DOCUMENT_BYTES)

    @pydantic.field_validator("max_ratio")
    @classmethod
    def _ratio(cls, value: int) -> int:
        return _within("max_ratio", value, 1, 1 << 30)

    @pydantic.field_validator("max_unpacked_bytes")
    @classmethod
    def _unpacked(cls, value: int) -> int:
        return _within("max_unpacked_bytes", value, 1, 1 << 50)

    @property
    def limits(self) -> Limits:
        """What a compressed file may become."""
        return Limits(self.max_ratio, self.max_unpacked_bytes)

    @pydantic.field_validator("batch_rows")
    @classmethod
    def _rows(cls, value: int) -> int:
        return _within("batch_rows", value, 1, 1 << 20)

    @pydantic.field_validator("batch_bytes")
    @classmethod
    def _bytes(cls, value: int) -> int:
        return _within("batch_bytes", value, 1, 1 << 30)

    @pydantic.field_validator("max_dead_fraction")
    @classmethod
    def _share(cls, value: float) -> float:
        if not 0 <= value <= 1:
            raise ValueError(
                f"max_dead_fraction is {value}, not within 0 to 1; give a share such as "
                "0.01 for one per cent"
            )
        return value


def _within(name: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise ValueError(
            f"{name} is {value}, not within {low} to {high}; "
            f"{'raise' if value < low else 'lower'} it"
        )
    return value
