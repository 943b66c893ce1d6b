"""The classifier of machine-made text: a raw score for every document.

The score is a margin, not a probability: what it means depends on language and
length, and only a calibration says so. It is the sum of the weights of a
document's features (`wording`), divided by the root of their number, in integer
arithmetic: independent of the batch, the machine and any library of linear
algebra.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import importlib.resources
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from transforms.errors import InputError, UsageError
from transforms.kernels import Buffer, Hashes, Offsets, integer_root, njit
from transforms.synthetic.features import BUCKETS, Room, document_features, room_for
from transforms.synthetic.folding import FOLDING, fold
from transforms.synthetic.manner import CLASSES, MEASURES, Edges
from transforms.synthetic.wording import Buckets, Vocabulary, vocabulary_table
from transforms.utf8 import string_buffers

__all__ = ["LEAST_CHARS", "MOST_CHARS", "SCALE", "Classifier", "Model", "load_classifier"]

LEAST_CHARS: Final = 250
"""Code points below which a text has no score."""
MOST_CHARS: Final = 8_000
"""Code points that are read: no longer text was trained on."""
LEAST_WORDS: Final = 40
"""Tokens below which a text has no score, however long it is."""
SCALE: Final = 1000
"""Of a margin: scores are thousandths."""

_DEFAULT: Final = "synthetic.bin"
_MAGIC: Final = b"holdfast synthetic 1\n"
_FINE: Final = 10
"""Binary digits of a root behind the point."""
_LIMIT: Final = 32_767
_WORD_LETTERS: Final = MEASURES.index("word_letters")

Weights = npt.NDArray[np.int16]


@dataclasses.dataclass(frozen=True, slots=True)
class Model:
    """What a model file holds.

    Attributes:
        words: Hashes of the words that are not masked, ascending.
        edges: Where the classes of the measures begin.
        weights: A weight for every bucket.
        unit: What a weight of 1.0 is written as.
        languages: Labels that the model was trained for, sorted.
    """

    words: Hashes
    edges: Edges
    weights: Weights
    unit: int
    languages: tuple[str, ...]

    def to_bytes(self) -> bytes:
        """The model as a file: a line of JSON, then words and weights, compressed."""
        header = {
            "buckets": BUCKETS,
            "edges": self.edges.tolist(),
            "folding": FOLDING,
            "languages": self.languages,
            "unit": self.unit,
            "words": len(self.words),
        }
        body = self.words.astype("<u8").tobytes() + self.weights.astype("<i2").tobytes()
        return _MAGIC + orjson.dumps(header) + b"\n" + zlib.compress(body, 9)

    @classmethod
    def from_bytes(cls, blob: bytes, name: str) -> Model:
        """Reads a file.

        Args:
            blob: Its content.
            name: What to call it in an error.

        Raises:
            InputError: It is no model, is damaged, or is one for another normal form.
        """
        try:
            return cls._parse(blob)
        except (ValueError, KeyError, TypeError, zlib.error) as error:
            raise InputError(
                f"{name} is no classifier of machine-made text ({error}); "
                f"make one with: holdfast train synthetic --data FILE --out FILE"
            ) from error

    @classmethod
    def _parse(cls, blob: bytes) -> Model:
        if not blob.startswith(_MAGIC):
            raise ValueError("its first line is another")
        line, _, body = blob[len(_MAGIC) :].partition(b"\n")
        header: dict[str, Any] = orjson.loads(line)
        if (header["buckets"], header["folding"]) != (BUCKETS, FOLDING):
            raise ValueError(f"of {header['buckets']} buckets, normal form {header['folding']}")
        raw = zlib.decompress(body)
        split = 8 * int(header["words"])
        words = np.frombuffer(raw[:split], "<u8").astype(np.uint64)
        weights = np.frombuffer(raw[split:], "<i2").astype(np.int16)
        edges = np.array(header["edges"], dtype=np.int32)
        if len(weights) != BUCKETS or edges.shape != (len(MEASURES), CLASSES - 1):
            raise ValueError(f"{len(weights)} weights, edges of shape {edges.shape}")
        return cls(words, edges, weights, int(header["unit"]), tuple(header["languages"]))


class Classifier:
    """Scores texts; made by `load_classifier`.

    Attributes:
        digest: sha256 of the model's file, in hexadecimal.
        languages: Labels of the languages that it was trained for. Text in another
            gets a score as well, which nobody has measured.
    """

    def __init__(self, model: Model, *, digest: str) -> None:
        """Prepares a model for scoring.

        Args:
            model: The model.
            digest: Of its file.
        """
        self.digest = digest
        self.languages = frozenset(model.languages)
        self._vocabulary = vocabulary_table(model.words)
        self._model = model

    def score(self, text: pa.StringArray) -> pa.Int16Array:
        """Raw margins in thousandths; higher means more like machine text.

        A text's score does not depend on the others in the batch.

        Args:
            text: Documents as they were read, no nulls.

        Returns:
            int16, clipped to +-32,767; null for a text of fewer than 250 code points
            or 40 words. Of a longer text than 8,000 code points the start is read.
        """
        return self.read(text)[0]

    def read(self, text: pa.StringArray) -> tuple[pa.Int16Array, pa.Int16Array]:
        """Margins as in `score`, and how long the words are, which tells the register.

        Args:
            text: As for `score`.

        Returns:
            Margins, and the mean letters of a word in hundredths; both null alike.
        """
        head = text
        if len(text) and pc.max(pc.binary_length(text)).as_py() > MOST_CHARS:
            head = pc.utf8_slice_codeunits(text, 0, MOST_CHARS)
        scores, words, letters = score_folded(fold(head), self._model, self._vocabulary)
        short = pc.less(pc.utf8_length(text), LEAST_CHARS).to_numpy(zero_copy_only=False)
        short = short | (words < LEAST_WORDS)
        return pa.array(scores, pa.int16(), mask=short), pa.array(letters, pa.int16(), mask=short)


def score_folded(
    folded: pa.StringArray, model: Model, vocabulary: Vocabulary
) -> tuple[npt.NDArray[np.int16], Buckets, npt.NDArray[np.int16]]:
    """Margins of texts in normal form, whatever their length; tokens, and letters a word.

    Args:
        folded: What `folding.fold` returns.
        model: The model.
        vocabulary: The table of its words.
    """
    offsets, data = string_buffers(folded)
    scores = np.zeros(len(folded), dtype=np.int16)
    tokens = np.zeros(len(folded), dtype=np.int32)
    letters = np.zeros(len(folded), dtype=np.int16)
    room = room_for(offsets)
    weights, unit = model.weights, model.unit
    _score(offsets, data, vocabulary, model.edges, weights, unit, room, scores, tokens, letters)
    return scores, tokens, letters


@njit
def _score(
    offsets: Offsets,
    data: Buffer,
    vocabulary: Vocabulary,
    edges: Edges,
    weights: Weights,
    unit: int,
    room: Room,
    scores: npt.NDArray[np.int16],
    tokens: Buckets,
    letters: npt.NDArray[np.int16],
) -> None:  # pragma: no cover - compiled
    for row in range(len(scores)):
        start, stop = np.int64(offsets[row]), np.int64(offsets[row + 1])
        tokens[row], found = document_features(data, start, stop, vocabulary, edges, room)
        letters[row] = min(room[2][_WORD_LETTERS], _LIMIT)
        total, known = np.int64(0), np.int64(0)
        for bucket in room[4][:found]:
            weight = np.int64(weights[bucket])
            total += weight
            known += weight != 0
        if known:
            root = integer_root(known << (2 * _FINE))
            margin = (total * SCALE << _FINE) // (unit * root)
            scores[row] = min(max(margin, -_LIMIT), _LIMIT)


@functools.cache
def load_classifier(path: str | None = None) -> Classifier:
    """The classifier in a file, or the one that ships with the package.

    Loaded once per process.

    Args:
        path: A file that `holdfast train synthetic` made.

    Raises:
        UsageError: The file does not exist.
        InputError: It is no such model.
    """
    if path is None:
        blob = importlib.resources.files("transforms.data").joinpath(_DEFAULT).read_bytes()
    elif Path(path).is_file():
        blob = Path(path).read_bytes()
    else:
        raise UsageError(f"the classifier {path} does not exist, or is no file")
    model = Model.from_bytes(blob, path or _DEFAULT)
    return Classifier(model, digest=hashlib.sha256(blob).hexdigest())
