"""What changed between two runs, from manifests and shards made for it."""

from __future__ import annotations

import copy
import pathlib
from typing import Any

import pytest
from shards_documents import document, published

from transforms.errors import InputError, UsageError
from transforms.formats.choose import by_name
from transforms.shards.drift import Drift, check_bounds, compare_runs, exceeded
from transforms.shards.layout import digest

TEXTS = {
    "eng_Latn": "it is a long way to the next town and nobody goes there",
    "swh_Latn": "moja mbili tatu nne tano sita saba nane",
}
SHARES = {
    "month": [None, None, "2024-01", None],
    "classifier_measured": [300, 100, 900, 50],
    "classifier_share": [1000, 5000, 9999, None],
    "words_measured": [0, 0, 0, 0],
    "words_share": [None, None, None, None],
}


def run(folder: pathlib.Path, name: str, **changes: Any) -> dict[str, Any]:
    """A manifest, and a shard for it."""
    data = by_name("jsonl").write(
        published(*(document(text, lang=lang) for lang, text in TEXTS.items()))
    )
    (folder / name).mkdir()
    (folder / name / "x.jsonl.zst").write_bytes(data)
    shard = {"path": "x.jsonl.zst", "sha256": digest(data), "documents": 2, "size": 100}
    shard["members"] = {"original": 50, "tail": 20, "synthetic": 0}
    manifest = {"run": name, "size_unit": "chars", "format": "jsonl", "shards": [shard]}
    manifest["languages"] = {
        "eng_Latn": {"size": 80, "tail_documents": 0},
        "swh_Latn": {"size": 20, "tail_documents": 1},
    }
    return manifest | {"decisions": {"synthetic_shares": SHARES}} | changes


def compared(folder: pathlib.Path, one: dict[str, Any], other: dict[str, Any]) -> Drift:
    return compare_runs(str(folder / "new"), other, str(folder / "old"), one)


@pytest.fixture
def runs(tmp_path: pathlib.Path) -> tuple[dict[str, Any], dict[str, Any]]:
    return run(tmp_path, "old"), run(tmp_path, "new")


Runs = tuple[dict[str, Any], dict[str, Any]]


def test_a_run_does_not_differ_from_itself(runs: Runs, tmp_path: pathlib.Path):
    drift = compared(tmp_path, *runs)
    figures = {figure.name: figure for figure in drift.figures}
    assert all(figure.change in (0, None) for figure in drift.figures)
    assert figures["machine_words"].change is None
    # Weighted by what could be measured; months are parts of what has none.
    assert figures["machine_classifier"].after == pytest.approx((300 * 0.1 + 100 * 0.5) / 400)
    assert (figures["ngrams"].after, figures["tail_ngrams"].after) == (13, 4)
    assert not any(drift.lists.values())
    assert list(exceeded(drift, dict.fromkeys(figures, 0.0))) == []


def test_shares_sizes_and_languages_are_compared(runs: Runs, tmp_path: pathlib.Path):
    one, other = runs
    other = copy.deepcopy(other)
    other["shards"][0]["members"] |= {"tail": 5, "clean": 10}
    other["languages"] = {
        "eng_Latn": {"size": 60, "tail_documents": 0},
        "fao_Latn": {"size": 5, "tail_documents": 2},
    }
    drift = compared(tmp_path, one, other)
    figures = {figure.name: figure for figure in drift.figures}
    assert figures["tail"].change == pytest.approx(-0.15)
    assert figures["tail_size"].change == pytest.approx(-0.75)
    assert figures["language:eng_Latn"].change == pytest.approx(-0.25)
    assert figures["language:swh_Latn"].change == -1
    assert figures["language:fao_Latn"].change is None
    # A promise that only one of the runs makes.
    assert (figures["clean"].before, figures["clean"].after) == (None, 0.1)
    assert drift.lists["languages_lost"] == drift.lists["tail_lost"] == ("swh_Latn",)
    assert drift.lists["languages_gained"] == drift.lists["tail_gained"] == ("fao_Latn",)
    record = drift.record()
    assert record["figures"]["tail_lost"] == {"kind": "count", "before": 0, "after": 1, "change": 1}
    assert (record["before"], record["after"]) == ("old", "new")


BOUNDS = {
    "within": ({"tail": 0.15001, "language:eng_Latn": 0.25, "tail_lost": 1}, []),
    "a share": ({"tail": 0.1}, ["tail was 0.2000 and is 0.0500: the change is -0.15"]),
    "a size": ({"language:swh_Latn": 0.9}, ["language:swh_Latn was 20 and is 0"]),
    "a language": ({"languages_lost": 0}, ["languages_lost was 0 and is 1"]),
    "what was nothing": ({"language:fao_Latn": 9}, ["the change cannot be told"]),
    "what only one can tell": ({"clean": 9}, ["clean was unknown and is 0.1000"]),
    "what neither can tell": ({"machine_words": 0}, []),
    "what neither has": ({"language:deu_Latn": 0}, []),
}


@pytest.mark.parametrize(("bounds", "words"), BOUNDS.values(), ids=BOUNDS.keys())
def test_bounds(runs: Runs, tmp_path: pathlib.Path, bounds: dict[str, float], words: list[str]):
    one, other = runs
    other["shards"][0]["members"] |= {"tail": 5, "clean": 10}
    other["languages"]["eng_Latn"]["size"] = 60
    other["languages"]["fao_Latn"] = other["languages"].pop("swh_Latn")
    drift = compared(tmp_path, one, other)
    check_bounds(drift, bounds)
    found = list(exceeded(drift, bounds))
    assert len(found) == len(words)
    assert all(word in sentence for word, sentence in zip(words, found, strict=True))


def test_a_bound_on_nothing_is_refused(runs: Runs, tmp_path: pathlib.Path):
    with pytest.raises(UsageError, match="did you mean 'tail_ngrams'"):
        check_bounds(compared(tmp_path, *runs), {"tail_ngram": 0.1})


def test_runs_in_other_units_are_not_compared(runs: Runs, tmp_path: pathlib.Path):
    one, other = runs
    with pytest.raises(InputError, match="only runs of one unit"):
        compared(tmp_path, one | {"size_unit": "docs"}, other)


def test_a_shard_that_changed_is_refused(runs: Runs, tmp_path: pathlib.Path):
    (tmp_path / "old" / "x.jsonl.zst").write_bytes(b"other")
    with pytest.raises(InputError, match="its manifest says"):
        compared(tmp_path, *runs)


@pytest.mark.parametrize("name", ["languages", "decisions", "shards"])
def test_a_damaged_manifest_is_told(runs: Runs, tmp_path: pathlib.Path, name: str):
    one, other = runs
    for value in (None, 5, [1], {"synthetic_shares": 1, "a": 1}):
        with pytest.raises(InputError):
            compared(tmp_path, one | {name: value}, other)


def test_runs_without_shards_are_compared(runs: Runs, tmp_path: pathlib.Path):
    one, other = runs
    drift = compared(tmp_path, one, other | {"shards": [], "languages": {}})
    figures = {figure.name: figure for figure in drift.figures}
    assert (figures["ngrams"].after, figures["ngrams"].change) == (0, -1)
    assert figures["tail"].after is None
