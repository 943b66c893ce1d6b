"""Small models, so that most tests need not load the one that ships."""

import contextlib
import ctypes
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import fasttext
import pytest

from transforms.langid.bayes import BayesModel
from transforms.langid.train import learn

SENTENCES = {
    "eng": "the people are born free and equal in dignity and rights",
    "swh": "watu wote wamezaliwa huru hadhi na haki zao ni sawa",
    "rus": "все люди рождаются свободными и равными в своем достоинстве",
    "cmn": "人 人 生 而 自 由 在 尊 严 和 权 利 上 一 律 平 等",
}

Trainer = Callable[..., Path]
_M_PERTURB = -6  # of glibc's malloc.h


@contextlib.contextmanager
def zeroed_memory() -> Iterator[None]:
    """Has malloc hand out zeroed memory.

    fastText 0.9.3 with one thread initialises a tenth of its input matrix and leaves the
    rest as malloc gives it. glibc fills what it hands out with the complement of this
    setting; no other C library has the switch.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        yield
        return
    mallopt(_M_PERTURB, 0xFF)
    try:
        yield
    finally:
        mallopt(_M_PERTURB, 0)


WORDS = {
    "eng_Latn": "the of and people right freedom every person shall have law no one may be to",
    "swh_Latn": "na ya kwa wote mtu haki kila watu huru sheria hakuna lazima awe au katika kuwa",
    "rus_Cyrl": "и все люди право свобода каждый человек закон или быть его на не что имеет",
    "deu_Latn": "der die das und jeder mensch hat recht auf freiheit ohne oder nicht werden ist",
}


def sentences(label: str, count: int = 80, seed: int = 1) -> list[str]:
    """Sentences of a label's own words."""
    rng = random.Random(f"{label}{seed}")
    return [" ".join(rng.choices(WORDS[label].split(), k=9)) for _ in range(count)]


@pytest.fixture(scope="session")
def make_sentences() -> Callable[..., list[str]]:
    """Makes sentences of a label: `make_sentences(label, count, seed)`."""
    return sentences


@pytest.fixture(scope="session")
def small_model() -> BayesModel:
    """A model of four languages and of text without language."""
    return learn({label: {"a": sentences(label), "b": sentences(label, 30, 2)} for label in WORDS})


@pytest.fixture(scope="session")
def train_model(tmp_path_factory: pytest.TempPathFactory) -> Trainer:
    """Trains a fastText model on `SENTENCES`, with labels and arguments as told."""

    def make(
        labels: tuple[str, ...] = ("eng_Latn", "swh_Latn", "rus_Cyrl", "zxx"),
        *,
        quantise: bool = False,
        **arguments: object,
    ) -> Path:
        folder = tmp_path_factory.mktemp("model")
        lines = []
        for label, sentence in zip(labels, SENTENCES.values(), strict=False):
            words = sentence.split()
            lines += [f"__label__{label} {' '.join(words[i % 5 :])}\n" for i in range(60)]
        (folder / "lines.txt").write_text("".join(lines), encoding="utf-8")
        settings: dict[str, object] = {
            "minn": 2,
            "maxn": 4,
            "minCount": 1_000_000,
            "bucket": 1000,
            "dim": 16,
            "lr": 0.1,
            "epoch": 40,
            "loss": "softmax",
            "thread": 1,
            "verbose": 0,
        }
        with zeroed_memory():
            model = fasttext.train_supervised(
                input=str(folder / "lines.txt"), **{**settings, **arguments}
            )
        if quantise:
            model.quantize(qnorm=True, dsub=4)
        path = folder / ("model.ftz" if quantise else "model.bin")
        model.save_model(str(path))
        return path

    return make
