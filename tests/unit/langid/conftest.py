"""Small models, so that most tests need not load the one that ships."""

from collections.abc import Callable
from pathlib import Path

import fasttext
import pytest

from transforms.langid.train import zeroed_memory

SENTENCES = {
    "eng": "the people are born free and equal in dignity and rights",
    "swh": "watu wote wamezaliwa huru hadhi na haki zao ni sawa",
    "rus": "все люди рождаются свободными и равными в своем достоинстве",
    "cmn": "人 人 生 而 自 由 在 尊 严 和 权 利 上 一 律 平 等",
}

Trainer = Callable[..., Path]


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
