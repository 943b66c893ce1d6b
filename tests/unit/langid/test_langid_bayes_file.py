from pathlib import Path

import numpy as np
import orjson
import pytest

from transforms.errors import InputError
from transforms.langid.bayes import BayesModel
from transforms.langid.bayes_file import is_bayes_model, read_bayes_model, write_bayes_model
from transforms.langid.model import load_model

PARTS = (
    "codes",
    "starts",
    "places",
    "weights",
    "unseen",
    "frequent",
    "packed",
    "table",
    "keys",
)


def test_what_is_written_is_read(small_model: BayesModel) -> None:
    data = write_bayes_model(small_model)
    assert is_bayes_model(data)
    read = read_bayes_model(data)
    assert read.labels == small_model.labels
    for name in PARTS:
        np.testing.assert_array_equal(getattr(read, name), getattr(small_model, name))
    for name, values in small_model.learned._asdict().items():
        np.testing.assert_array_equal(getattr(read.learned, name), values)
    assert write_bayes_model(read) == data


def test_a_file_of_another_version_is_refused(small_model: BayesModel, tmp_path: Path) -> None:
    data = write_bayes_model(small_model)
    path = tmp_path / "old.bayes"
    path.write_bytes(data[:7] + b"\x01" + data[8:])
    with pytest.raises(InputError, match="another version: train it again"):
        load_model(str(path))


@pytest.mark.parametrize("share", [0.0, 0.001, 0.01, 0.1, 0.5, 0.9, 0.999])
def test_a_file_cut_short_is_refused(small_model: BayesModel, tmp_path: Path, share: float) -> None:
    data = write_bayes_model(small_model)
    path = tmp_path / "cut.bayes"
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(InputError, match=r"cut\.bayes"):
        load_model(str(path))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9])
def test_a_damaged_body_is_refused(small_model: BayesModel, share: float) -> None:
    data = write_bayes_model(small_model)
    body = 12 + int.from_bytes(data[8:12], "little")
    at = body + int(share * (len(data) - body))
    spoiled = data[:at] + bytes(8) + data[at + 8 :]
    with pytest.raises(ValueError, match=r"damaged|size"):
        read_bayes_model(spoiled)


def test_a_model_of_another_preparation_is_refused(small_model: BayesModel) -> None:
    data = write_bayes_model(small_model)
    size = int.from_bytes(data[8:12], "little")
    head = orjson.loads(data[12 : 12 + size])
    other = orjson.dumps({**head, "preparation": 999})
    spoiled = data[:8] + len(other).to_bytes(4, "little") + other + data[12 + size :]
    with pytest.raises(ValueError, match="train it again"):
        read_bayes_model(spoiled)
