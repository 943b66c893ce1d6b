"""What a floor or a cap may speak of: flags of a document, or a value of a field."""

from __future__ import annotations

import difflib
import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["FIELDS", "FLAGS", "check_attribute", "has_field"]

FLAGS = ("original", "synthetic", "tail")
"""Attributes that a document has or has not."""

FIELDS = ("lang", "source", "host")
"""Attributes with values: `lang:swh_Latn` speaks of documents in that language that are
not mixed, `source:NAME` and `host:NAME` of those from there."""

_LANG = re.compile(r"[a-z]{3}_[A-Z][a-z]{3}")

Flags = npt.NDArray[np.bool_]


def check_attribute(name: str) -> None:
    """Refuses a name that no document can have.

    Raises:
        ValueError: With the nearest name that there is.
    """
    field, colon, value = name.partition(":")
    if name in FLAGS:
        return
    if not colon or field not in FIELDS:
        known = (*FLAGS, *(f"{field}:NAME" for field in FIELDS))
        near = difflib.get_close_matches(field, (*FLAGS, *FIELDS), n=1, cutoff=0)[0]
        near += ":NAME" if near in FIELDS else ""
        raise ValueError(
            f"there is no attribute {name!r}; did you mean {near!r}? (known: {', '.join(known)})"
        )
    if not value:
        raise ValueError(f"{name!r} names no {field}; write {field}:NAME")
    if field == "lang" and not _LANG.fullmatch(value):
        raise ValueError(f"{name!r} is no language and script, such as lang:swh_Latn")


def has_field(table: pa.Table | pa.RecordBatch, name: str) -> Flags:
    """Bool per row: the field that the attribute names has the value that it names.

    Args:
        table: Columns `lang`, `mixed`, `source` and `host`, as far as it is named.
        name: `lang:swh_Latn` and the like.
    """
    field, _, value = name.partition(":")
    found = pc.equal(table.column(field).fill_null(""), value)
    if field == "lang":
        found = pc.and_(found, pc.invert(table.column("mixed")))
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.bool_)
