"""The file of a naive Bayes model: a header in JSON, then its arrays, compressed.

8 bytes   magic and version
4 bytes   length of the header, little-endian
header    JSON: labels, sizes, what the model was trained for
rest      LZMA2: the arrays, each in byte planes (all low bytes, then all high
          ones), numbers that ascend as differences
"""

from __future__ import annotations

import lzma
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from transforms.langid.bayes import BayesModel
from transforms.langid.confidence import FEATURES, Learned
from transforms.langid.grams import ORDERS
from transforms.langid.prepare import PREPARATION

__all__ = ["is_bayes_model", "read_bayes_model", "write_bayes_model"]

_NAME = b"HFLANG\x00"
_MAGIC = _NAME + b"\x02"
_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9}]
_MOST_BYTES = 1 << 30
"""What a file may unpack to: a small file must not fill the memory."""


def is_bayes_model(data: bytes) -> bool:
    """Whether bytes begin as a file of `write_bayes_model`, of any version, does."""
    return data.startswith(_NAME)


def write_bayes_model(model: BayesModel) -> bytes:
    """The bytes of a model's file; equal models give equal bytes."""
    head = orjson.dumps(
        {
            "preparation": PREPARATION,
            "orders": ORDERS,
            "labels": model.labels,
            "grams": len(model.codes),
            "postings": len(model.places),
            "frequent": len(model.frequent),
        },
        option=orjson.OPT_SORT_KEYS,
    )
    body = b"".join(_planes(part) for part in _parts(model))
    packed = lzma.compress(body, lzma.FORMAT_RAW, filters=_FILTERS)
    return _MAGIC + len(head).to_bytes(4, "little") + head + packed


def _parts(model: BayesModel) -> list[npt.NDArray[Any]]:
    return [
        np.diff(model.codes, prepend=np.uint32(0)),
        np.diff(model.starts).astype(np.uint16),
        model.places,
        model.weights,
        model.unseen,
        np.diff(model.frequent, prepend=np.uint64(0)),
        *model.learned,
    ]


def _planes(values: npt.NDArray[Any]) -> bytes:
    little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    return little.view(np.uint8).reshape(len(values), -1).T.tobytes()


def read_bayes_model(data: bytes) -> BayesModel:
    """Reads what `write_bayes_model` wrote.

    Raises:
        ValueError: It is no such file, is cut short or damaged, or is of another
            version of the text's preparation or the n-grams.
    """
    if not is_bayes_model(data):
        raise ValueError("it does not begin as a holdfast language model does")
    if not data.startswith(_MAGIC):
        raise ValueError("its file is of another version: train it again")
    first = len(_MAGIC) + 4
    size = int.from_bytes(data[len(_MAGIC) : first], "little")
    try:
        head = orjson.loads(data[first : first + size])
        body = _unpack(data[first + size :])
        return _read(head, body)
    except (lzma.LZMAError, EOFError, KeyError, TypeError, IndexError) as error:
        raise ValueError(f"the file is cut short or damaged: {error!r}") from error


def _unpack(data: bytes) -> bytes:
    unpacker = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=_FILTERS)
    body = unpacker.decompress(data, _MOST_BYTES)
    if not unpacker.eof:
        raise EOFError("the end of the data is missing")
    return body


def _read(head: dict[str, Any], body: bytes) -> BayesModel:
    if (head["preparation"], tuple(head["orders"])) != (PREPARATION, ORDERS):
        raise ValueError(
            f"it is made for preparation {head['preparation']} and n-grams of {head['orders']}, "
            f"not for {PREPARATION} and {list(ORDERS)}: train it again"
        )
    labels, grams, postings = tuple(head["labels"]), head["grams"], head["postings"]
    kinds: list[tuple[Any, int]] = [
        (np.uint32, grams),
        (np.uint16, grams),
        (np.uint16, postings),
        (np.uint8, postings),
        (np.int32, len(labels)),
        (np.uint64, head["frequent"]),
        *[(np.float64, len(labels))] * 3,
        (np.float64, FEATURES),
    ]
    parts, at = [], 0
    for kind, count in kinds:
        parts.append(_unplane(body, at, kind, count))
        at += count * np.dtype(kind).itemsize
    steps, counts, places, weights, unseen, frequent, *learned = parts
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])
    sound = starts[-1] == postings and counts.min(initial=1) > 0
    if at != len(body) or not sound or places.max(initial=0) >= len(labels):
        raise ValueError("the arrays do not have the size that the header gives")
    codes = np.cumsum(steps, dtype=np.uint32)
    keys = np.cumsum(frequent, dtype=np.uint64)
    postings = (starts, places, weights)
    return BayesModel.of(labels, codes, postings, unseen, keys, Learned(*learned))


def _unplane(body: bytes, at: int, kind: Any, count: int) -> npt.NDArray[Any]:
    width = np.dtype(kind).itemsize
    if at + width * count > len(body):
        raise EOFError("an array is missing")
    planes = np.frombuffer(body, np.uint8, width * count, at).reshape(width, count)
    values: npt.NDArray[Any] = np.ascontiguousarray(planes.T).view(np.dtype(kind).newbyteorder("<"))
    return values.reshape(count)
