"""Training: the same bytes again, what teaches, what is refused, what is measured."""

from __future__ import annotations

import dataclasses
import json
import pathlib

import numpy as np
import pyarrow as pa
import pytest
from synthetic_texts import examples, rows, write

from transforms.errors import InputError
from transforms.synthetic.classifier import Classifier
from transforms.synthetic.config import SyntheticConfig
from transforms.synthetic.evaluate import evaluate, evaluate_attacks, scored
from transforms.synthetic.examples import HUMAN, MACHINE, is_untuned, read_examples
from transforms.synthetic.fit import Design, example_weights
from transforms.synthetic.quality import auroc, expected_calibration_error, threshold_at, tpr_at
from transforms.synthetic.sample import REFERENCE, cells_of
from transforms.synthetic.train import make_model, train, trainable

LOOSE = SyntheticConfig(max_fpr=0.1)
"""For references of a hundred texts a family."""


def test_same_data_same_file_whatever_the_order(tmp_path: pathlib.Path) -> None:
    paths = write(tmp_path)
    digests = [train(paths, tmp_path / "a.bin"), train(paths[::-1], tmp_path / "b.bin")]
    assert digests[0] == digests[1]
    assert (tmp_path / "a.bin").read_bytes() == (tmp_path / "b.bin").read_bytes()
    assert train(paths, tmp_path / "c.bin", seed=1) != digests[0]


def test_learns_what_it_is_shown() -> None:
    classifier = Classifier(make_model(examples(320)), digest="")
    unseen = examples(120, seed=9)
    scores = classifier.score(unseen.text).to_numpy()
    assert auroc(scores[unseen.label == HUMAN], scores[unseen.label == MACHINE]) > 0.95
    assert classifier.languages == {"eng_Latn"}


def test_a_language_with_few_examples_is_not_called_trained() -> None:
    given = examples(160)
    lang = given.lang.copy()
    lang[:30] = "deu_Latn"
    assert make_model(dataclasses.replace(given, lang=lang)).languages == ("eng_Latn",)


@pytest.mark.parametrize("label", [HUMAN, MACHINE])
def test_one_origin_is_not_enough(label: str) -> None:
    given = examples()
    with pytest.raises(InputError, match="has no"):
        make_model(given.take(given.label == label))


def test_mixed_texts_and_untuned_models_teach_nothing() -> None:
    given = examples(40)
    label, generator = given.label.copy(), given.generator.copy()
    label[0], generator[1] = "mixed", "gpt2-xl"
    teaches = trainable(dataclasses.replace(given, label=label, generator=generator))
    assert teaches.tolist() == [False, False] + [True] * 38


@pytest.mark.parametrize(
    ("name", "untuned"),
    [
        ("gpt2-xl", True),
        ("opt-2.7b", True),
        ("gpt-j-6B", True),
        ("davinci", True),
        ("llama-7b", True),
        ("text-davinci-003", False),
        ("gpt-4o", False),
        ("human", False),
        ("llama2_7b", False),
        ("Llama-3-70B", False),
        ("bloomz", False),
        ("optimus", False),
    ],
)
def test_untuned_models_are_known_by_name(name: str, untuned: bool) -> None:
    assert is_untuned(name) == untuned


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b'{"text": "x"}',
        json.dumps(rows(1)[0] | {"label": "robot"}).encode(),
        json.dumps(rows(1)[0] | {"text": 3}).encode(),
    ],
)
def test_a_bad_line_is_named(line: bytes, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(json.dumps(rows(1)[0]).encode() + b"\n" + line + b"\n")
    with pytest.raises(InputError, match=r"bad\.jsonl, line 2"):
        read_examples([path])


def test_no_examples(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "empty.jsonl"
    path.write_bytes(b"")
    with pytest.raises(InputError, match="no examples"):
        read_examples([path])


def test_origins_weigh_the_same_within_a_place() -> None:
    machine = np.array([0.0] * 90 + [1.0] * 10 + [0.0] * 50)
    place = np.array([0] * 100 + [1] * 50)
    none = np.zeros(0, np.int32)
    weights = example_weights(Design(none, np.zeros(151, np.int64), machine, place, place))
    assert weights.mean() == pytest.approx(1)
    assert weights[:90].sum() == pytest.approx(weights[90:100].sum())
    assert weights[100:].sum() < weights[:90].sum(), "one origin alone tells little"


def test_ranks_and_shares() -> None:
    human, machine = np.array([1, 2, 3, 4]), np.array([3, 5])
    assert auroc(human, machine) == (2.5 + 4) / 8
    assert auroc(human, human) == 0.5
    assert np.isnan(auroc(human, human[:0]))
    assert threshold_at(np.arange(200), 0.01) == 197
    assert (np.arange(200) > threshold_at(np.arange(200), 0.01)).mean() == 0.01
    assert tpr_at(human, machine, 0.01) == 0.5


def test_calibration_error() -> None:
    chances, machine = np.array([0.05, 0.95, 0.95, 0.55]), np.array([False, True, False, True])
    assert expected_calibration_error(chances, machine) == pytest.approx(
        (0.05 + abs(1.9 - 1) + 0.45) / 4
    )
    assert expected_calibration_error(np.array([0.0, 1.0]), np.array([False, True])) == 0


def test_calibration_error_at_a_prior() -> None:
    # A fifth of what the chances are stated for is machine text, whatever is given.
    chances, machine = np.array([0.2] * 8), np.array([True] * 4 + [False] * 4)
    assert expected_calibration_error(chances, machine) == pytest.approx(0.3)
    assert expected_calibration_error(chances, machine, prior=0.2) == pytest.approx(0)
    assert np.isnan(expected_calibration_error(chances[:4], machine[:4], prior=0.2))


def known(classifier: Classifier, families: int) -> pa.Table:
    """Reference scores of other texts, spread over families of files."""
    parts = [REFERENCE.empty_table()]
    for family in range(families):
        given = examples(200, seed=20 + family)
        raw, letters = classifier.read(given.text)
        columns = [
            pa.array(given.label == MACHINE),
            pa.array(given.lang),
            pa.array(cells_of(pa.array(given.chars), letters)),
            pa.array([f"family{family}__x"] * len(given)),
            raw,
            pa.nulls(len(given), pa.int16()),
        ]
        parts.append(pa.table(columns, schema=REFERENCE).filter(raw.is_valid()))
    return pa.concat_tables(parts)


def test_evaluation_judges_by_other_families() -> None:
    classifier = Classifier(make_model(examples(320)), digest="")
    reference = known(classifier, 5)
    found = scored(examples(1400, seed=3), classifier, reference, LOOSE)
    slices = {(one.kind, one.name): one for one in evaluate(found)}
    whole = slices["all", "all"]
    assert (whole.human, whole.machine) == (700, 700)
    assert whole.abstains < 0.2, "formal texts"
    assert whole.fpr < 0.1
    assert whole.found > 0.5
    assert whole.error < 0.25
    kinds = {kind for kind, _ in slices}
    assert kinds == {"all", "data set", "generator", "domain", "language", "characters"}
    attacks = {one.name: one for one in evaluate_attacks(found, classifier)}
    assert attacks["whitespace"].auroc == whole.auroc
    assert attacks["whitespace"].found == whole.found
    assert attacks["misspelling"].found <= whole.found + 0.2


def test_no_text_is_judged_by_its_own_family() -> None:
    classifier = Classifier(make_model(examples(320)), digest="")
    reference = known(classifier, 4)
    own = dataclasses.replace(examples(200, seed=20), source=np.array(["family0__y"] * 200))
    slices = evaluate(scored(own, classifier, reference, LOOSE))
    assert slices[0].abstains == 1, "three families are too few"
    strange = dataclasses.replace(own, source=np.array(["family9__y"] * 200))
    assert evaluate(scored(strange, classifier, reference, LOOSE))[0].abstains < 0.2


def test_evaluation_abstains_without_a_reference() -> None:
    given = examples(200)
    classifier = Classifier(make_model(given), digest="")
    slices = evaluate(scored(given, classifier, REFERENCE.empty_table(), LOOSE))
    assert [one.abstains for one in slices if one.kind == "all"] == [1.0]
    assert all(np.isnan(one.fpr) and np.isnan(one.error) for one in slices)
