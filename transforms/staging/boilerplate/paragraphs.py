"""Parts of staging without the paragraphs that recur, for near-deduplication to see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms import storage
from transforms.dedup.boilerplate import RECURRING, cut, paragraph_rows
from transforms.dedup.config import DedupConfig
from transforms.dedup.normalize import letters
from transforms.dedup.signature import signatures
from transforms.records import STAGED
from transforms.staging.parts import PartWriter

__all__ = ["PLACE", "TOLD", "count_part", "cut_part", "read_recurring", "summarise"]
__all__ += ["write_recurring"]

PLACE = pa.schema([("path", pa.string())])
"""Where the recurring paragraphs lie."""

TOLD = pa.schema([("lang", pa.string()), ("documents", pa.int64()), ("characters", pa.int64())])
"""Documents of one language in one part that hold recurring paragraphs, and the
characters of these."""

_TOP = 20


def _groups(path: str, columns: list[str]) -> Iterator[pa.Table]:
    with storage.open_input(path) as source:
        file = pq.ParquetFile(source)
        for number in range(file.num_row_groups):
            yield file.read_row_group(number, columns=columns)


def count_part(path: str, config: DedupConfig) -> Iterator[pa.RecordBatch]:
    """The distinct paragraphs (PARAGRAPH) of each document of a part."""
    for staged in _groups(path, ["text", "text_hash", "doc_id"]):
        yield paragraph_rows(staged, config.boilerplate.min_chars)


def write_recurring(
    partition: int, tables: Mapping[str, pa.Table], *, path: str
) -> Iterator[tuple[str, pa.Table]]:
    """Writes the recurring paragraphs of the run; yields `place` (PLACE).

    Args:
        partition: Not used.
        tables: `recurring` (RECURRING), all there are.
        path: Of the file: an Arrow IPC stream, by paragraph. Attempts write the same.
    """
    del partition
    rows = tables["recurring"].sort_by("paragraph").combine_chunks()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, RECURRING) as writer:
        writer.write_table(rows)
    storage.write_bytes_atomically(path, sink.getvalue().to_pybytes())
    yield "place", pa.table([[path]], schema=PLACE)


def read_recurring(places: list[str]) -> pa.Table:
    """The recurring paragraphs (RECURRING), ascending; none without a place."""
    if not places:
        return RECURRING.empty_table()
    with pa.ipc.open_stream(storage.read_bytes(places[0])) as reader:
        return reader.read_all()


def cut_part(
    part: Mapping[str, Any], paragraphs: pa.Table, config: DedupConfig, folder: str
) -> tuple[pa.RecordBatch | None, pa.RecordBatch]:
    """A part whose texts and signatures are those of near-deduplication.

    All other columns stay, and so do texts without recurring paragraphs. A text that is
    nothing but such paragraphs has no signature left: it knows exact copies only.

    Args:
        part: A row of `PART`.
        paragraphs: Rows of `RECURRING`, ascending.
        config: Of deduplication.
        folder: Where the part is put.

    Returns:
        Its row of `PART`, None where nothing was to be cut or cutting is off; and rows of
        `TOLD`, one at least.
    """
    hashes = paragraphs.column("paragraph").to_numpy()
    told, any_cut = [TOLD.empty_table()], False
    for staged in _groups(part["path"], ["text", "lang"]):
        _, gone = cut(staged.column("text").combine_chunks(), hashes, config.boilerplate.min_chars)
        told.append(_told(staged.column("lang"), gone))
        any_cut |= bool(pc.any(pc.greater(gone, 0)).as_py())
    summed = (
        pa.concat_tables(told)
        .group_by("lang")
        .aggregate([("documents", "sum"), ("characters", "sum")])
    )
    columns = [summed.column(name) for name in ("lang", "documents_sum", "characters_sum")]
    rows = pa.table(columns, schema=TOLD) if len(summed) else _NONE
    batch = rows.combine_chunks().to_batches()[0]
    if not (any_cut and config.boilerplate.cut):
        return None, batch
    writer = PartWriter(folder, int(part["part"]))
    for staged in _groups(part["path"], STAGED.names):
        writer.write(_without(staged, hashes, config))
    return writer.close(), batch


_NONE = pa.table([["und"], [0], [0]], schema=TOLD)
"""Says that a part was looked through."""


def _told(lang: pa.ChunkedArray, gone: pa.Array) -> pa.Table:
    held = pc.greater(gone, 0)
    columns = {"lang": lang, "documents": held, "characters": gone}
    return pa.table(columns).filter(held).cast(TOLD)


def _without(staged: pa.Table, hashes: Any, config: DedupConfig) -> pa.RecordBatch:
    """Staged rows with the texts, and their signatures, that are left after cutting."""
    text = staged.column("text").combine_chunks()
    left, gone = cut(text, hashes, config.boilerplate.min_chars)
    changed = pc.greater(gone, 0)
    # The rest keep what they have: making signatures is the dear part.
    made = signatures(letters(left.filter(changed)), config)
    kept = staged.column("signature").combine_chunks()
    for name, column in (
        ("text", left),
        ("signature", pc.replace_with_mask(kept, changed, made)),
    ):
        at = staged.schema.get_field_index(name)
        staged = staged.set_column(at, staged.schema.field(name), column)
    return staged.combine_chunks().to_batches()[0]


def summarise(
    partition: int, tables: Mapping[str, pa.Table], *, config: DedupConfig
) -> Iterator[tuple[str, pa.Table]]:
    """What the manifest says of boilerplate; yields `summary`, one row of JSON.

    Args:
        partition: Not used.
        tables: `told` (TOLD) of all parts, and `place` (PLACE).
        config: Of deduplication.
    """
    del partition
    found = read_recurring(tables["place"].column("path").to_pylist())
    held = tables["told"].filter(pc.greater(tables["told"].column("documents"), 0))
    by_language: dict[str, dict[str, int]] = {}
    for row in sorted(held.to_pylist(), key=lambda row: row["lang"]):
        entry = by_language.setdefault(row["lang"], {"documents": 0, "characters": 0})
        for name in entry:
            entry[name] += row[name]
    order = np.argsort(-found.column("documents").to_numpy(), kind="stable")[:_TOP]
    summary = {
        "cut": config.boilerplate.cut,
        "paragraphs": len(found),
        "documents": sum(entry["documents"] for entry in by_language.values()),
        "characters": sum(entry["characters"] for entry in by_language.values()),
        "by_language": by_language,
        "top": [
            {"documents": row["documents"], "example": row["example"].hex()}
            for row in found.take(order).to_pylist()
        ],
    }
    yield "summary", pa.table([[orjson.dumps(summary).decode()]], names=["text"])
