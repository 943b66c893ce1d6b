"""Counting tokens with a Hugging Face `tokenizer.json`.

A text's count is `len(tokenizer.encode(text, add_special_tokens=False).ids)` with
truncation and padding off, whatever the file says of these two: both are about what fits
a model, and padding would make a count depend on the other texts of its batch.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import tokenizers

from transforms import storage
from transforms.errors import InputError

__all__ = ["Tokenizer", "load_tokenizer", "with_tokens"]

_BATCH_BYTES = 1 << 20
"""Text that is encoded at a time: the library needs some 120 bytes for each byte of it."""
_RARE = "\U000f0000"
"""A private-use character that no vocabulary has."""


class Tokenizer:
    """Counts the tokens of texts; made by `load_tokenizer`.

    Attributes:
        digest: sha256 of the file, in hexadecimal.
    """

    def __init__(self, library: tokenizers.Tokenizer, *, digest: str) -> None:
        self._library = library
        self.digest = digest

    def count(self, text: pa.StringArray) -> pa.Int32Array:
        """Tokens of each text, special ones that the file would add left out.

        A text of any length is encoded whole, since no place in it is safe to cut: what
        stands on both sides may become one token.

        Args:
            text: Without nulls.

        Returns:
            int32, no nulls; 0 for a text of which the tokenizer makes nothing.
        """
        counts = np.zeros(len(text), np.int32)
        for start, stop in _batches(text):
            given = text.slice(start, stop - start).to_pylist()
            found = self._library.encode_batch_fast(given, add_special_tokens=False)
            counts[start:stop] = [len(encoding) for encoding in found]
        return pa.array(counts)


def _batches(text: pa.StringArray) -> Iterator[tuple[int, int]]:
    """Runs of texts that end with the one that makes them large enough."""
    ends = np.cumsum(pc.binary_length(text).to_numpy(zero_copy_only=False).astype(np.int64))
    start = 0
    while start < len(ends):
        begun = int(ends[start - 1]) if start else 0
        stop = min(int(np.searchsorted(ends, begun + _BATCH_BYTES)) + 1, len(ends))
        yield start, stop
        start = stop


def load_tokenizer(path: str, digest: str | None = None) -> Tokenizer:
    """Reads a `tokenizer.json`, local or remote.

    The library's threads are switched off unless `TOKENIZERS_PARALLELISM` says otherwise:
    the job has a worker per core already.

    Args:
        path: Of the file.
        digest: sha256 that it has to have; None for any.

    Raises:
        InputError: It is no tokenizer, is another one, draws at random, or cannot encode
            every text.
    """
    data = storage.read_bytes(path)
    found = hashlib.sha256(data).hexdigest()
    if digest is not None and found != digest:
        raise InputError(
            f"tokenizer {path} has the sha256 {found}, and texts were counted with {digest}; "
            "give that file, or annotate again"
        )
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    _refuse_sampling(path, data)
    try:
        library = tokenizers.Tokenizer.from_buffer(data)
    except ValueError as error:
        raise InputError(f"{_no_tokenizer(path)}: {error}") from error
    library.no_truncation()
    library.no_padding()
    _refuse_gaps(path, library)
    return Tokenizer(library, digest=found)


def _no_tokenizer(path: str) -> str:
    return (
        f"{path} is no tokenizer of Hugging Face's `tokenizers` (a file that is mostly called "
        "tokenizer.json)"
    )


def _refuse_sampling(path: str, data: bytes) -> None:
    """Refuses a model that would give a text another count each time."""
    try:
        model = orjson.loads(data)["model"]
        drawn = {name: model.get(name) for name in ("dropout", "alpha")}
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        raise InputError(f"{_no_tokenizer(path)}: {error!r}") from error
    for name, value in drawn.items():
        if value:
            raise InputError(
                f"tokenizer {path} splits text at random (model.{name}={value}), so that no count "
                f"could be repeated; set model.{name} to null"
            )


def _refuse_gaps(path: str, library: tokenizers.Tokenizer) -> None:
    """Refuses a model that fails on characters which it does not know."""
    try:
        library.encode_batch_fast([_RARE], add_special_tokens=False)
    except Exception as error:  # the library raises nothing narrower
        raise InputError(
            f"tokenizer {path} fails on a character that it does not know: {error}. Give its "
            "model a token for what is unknown"
        ) from error


def with_tokens(batch: pa.RecordBatch, tokenizer: Tokenizer) -> pa.RecordBatch:
    """The batch with `n_tokens` (int32) filled in.

    Args:
        batch: With `text` and `n_tokens`.
        tokenizer: Counts.
    """
    place = batch.schema.get_field_index("n_tokens")
    counts = tokenizer.count(batch.column("text"))
    return batch.set_column(place, batch.schema.field(place), counts)
