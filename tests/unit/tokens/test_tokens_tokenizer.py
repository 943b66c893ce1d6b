"""Counts of tokens: one text at a time by the library, whatever stands beside it."""

from __future__ import annotations

import hashlib
import json
import pathlib

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, processors
from tokenizing import trained, words

from transforms.errors import InputError
from transforms.tokens import tokenizer as module
from transforms.tokens.tokenizer import load_tokenizer, with_tokens

TEXTS = ["the mill by the river", "mto na kinu", "", "水车旁边的河", "the <mill> 🙂\n\tend"]
TEXTS += ["a" * 900]


def written(folder: pathlib.Path, tokenizer: Tokenizer) -> str:
    path = folder / "tokenizer.json"
    path.write_text(tokenizer.to_str())
    return str(path)


def array(texts: list[str]) -> pa.StringArray:
    return pa.array(texts, pa.string())


@pytest.fixture(scope="module")
def pairs() -> Tokenizer:
    return trained(TEXTS)


@pytest.fixture(scope="module")
def counting(pairs: Tokenizer, tmp_path_factory: pytest.TempPathFactory) -> module.Tokenizer:
    return load_tokenizer(written(tmp_path_factory.mktemp("tokenizer"), pairs))


def test_counts_are_those_of_the_library(counting: module.Tokenizer, pairs: Tokenizer):
    found = counting.count(array(TEXTS))
    assert found.type == pa.int32()
    alone = [len(pairs.encode(text, add_special_tokens=False).ids) for text in TEXTS]
    assert found.to_pylist() == alone
    assert alone[2] == 0
    assert counting.count(array([])).to_pylist() == []


def test_words_are_counted_as_a_person_would(tmp_path: pathlib.Path):
    tokenizer = load_tokenizer(written(tmp_path, words("the", "mill")))
    found = tokenizer.count(array(TEXTS)).to_pylist()
    assert found == [len(text.split()) for text in TEXTS]


def test_the_digest_is_of_the_file(tmp_path: pathlib.Path, pairs: Tokenizer):
    path = written(tmp_path, pairs)
    digest = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
    assert load_tokenizer(path, digest).digest == digest
    with pytest.raises(InputError, match="texts were counted with 00; give that file"):
        load_tokenizer(path, "00")


def test_what_a_file_says_of_models_is_no_matter_of_sizes(tmp_path: pathlib.Path):
    tokenizer = words("the", "mill", "[CLS]", "[PAD]")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A", special_tokens=[("[CLS]", 3)]
    )
    tokenizer.enable_truncation(2)
    tokenizer.enable_padding(pad_id=4, length=8)
    assert len(tokenizer.encode("the mill by the river").ids) == 8
    loaded = load_tokenizer(written(tmp_path, tokenizer))
    assert loaded.count(array(["the mill by the river", "the"])).to_pylist() == [5, 1]


@given(st.lists(st.text(max_size=30), max_size=12), st.data())
@settings(max_examples=40)
def test_a_count_does_not_depend_on_other_texts(
    counting: module.Tokenizer, texts: list[str], data: st.DataObject
):
    whole = array(texts)
    at = data.draw(st.integers(0, len(texts)))
    parts = [whole.slice(0, at), whole.slice(at)]
    apart = [n for part in parts for n in counting.count(part).to_pylist()]
    assert counting.count(whole).to_pylist() == apart


@pytest.mark.parametrize("most", [1, 7, 60, 1000])
def test_texts_are_encoded_in_portions(
    counting: module.Tokenizer, monkeypatch: pytest.MonkeyPatch, most: int
):
    given_texts = array(TEXTS * 3)
    expected = counting.count(given_texts)
    monkeypatch.setattr(module, "_BATCH_BYTES", most)
    runs = list(module._batches(given_texts))
    assert [row for start, stop in runs for row in range(start, stop)] == [*range(len(given_texts))]
    for start, stop in runs:
        texts = given_texts.slice(start, stop - start).to_pylist()
        assert sum(len(text.encode()) for text in texts[:-1]) < most
    assert counting.count(given_texts) == expected


def test_a_batch_gets_its_column(counting: module.Tokenizer):
    schema = pa.schema([("n_tokens", pa.int32()), ("text", pa.string()), ("node", pa.uint64())])
    columns = [pa.nulls(3, pa.int32()), array(TEXTS[:3]), pa.array([5, 6, 7], pa.uint64())]
    batch = pa.RecordBatch.from_arrays(columns, schema=schema)
    found = with_tokens(batch, counting)
    assert found.schema == schema
    assert found.column("n_tokens") == counting.count(array(TEXTS[:3]))
    assert found.column("node") == columns[2]
    assert with_tokens(batch.slice(1, 0), counting).num_rows == 0


def model(**more: object) -> bytes:
    kept = json.loads(trained(["a mill"]).to_str())
    return json.dumps(kept | {"model": kept["model"] | more}).encode()


REFUSED = {
    "nothing": (b"", "is no tokenizer"),
    "no JSON": (b"\x0a\x0e\x0a\x05<unk>", "is no tokenizer"),
    "other JSON": (b'{"text": "a"}', "is no tokenizer"),
    "a list": (b"[1]", "is no tokenizer"),
    "a model of no kind": (model(type="Magic"), "is no tokenizer"),
    "half a model": (b'{"model": {"type": "BPE"}}', "is no tokenizer"),
    "dropout": (model(dropout=0.1), r"at random \(model.dropout=0.1\).*set model.dropout to null"),
    "no unknown token": (
        words("a", unknown="none").to_str().encode(),
        "fails on a character that it does not know.*Give its model a token",
    ),
    "an unknown token that is missing": (
        Tokenizer(models.WordPiece({"a": 0})).to_str().encode(),
        "fails on a character that it does not know",
    ),
}


@pytest.mark.parametrize(("data", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_count_is_refused(tmp_path: pathlib.Path, data: bytes, words: str):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(data)
    with pytest.raises(InputError, match=words) as caught:
        load_tokenizer(str(path))
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: pathlib.Path):
    with pytest.raises(InputError, match=r"no\.json.*Check the path"):
        load_tokenizer(str(tmp_path / "no.json"))
