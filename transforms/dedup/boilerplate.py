"""Paragraphs that recur across many documents, and texts without them.

A paragraph is a line. Extracted pages put a block on a line of its own: a cookie banner,
a menu, a notice. Blank lines between blocks rarely survive extraction, and a licence header
that is wrapped over several lines recurs line by line, whatever year or name stands in the
one above. Two lines are the same paragraph when their normal forms are (NFKC, lower case,
white space folded); a line whose normal form is short is none, so that a brace or a "Home"
does not count.

Nothing here rewrites what is published. Near-deduplication alone sees texts without these
paragraphs: their shingles, their signatures and their exact similarity.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms import utf8
from transforms.dedup import characters
from transforms.dedup.normalize import letters
from transforms.dedup.shingles import _FNV_OFFSET, _FNV_PRIME, _mix
from transforms.dedup.survivor import halves
from transforms.kernels import Buffer, Hashes, Offsets, njit
from transforms.utf8 import string_buffers

__all__ = ["PARAGRAPH", "RECURRING", "cut", "paragraph_hashes", "paragraph_rows", "recurring"]

PARAGRAPH = pa.schema(
    [
        ("paragraph", pa.uint64()),
        ("text_hi", pa.uint64()),
        ("text_lo", pa.uint64()),
        ("doc_id", pa.binary()),
    ]
)
"""A paragraph of a document: its hash, and the halves of the document's text_hash."""

RECURRING = pa.schema(
    [("paragraph", pa.uint64()), ("documents", pa.int64()), ("example", pa.binary())]
)
"""A paragraph that recurs: in how many distinct texts, and the least doc_id of a holder."""

Flags = npt.NDArray[np.bool_]


@njit
def _line_end(data: Buffer, at: int, stop: int) -> tuple[int, int]:  # pragma: no cover - compiled
    """Where the line at `at` ends, and where the next one begins.

    A line ends where `str.splitlines` ends one; what stands between CR and LF is an empty
    line.
    """
    while at < stop:
        byte = data[at]
        if 0x0A <= byte <= 0x0D or 0x1C <= byte <= 0x1E:
            return at, at + 1
        if byte == 0xC2 and data[at + 1] == 0x85:
            return at, at + 2
        if byte == 0xE2 and data[at + 1] == 0x80 and 0xA8 <= data[at + 2] <= 0xA9:
            return at, at + 3
        at += 1
    return stop, stop


@njit
def _line_hash(
    data: Buffer, at: int, stop: int, classes: Buffer, least: int
) -> np.uint64:  # pragma: no cover - compiled
    """FNV-1a, mixed, of a line with its white space folded; 0 for one that is too short."""
    running, length, pending = _FNV_OFFSET, 0, False
    while at < stop:
        width, point = utf8.decode(data, at)
        if classes[point] == characters.SPACE:
            pending = length > 0
            at += width
            continue
        if pending:
            running = (running ^ np.uint64(32)) * _FNV_PRIME
            length += 1
            pending = False
        for k in range(at, at + width):
            running = (running ^ np.uint64(data[k])) * _FNV_PRIME
        length += 1
        at += width
    # No hash is 0 but by one chance in 2**64, and then the line is let alone.
    return _mix(running) if length >= least else np.uint64(0)


@njit
def _hash_lines(
    offsets: Offsets, data: Buffer, classes: Buffer, least: int, hashes: Hashes, ends: Offsets
) -> None:  # pragma: no cover - compiled
    count = 0
    for row in range(len(offsets) - 1):
        at, stop = np.int64(offsets[row]), np.int64(offsets[row + 1])
        while at < stop:
            end, following = _line_end(data, at, stop)
            hashes[count] = _line_hash(data, at, end, classes, least)
            count += 1
            at = following
        ends[row + 1] = count


@njit
def _drop_lines(
    offsets: Offsets, data: Buffer, drop: Flags, out: Buffer, ends: Offsets
) -> None:  # pragma: no cover - compiled
    line, filled = 0, 0
    for row in range(len(offsets) - 1):
        at, stop = np.int64(offsets[row]), np.int64(offsets[row + 1])
        while at < stop:
            _, following = _line_end(data, at, stop)
            if not drop[line]:
                for k in range(at, following):
                    out[filled] = data[k]
                    filled += 1
            line += 1
            at = following
        ends[row + 1] = filled


def _lines(text: pa.Array, min_chars: int) -> tuple[Hashes, Offsets]:
    """The hash of each line of all texts (0 for none), and where those of a text end."""
    offsets, data = string_buffers(letters(text))
    hashes = np.empty(int(offsets[-1] - offsets[0]), dtype=np.uint64)
    ends = np.zeros(len(text) + 1, dtype=np.int32)
    _hash_lines(offsets, data, characters.classes(), min_chars, hashes, ends)
    return hashes[: ends[-1]], ends


def paragraph_hashes(text: pa.Array, min_chars: int) -> tuple[npt.NDArray[np.int64], Hashes]:
    """The distinct paragraphs of each text.

    Args:
        text: Strings, no nulls.
        min_chars: Shortest normal form of a paragraph, in characters; at least 1.

    Returns:
        Row (int64) and hash (uint64) of each, by row and then by hash.
    """
    hashes, ends = _lines(text, min_chars)
    rows = np.repeat(np.arange(len(text)), np.diff(ends))
    known = hashes != 0
    rows, hashes = rows[known], hashes[known]
    order = np.lexsort((hashes, rows))
    rows, hashes = rows[order], hashes[order]
    fresh = np.ones(len(rows), dtype=bool)
    fresh[1:] = (rows[1:] != rows[:-1]) | (hashes[1:] != hashes[:-1])
    return rows[fresh], hashes[fresh]


def cut(text: pa.Array, paragraphs: Hashes, min_chars: int) -> tuple[pa.Array, pa.Array]:
    """Texts without some paragraphs, which go with the line end that follows them.

    The normal form of a text has the text's line ends and no others, so that its lines say
    which of the text's own to leave out.

    Args:
        text: Strings, no nulls.
        paragraphs: Hashes of what is left out, ascending.
        min_chars: As these were made with.

    Returns:
        The texts, and per text how many characters were cut (int32).
    """
    hashes, _ = _lines(text, min_chars)
    drop = np.isin(hashes, paragraphs) & (hashes != 0)
    offsets, data = string_buffers(text)
    out = np.empty(int(offsets[-1] - offsets[0]), dtype=np.uint8)
    ends = np.zeros(len(text) + 1, dtype=np.int32)
    _drop_lines(offsets, data, drop, out, ends)
    left = pa.StringArray.from_buffers(len(text), pa.py_buffer(ends), pa.py_buffer(out[: ends[-1]]))
    return left, pc.subtract(pc.utf8_length(text), pc.utf8_length(left))


def paragraph_rows(staged: pa.Table, min_chars: int) -> pa.RecordBatch:
    """One row of `PARAGRAPH` per distinct paragraph of each staged document.

    Args:
        staged: With `text`, `text_hash` and `doc_id`.
        min_chars: Shortest normal form of a paragraph, in characters.
    """
    rows, hashes = paragraph_hashes(staged.column("text").combine_chunks(), min_chars)
    upper, lower = halves(staged.column("text_hash"))
    ids = staged.column("doc_id").combine_chunks().take(pa.array(rows))
    columns = [pa.array(column) for column in (hashes, upper[rows], lower[rows])]
    return pa.record_batch([*columns, ids], schema=PARAGRAPH)


def recurring(
    partition: int, tables: Mapping[str, pa.Table], *, min_documents: int | None
) -> Iterator[tuple[str, pa.Table]]:
    """Finds the paragraphs that stand in many texts.

    Exact copies of a text count once: one page that was crawled a thousand times makes no
    boilerplate.

    Args:
        partition: Not used.
        tables: `paragraphs` (PARAGRAPH), every paragraph whole.
        min_documents: In how many distinct texts a paragraph recurs; in none if None.

    Yields:
        `recurring` (RECURRING), by paragraph.
    """
    del partition
    rows = tables["paragraphs"]
    paragraph, upper, lower = (rows.column(name).to_numpy() for name in PARAGRAPH.names[:3])
    first, second = halves(rows.column("doc_id"))
    order = np.lexsort((second, first, lower, upper, paragraph))
    if not len(order) or min_documents is None:
        return
    paragraph, upper, lower = paragraph[order], upper[order], lower[order]
    starts = np.flatnonzero(np.diff(paragraph, prepend=~paragraph[0]))
    fresh = np.ones(len(order), dtype=np.int64)
    same = (paragraph[1:] == paragraph[:-1]) & (upper[1:] == upper[:-1])
    fresh[1:] = ~(same & (lower[1:] == lower[:-1]))
    documents = np.add.reduceat(fresh, starts)
    many = documents >= min_documents
    least = np.lexsort((second, first, rows.column("paragraph").to_numpy()))[starts[many]]
    columns = [pa.array(paragraph[starts[many]]), pa.array(documents[many])]
    columns.append(rows.column("doc_id").take(least))
    yield "recurring", pa.table(columns, schema=RECURRING)
