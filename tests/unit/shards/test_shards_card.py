"""The card: front matter that a hub can parse, and the figures of the manifest."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from transforms.records import PUBLISHED
from transforms.shards.card import dataset_card

MANIFEST: dict[str, Any] = {
    "run": "abc",
    "versions": {"holdfast": "0.1.0"},
    "size_unit": "chars",
    "floors": {"original": 0.4, "tail": 0.000001},
    "caps": {"synthetic": 0.3},
    "tail": ["swh_Latn"],
    "languages": {
        "eng_Latn": {"documents": 9, "size": 90, "tail_documents": 0},
        "nor_Latn": {"documents": 1, "size": 10, "tail_documents": 0},
        "swh_Latn": {"documents": 7, "size": 70, "tail_documents": 7},
        "und": {"documents": 1, "size": 1, "tail_documents": 0},
        "zxx": {"documents": 1, "size": 1, "tail_documents": 0},
    },
    "ledger": {"read": 30, "kept": 19, "dropped": {"excluded": 3, "trimmed": 8}, "dead_letters": 0},
    "undecided": {"documents": 0, "reasons": {}, "doc_ids": []},
    "shards": [
        {
            "documents": 10,
            "size": 90,
            "shares": {"original": 0.5, "tail": 0.25, "synthetic_expected": 0.1},
        },
        {
            "documents": 9,
            "size": 82,
            "shares": {"original": 0.45, "tail": 0.5, "synthetic_expected": 0.2},
        },
    ],
}


def manifest(**changes: Any) -> dict[str, Any]:
    return copy.deepcopy(MANIFEST) | changes


def front(card: str) -> dict[str, Any]:
    nothing, matter, _ = card.split("---\n", 2)
    assert nothing == ""
    parsed: dict[str, Any] = yaml.safe_load(matter)
    return parsed


def test_front_matter_points_at_the_shards_alone():
    (config,) = front(dataset_card(MANIFEST))["configs"]
    assert config["data_files"] == [{"split": "train", "path": "data/*.parquet"}]


def test_rare_types_are_told_where_they_were_counted():
    assert "Rare types" not in dataset_card(MANIFEST)
    facts = {"types": 9, "survived": 8, "expected": 5}
    swahili = {"originals": 3, "types": 4, "survived": 4, "expected": 2}
    told = facts | {"most_documents": 5, "by_language": {"swh_Latn": swahili}}
    card = dataset_card(manifest(rare_types=told))
    assert "| all | 9 | 8 | 5 |" in card
    assert "| `swh_Latn` | 4 | 4 | 2 |" in card


def test_front_matter_follows_the_format():
    made = {n: front(dataset_card(manifest(format=n))) for n in ("parquet", "jsonl", "mds", "wds")}
    assert made["parquet"] == front(dataset_card(MANIFEST))
    assert made["jsonl"]["configs"][0]["data_files"][0]["path"] == "data/*.jsonl.zst"
    assert made["wds"]["configs"][0]["data_files"][0]["path"] == "data/*.tar"
    assert "configs" not in made["mds"], "datasets reads no MDS"
    told = {feature.pop("name"): feature for feature in made["jsonl"]["dataset_info"]["features"]}
    assert list(told) == PUBLISHED.names
    assert told["doc_id"] == told["text"] == {"dtype": "string"}
    assert told["origin_evidence"] == {"list": "string"}
    assert (told["lang_score"], told["tail"]) == ({"dtype": "float32"}, {"dtype": "bool"})


@pytest.mark.parametrize("name", ["jsonl", "mds", "wds"])
def test_readers_of_a_format_are_told_what_they_need(name: str):
    plain, card = dataset_card(MANIFEST), dataset_card(manifest(format=name))
    assert card.endswith("\n")
    assert len(card.split("## Fields")[1]) > len(plain.split("## Fields")[1])


def test_languages_are_codes_even_the_one_that_yaml_takes_for_no():
    norwegian = {"no_Latn": {"documents": 1, "size": 1, "tail_documents": 0}}
    assert front(dataset_card(MANIFEST))["language"] == ["eng", "nor", "swh"]
    assert front(dataset_card(manifest(languages=norwegian)))["language"] == ["no"]


@pytest.mark.parametrize(
    ("rows", "category"),
    [
        (0, "n<1K"),
        (999, "n<1K"),
        (1_000, "1K<n<10K"),
        (99_999, "10K<n<100K"),
        (10**6, "1M<n<10M"),
        (10**9 - 1, "100M<n<1B"),
        (10**12, "n>1T"),
    ],
)
def test_size_categories(rows: int, category: str):
    shard = MANIFEST["shards"][0] | {"documents": rows}
    assert front(dataset_card(manifest(shards=[shard])))["size_categories"] == [category]


def test_the_worst_shard_is_shown_for_every_promise():
    card = dataset_card(MANIFEST)
    assert "| original | at least 0.4 | 0.4500 |" in card
    assert "| tail | at least 1e-06 | 0.2500 |" in card
    assert "| synthetic | at most 0.3 | 0.2000 |" in card


def test_a_run_without_promises_says_so():
    assert "## Promises\n\nNone.\n" in dataset_card(manifest(floors={}, caps={}))


def test_the_ledger_is_shown():
    card = dataset_card(MANIFEST)
    for line in (
        "| read | 30 |",
        "| kept | 19 |",
        "| dropped: trimmed | 8 |",
        "| dead letters | 0 |",
    ):
        assert line in card


def test_languages_are_ranked_and_cut():
    card = dataset_card(MANIFEST)
    assert card.index("| `eng_Latn` |  | 9 | 90 |") < card.index("| `swh_Latn` | yes | 7 | 70 |")
    many = {f"l{n:03}_Latn": {"documents": 1, "size": n, "tail_documents": 0} for n in range(205)}
    card = dataset_card(manifest(languages=many))
    assert "5 more in `manifest.json`." in card
    assert "`l204_Latn`" in card
    assert "`l004_Latn`" not in card


def test_the_same_manifest_gives_the_same_card():
    assert dataset_card(manifest()) == dataset_card(manifest())


def test_undecided_documents_are_told_where_there_are_any():
    assert "near-duplicate of theirs" not in dataset_card(MANIFEST)
    card = dataset_card(manifest(undecided={"documents": 12}))
    assert "| kept, though a near-duplicate of theirs may be, too | 12 |" in card


def pins(*runs: str) -> dict[str, Any]:
    pinned = [{"run": run, "gone": []} for run in runs]
    return {"path": "/an/index", "pinned": pinned, "documents": 1234}


def test_earlier_runs_are_named_and_their_places_are_not():
    assert "Earlier runs" not in dataset_card(MANIFEST)
    card = dataset_card(manifest(index=pins("r1", "r2")))
    assert "Compared with 1234 documents that 2 earlier runs published: `r1`, `r2`." in card
    assert "/an/index" not in card
    assert "0 earlier runs published. What" in dataset_card(manifest(index=pins()))
    many = dataset_card(manifest(index=pins(*(f"r{n}" for n in range(30)))))
    assert "`r19` and 10 more in `manifest.json`." in many
    assert "`r20`" not in many
