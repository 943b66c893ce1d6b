"""Identity, size and signature of every document."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from transforms.dedup.config import DedupConfig
from transforms.dedup.normalize import fold_space, letters
from transforms.dedup.signature import signatures
from transforms.records import CONTENT
from transforms.utf8 import string_buffers

__all__ = ["IDENTITY", "digests", "document_ids", "fingerprint", "text_hashes"]

IDENTITY = (
    "text",
    "id",
    "url",
    "source",
    "date",
    "lang_declared",
    "origin_declared",
    "metadata",
)
"""The input fields that make a `doc_id`, in the order in which they are hashed."""

_NULL_LENGTH = 2**64 - 1


def digests(values: pa.Array) -> pa.Array:
    """XXH3-128 of each string or binary value, 16 bytes big-endian; no nulls."""
    offsets, data = string_buffers(values)
    view, digest = memoryview(data.data), xxhash.xxh3_128_digest
    bounds = offsets.tolist()
    return pa.array([digest(view[a:b]) for a, b in itertools.pairwise(bounds)], pa.binary())


def document_ids(batch: pa.RecordBatch) -> pa.Array:
    """`doc_id`: XXH3-128 over the fields of `IDENTITY`, each after its length.

    A length is 8 bytes, little-endian; a null has the length 2**64 - 1 and no bytes.

    Returns:
        binary, 16 bytes each.
    """
    parts: list[pa.Array] = []
    for name in IDENTITY:
        column = batch.column(name)
        lengths = pc.binary_length(column).fill_null(-1).to_numpy(zero_copy_only=False)
        words = np.where(lengths < 0, _NULL_LENGTH, lengths.astype(np.uint64)).astype("<u8")
        prefix = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(8), len(words), [None, pa.py_buffer(words)]
        )
        parts += [prefix.cast(pa.binary()), column.cast(pa.binary()).fill_null(b"")]
    return digests(pc.binary_join_element_wise(*parts, b""))


def text_hashes(text: pa.Array) -> pa.Array:
    """`text_hash`: XXH3-128 of the normal form, binary, 16 bytes each."""
    return digests(fold_space(letters(text)))


def fingerprint(batch: pa.RecordBatch, config: DedupConfig) -> pa.RecordBatch:
    """Appends the columns of `records.CONTENT` and `signature` to a batch.

    `n_tokens` is null: `tokens` fills it in where there is a tokenizer.

    Args:
        batch: With the columns of `records.INGESTED`.
        config: How signatures are made.
    """
    text = batch.column("text")
    normal = letters(text)
    columns = {
        "doc_id": document_ids(batch),
        "text_hash": digests(fold_space(normal)),
        "n_chars": pc.utf8_length(text),
        "n_bytes": pc.binary_length(text),
        "n_tokens": pa.nulls(len(text), pa.int32()),
    }
    for name in CONTENT.names:
        batch = batch.append_column(CONTENT.field(name), columns[name])
    return batch.append_column(pa.field("signature", pa.binary()), signatures(normal, config))
