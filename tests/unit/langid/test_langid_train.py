import gzip
import itertools
import random
from pathlib import Path

import orjson
import pytest

from transforms.errors import InputError
from transforms.langid import train as module
from transforms.langid.model import load_model
from transforms.langid.train import read_sentences, train

LINES = """\
eng the of and people right freedom every person shall have law no one may be
sw na ya kwa wote mtu haki kila watu huru sheria hakuna lazima awe au
"""
WORDS = {code: words for code, *words in map(str.split, LINES.splitlines())}


def write(path: Path, *, rows: int = 40, lang: tuple[str, ...] = ("eng", "sw")) -> Path:
    rng = random.Random(1)
    lines = [
        {"text": " ".join(rng.choices(WORDS[code], k=8)), "lang": code, "source": f"s{i % 2}"}
        for code, i in itertools.product(lang, range(rows))
    ]
    data = b"\n".join(map(orjson.dumps, lines))
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_reads_sentences_by_canonical_label_and_source(tmp_path: Path, name: str) -> None:
    found = read_sentences([write(tmp_path / name)])
    assert {label: sorted(sources) for label, sources in found.items()} == {
        "eng_Latn": ["s0", "s1"],
        "swh_Latn": ["s0", "s1"],
    }


def test_leaves_out_a_source_of_one_label(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", rows=80)
    found = read_sentences([path], [("swh_Latn", "s1")])
    assert sorted(found["swh_Latn"]) == ["s0"]
    assert sorted(found["eng_Latn"]) == ["s0", "s1"]


def test_malay_goes_by_one_label(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    row = {"text": "semua orang", "lang": "zlm_Latn", "source": "s"}
    path.write_bytes(b"\n".join([orjson.dumps(row)] * 30))
    assert list(read_sentences([path])) == ["zsm_Latn"]


def test_a_label_of_few_sentences_is_left_out(tmp_path: Path) -> None:
    few = write(tmp_path / "few.jsonl", rows=24, lang=("sw",))
    many = write(tmp_path / "many.jsonl", rows=25, lang=("eng",))
    assert list(read_sentences([few, many])) == ["eng_Latn"]


@pytest.mark.parametrize(
    "line", [b"[]", b"{", b'{"text": "x", "lang": "eng"}', b'{"text": "", "lang": "?"}']
)
def test_a_line_that_is_no_sentence_is_named(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(b'{"text": "x", "lang": "eng", "source": "s"}\n' + line)
    with pytest.raises(InputError, match=r"bad\.jsonl, line 2"):
        read_sentences([path])


def test_too_little_to_learn_from_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "few.jsonl", rows=3)
    with pytest.raises(InputError, match="no language has 25 sentences"):
        train([path], tmp_path / "model.bayes")


def test_the_same_data_and_seed_give_the_same_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ZXX", 50)
    data = write(tmp_path / "data.jsonl")
    first = train([data], tmp_path / "first.bayes", seed=1)
    assert train([data], tmp_path / "second.bayes", seed=1) == first
    assert train([data], tmp_path / "third.bayes", seed=2) != first
    model = load_model(str(tmp_path / "first.bayes"))
    assert model.digest == first
    assert model.labels == ("eng_Latn", "swh_Latn", "zxx")
