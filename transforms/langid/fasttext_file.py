"""Reads the arrays of a fastText model whose features are character n-grams alone.

The layout is that of fastText 0.9 (file version 12), little-endian: a header,
the arguments, the dictionary, the input and the output matrix, each of them
dense or product-quantised (fastText: `fasttext.cc`, `dictionary.cc`,
`quantmatrix.cc`, `productquantizer.cc`).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["NgramModel", "read_ngram_model"]

_MAGIC, _VERSION = 793_712_314, 12
_SOFTMAX, _SUPERVISED = 3, 3
_LABEL = 1
_CENTROIDS = 256

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class NgramModel:
    """What a prediction needs.

    Attributes:
        labels: As the file has them, prefix included.
        input: float32, buckets by dimensions.
        output: float32, dimensions by labels.
        shortest, longest: Length of the n-grams in code points.
    """

    labels: tuple[str, ...]
    input: Floats
    output: Floats
    shortest: int
    longest: int


class _Reader:
    """A cursor over the file."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def values(self, layout: str) -> tuple[int, ...]:
        found = struct.unpack_from("<" + layout, self._data, self._at)
        self._at += struct.calcsize("<" + layout)
        return found

    def string(self) -> str:
        end = self._data.index(b"\0", self._at)
        found = self._data[self._at : end].decode("utf-8")
        self._at = end + 1
        return found

    def floats(self, count: int) -> Floats:
        return self.array(4 * count).view(np.float32)

    def array(self, size: int) -> npt.NDArray[np.uint8]:
        if size < 0 or self._at + size > len(self._data):
            raise ValueError("the file ends within a matrix")
        self._at += size
        return np.frombuffer(self._data, np.uint8, size, self._at - size)


def read_ngram_model(data: bytes) -> NgramModel | None:
    """Reads a model.

    Args:
        data: The whole file.

    Returns:
        The model, or None if it is a fastText model that has features or an output
        of another kind (words, pruned n-grams, hierarchical softmax).

    Raises:
        ValueError: It is no fastText model, or is cut short.
    """
    reader = _Reader(data)
    try:
        return _read(reader)
    except (struct.error, IndexError) as error:
        raise ValueError(f"the file is cut short: {error}") from error


def _read(reader: _Reader) -> NgramModel | None:
    if reader.values("ii") != (_MAGIC, _VERSION):
        raise ValueError("it does not begin as a fastText model of file version 12 does")
    dim, _, _, _, _, word_ngrams, loss, kind, bucket, shortest, longest, _ = reader.values("12i")
    reader.values("d")
    size, words, _, _, pruned = reader.values("iiiqq")
    if (loss, kind, words, word_ngrams) != (_SOFTMAX, _SUPERVISED, 0, 1) or pruned > 0:
        return None
    labels = tuple(_label(reader) for _ in range(size))
    inputs = _matrix(reader, *reader.values("?"))
    outputs = _matrix(reader, *reader.values("?"))
    if inputs.shape != (bucket, dim) or outputs.shape != (len(labels), dim) or shortest < 1:
        raise ValueError("the matrices do not have the size that the header gives")
    return NgramModel(labels, inputs, np.ascontiguousarray(outputs.T), shortest, longest)


def _label(reader: _Reader) -> str:
    label = reader.string()
    _, kind = reader.values("qb")
    if kind != _LABEL:
        raise ValueError(f"the dictionary's entry {label!r} is no label")
    return label


def _matrix(reader: _Reader, quantised: int) -> Floats:
    if not quantised:
        rows, columns = reader.values("qq")
        return reader.floats(rows * columns).reshape(rows, columns)
    with_norm, rows, _, code_size = reader.values("?qqi")
    codes = reader.array(code_size)
    decoded = _decode(reader, codes, rows)
    if not with_norm:
        return decoded
    codes = reader.array(rows)
    return decoded * _decode(reader, codes, rows)


def _decode(reader: _Reader, codes: npt.NDArray[np.uint8], rows: int) -> Floats:
    """Puts every row together from the centroids that its codes name."""
    dim, parts, width, last = reader.values("4i")
    centroids = reader.floats(dim * _CENTROIDS)
    codes = codes.reshape(rows, parts)
    decoded = np.empty((rows, dim), np.float32)
    for part in range(parts):
        size = width if part < parts - 1 else last
        first = part * _CENTROIDS * width
        book = centroids[first : first + _CENTROIDS * size].reshape(_CENTROIDS, size)
        decoded[:, part * width : part * width + size] = book[codes[:, part]]
    return decoded
