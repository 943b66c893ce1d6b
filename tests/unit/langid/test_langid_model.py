import hashlib
import importlib.resources
from pathlib import Path
from typing import Any

import fasttext
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.errors import InputError, UsageError
from transforms.langid.fasttext_file import read_ngram_model
from transforms.langid.model import load_model, model_digest
from transforms.langid.prepare import fold

TEXTS = (
    "the people are free",
    "watu wote wamezaliwa huru",
    "все люди",
    "unseen wörter ñ 漢 😀",
    "a",
)


def strings(*texts: str) -> pa.StringArray:
    return pa.array(texts, pa.string())


def library(path: Path, text: str, k: int) -> tuple[list[str], list[float]]:
    labels, scores = fasttext.load_model(str(path)).predict([text], k=k)
    return [label.removeprefix("__label__") for label in labels[0]], scores[0].tolist()


@pytest.mark.parametrize(
    ("arguments", "kernel", "why"),
    [
        ({}, True, "dense, n-grams alone"),
        ({"quantise": True}, True, "product-quantised, as shipped"),
        ({"bucket": 1024}, True, "a power of two, which takes another way"),
        ({"minn": 1, "maxn": 3}, True, "single characters, but not the word's marks"),
        ({"minCount": 1}, False, "words as well"),
        ({"minCount": 1, "minn": 0, "maxn": 0}, False, "words alone"),
        ({"loss": "hs"}, False, "hierarchical softmax, as in lid.176"),
        ({"wordNgrams": 2}, False, "word n-grams"),
    ],
)
def test_predicts_as_the_library_does(
    train_model: Any, arguments: dict[str, Any], kernel: bool, why: str
) -> None:
    path = train_model(**arguments)
    assert (read_ngram_model(path.read_bytes()) is not None) is kernel, why
    model = load_model(str(path))
    found = model.predict(strings(*TEXTS), k=2)
    for row, text in enumerate(TEXTS):
        labels, scores = library(path, text, 2)
        if scores:
            assert [model.labels[place] for place in found.labels[row]] == labels
            # The library sums in another order; one unit of rounding may differ.
            assert np.abs(found.scores[row] - 10_000 * np.array(scores)).max() <= 1.5


def test_sorts_and_translates_labels(train_model: Any) -> None:
    model = load_model(str(train_model(("en", "swa", "ru-RU", "zho_Hans"))))
    assert model.labels == ("cmn_Hans", "eng_Latn", "rus_Cyrl", "swh_Latn")
    best = model.predict(strings("the people are born free", "人 人 生 而 自 由"), k=1).labels
    assert [model.labels[place] for place in best[:, 0]] == ["eng_Latn", "cmn_Hans"]


def test_labels_that_are_one_language_are_named_once(train_model: Any) -> None:
    model = load_model(str(train_model(("en", "swa_Latn", "swh_Latn", "zho"))))
    assert model.labels == ("cmn_Hans", "eng_Latn", "swh_Latn")
    found = model.predict(strings(*SENTENCES), k=3)
    assert all(sorted(row) == [0, 1, 2] for row in found.labels.tolist())
    assert (np.diff(found.scores, axis=1) <= 0).all()


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        (("en", "sw", "ru", "zh"), "lid.176"),
        (("eng_Latn", "swh_Latn", "rus_Cyrl", "zho_Hans"), "NLLB and OpenLID"),
        (("eng_Latn", "swh_Latn", "rus_Cyrl", "cmn_Hani"), "GlotLID"),
    ],
)
def test_label_styles_of_known_models(train_model: Any, labels: tuple[str, ...], why: str) -> None:
    model = load_model(str(train_model(labels)))
    assert model.labels == ("cmn_Hans", "eng_Latn", "rus_Cyrl", "swh_Latn"), why
    best = model.predict(strings("watu wote wamezaliwa huru"), k=1).labels[0, 0]
    assert model.labels[best] == "swh_Latn"


def test_what_is_known_is_neutral_where_a_model_does_not_say(train_model: Any) -> None:
    found = load_model(str(train_model())).predict(strings("the people", ""), k=2)
    assert found.known.tolist() == [10_000, 0]


def test_less_is_known_of_a_language_that_the_model_lacks() -> None:
    known = "Kila mtu ana haki ya kusema na kufikiri kwa uhuru bila kuingiliwa na mtu mwingine."
    unknown = "Kelo mtzu nna hakje yi kosima ni kofekerri kwo ohoro bele koengelewi ni mzu nengeni."
    found = default_model().predict(fold(strings(known, unknown)), k=2)
    assert found.known[0] > found.known[1]
    assert found.scores[0, 0] > found.scores[1, 0]


@pytest.mark.parametrize(
    "text",
    [
        "\u200f\u202eabc",
        "\ue000\ue001",
        "ÃƒÂ©tÃƒÂ© Ã§a",
        "😀" * 400,
        "7" * 5000,
        "a",
        "\x00",
        "ж漢aא",
    ],
)
def test_odd_texts_get_a_score(text: str) -> None:
    found = default_model().predict(fold(strings(text)), k=3)
    assert ((found.scores >= 0) & (found.scores <= 10_000)).all()
    assert ((found.known >= 0) & (found.known <= 20_000)).all()


def test_the_model_that_ships_is_small_and_knows_many_languages() -> None:
    labels = default_model().labels
    assert len({label.partition("_")[0] for label in labels} - {"zxx"}) >= 450
    assert "zxx" in labels
    size = (importlib.resources.files("transforms.data") / "langid.bayes").read_bytes()
    assert len(size) <= 12_000_000


SENTENCES = ("the people are born free", "watu wote wamezaliwa huru", "все люди")


@pytest.mark.parametrize("arguments", [{}, {"minCount": 1}])
def test_empty_text_has_no_label(train_model: Any, arguments: dict[str, Any]) -> None:
    model = load_model(str(train_model(**arguments)))
    found = model.predict(strings("", "the people"), k=2)
    assert found.labels[0].tolist() == [-1, -1]
    assert found.scores[0].tolist() == [0, 0]
    assert found.labels[1, 0] == model.labels.index("eng_Latn")
    assert model.predict(strings(), k=2).labels.shape == (0, 2)


def test_more_labels_wanted_than_there_are(train_model: Any) -> None:
    found = load_model(str(train_model())).predict(strings("the people"), k=6)
    assert found.labels[0, 4:].tolist() == [-1, -1]
    assert found.scores.shape == (1, 6)


def test_digest_is_the_files_sha256(train_model: Any) -> None:
    path = train_model()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert load_model(str(path)).digest == model_digest(str(path)) == digest
    assert default_model().digest == model_digest()


def test_a_digest_is_of_a_model(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"text")
    with pytest.raises(InputError, match=r"model\.bin"):
        model_digest(str(tmp_path / "model.bin"))


@settings(deadline=None)  # the first example compiles the kernels
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), max_size=6))
def test_a_row_depends_on_its_text_alone(texts: list[str]) -> None:
    model = default_model()
    together = model.predict(fold(strings(*texts)), k=3)
    for row, text in enumerate(texts):
        alone = model.predict(fold(strings(text)), k=3)
        assert alone.labels[0].tolist() == together.labels[row].tolist()
        assert alone.scores[0].tolist() == together.scores[row].tolist()
    assert ((together.scores >= 0) & (together.scores <= 10_000)).all()


def default_model() -> Any:
    if not hasattr(default_model, "model"):
        default_model.model = load_model()  # type: ignore[attr-defined]
    return default_model.model  # type: ignore[attr-defined]


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file"):
        load_model(str(tmp_path / "absent.ftz"))


def test_labels_that_are_no_languages_are_refused(train_model: Any) -> None:
    path = train_model(("positive", "negative"))
    with pytest.raises(InputError, match=r"model\.bin.*'__label__(positive|negative)'"):
        load_model(str(path))


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    for content in (b"", b"text", b"\0" * 100):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"model\.bin"):
            load_model(str(path))


@pytest.mark.parametrize("quantise", [False, True])
@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.999])
def test_a_file_cut_short_is_refused(
    train_model: Any, tmp_path: Path, quantise: bool, share: float
) -> None:
    whole = train_model(quantise=quantise).read_bytes()
    path = tmp_path / "cut.bin"
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(InputError, match=r"cut\.bin"):
        load_model(str(path))
