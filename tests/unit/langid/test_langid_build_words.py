"""The scripts that build word lists and error rates, on languages of a few words."""

from __future__ import annotations

import importlib
import itertools
import random
import sys
from pathlib import Path
from types import ModuleType

import pytest
from conftest import SENTENCES

from transforms.langid.model import load_model

SCRIPTS = str(Path(__file__).parents[3] / "scripts")
COMMON = ["taxi", "radio", "hotel"]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(SCRIPTS)
    yield importlib.import_module("build_words")
    for name in ("build_words", "build_rates"):
        sys.modules.pop(name, None)


def sentences(words: list[str], count: int = 60, seed: int = 0) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices([*words, *COMMON], k=8)) for _ in range(count)]


def language(syllables: str) -> list[str]:
    return ["".join(pair) for pair in itertools.product(syllables.split(), repeat=2)]


SWA, ISL = language("wa tu ki ha li"), language("ekk það ver mað hef")


def test_words_that_others_share_are_not_listed(script: ModuleType):
    data = {
        "swh_Latn": {"a": sentences(SWA), "b": sentences(SWA, seed=1)},
        "isl_Latn": {"a": sentences(ISL, seed=2), "b": sentences(ISL, seed=3)},
        "eng_Latn": {"a": sentences(language("the and of to in"), seed=4)},
        "zul_Latn": {"a": sentences(language("nga phe zi kwe lo"), seed=5)},
    }
    found = {one.label: one for one in script.build(data)}
    assert set(found["swh_Latn"].words) <= set(SWA)
    assert len(found["swh_Latn"].words) == len(SWA)
    assert found["swh_Latn"].least == 1, "no other language says any of its words"
    assert found["swh_Latn"].miss < 1000
    assert not {word for one in found.values() for word in one.words} & set(COMMON)


def test_a_list_that_another_source_fails_is_no_list(script: ModuleType):
    other = language("mo no po ro so")
    data = {
        "swh_Latn": {"a": sentences(SWA), "b": sentences(other, seed=1)},
        "isl_Latn": {"a": sentences(ISL, seed=2), "b": sentences(ISL, seed=3)},
        "eng_Latn": {"a": sentences(language("the and of to in"), seed=4)},
        "zul_Latn": {"a": sentences(language("nga phe zi kwe lo"), seed=5)},
    }
    assert "swh_Latn" not in {one.label for one in script.build(data)}


def test_documents_are_whole_sentences_of_enough_characters(script: ModuleType):
    given = [f"{n} " + "x" * 40 for n in range(20)]
    found = script.documents(given, chars=100)
    assert " ".join(found).split(" ") == " ".join(given[:18]).split(" ")
    assert all(len(text) >= 100 - 1 for text in found)


def test_rates_count_right_and_wrong_labels(script: ModuleType, train_model):
    rates = importlib.import_module("build_rates")
    model = load_model(str(train_model()))
    said = {f"{code}_{kind}": SENTENCES[code] for code, kind in
            (("eng", "Latn"), ("swh", "Latn"), ("rus", "Cyrl"))}  # fmt: skip
    data = {label: {"a": [text] * 40} for label, text in said.items()}
    data["isl_Latn"] = {"a": [SENTENCES["swh"]] * 40}  # which the model does not know
    found = {label: row for label, *row in rates.measure(data, model)}
    tested = found["swh_Latn"][0]
    assert found["swh_Latn"][1] == tested > 2
    assert found["swh_Latn"][3] == found["isl_Latn"][0], "all of them are taken for Swahili"
    assert found["isl_Latn"][1] == 0
    assert found["rus_Cyrl"][2] == sum(row[0] for row in found.values()) - found["rus_Cyrl"][0]
