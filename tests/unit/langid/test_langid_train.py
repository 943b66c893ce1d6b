import gzip
import itertools
import random
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.errors import InputError
from transforms.langid import train as module
from transforms.langid.model import load_model
from transforms.langid.train import read_sentences, train, windows
from transforms.langid.zxx import generate

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


@given(
    st.lists(st.text("ab ", min_size=1, max_size=60), min_size=1, max_size=5),
    st.integers(1, 5000),
    st.integers(0, 99),
)
def test_windows_keep_to_their_length_and_budget(texts: list[str], chars: int, seed: int) -> None:
    found = list(windows(texts, chars, random.Random(seed), longest=200))
    assert all(20 <= len(window) <= 220 for window in found)
    limit = min(chars, 4 * sum(map(len, texts)))
    assert limit <= sum(map(len, found)) <= limit + 220
    assert found == list(windows(texts, chars, random.Random(seed), longest=200))


def test_generated_noise_is_repeatable_and_bounded() -> None:
    texts = generate(300, random.Random(3))
    assert texts == generate(300, random.Random(3))
    assert all(15 <= len(text) <= 600 for text in texts)
    assert len(set(texts)) > 290


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {**module.SETTINGS, "bucket": 4096, "dim": 8, "epoch": 3}
    monkeypatch.setattr(module, "SETTINGS", settings)
    monkeypatch.setattr(module, "_ZXX", 50)


@pytest.mark.usefixtures("small")
def test_the_same_data_and_seed_give_the_same_model(tmp_path: Path) -> None:
    data = write(tmp_path / "data.jsonl")
    first = train([data], tmp_path / "first.ftz", seed=1)
    assert train([data], tmp_path / "second.ftz", seed=1) == first
    assert train([data], tmp_path / "third.ftz", seed=2) != first
    model = load_model(str(tmp_path / "first.ftz"))
    assert model.digest == first
    assert model.labels == ("eng_Latn", "swh_Latn", "zxx")
