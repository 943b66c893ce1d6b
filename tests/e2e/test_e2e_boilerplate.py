"""Pages that share a notice: near-duplicates with it, and not without it."""

from __future__ import annotations

import json
import pathlib
import random
from typing import Any

import pytest
import yaml
from running import digests, holdfast, read_manifest, rows, succeed

pytestmark = pytest.mark.slow

NOTICE = " ".join(f"term{n}" for n in range(400))
"""A notice long enough to make near-duplicates of short pages."""
PAGES = 12


def page(number: int) -> str:
    draw = random.Random(number)
    own = " ".join("".join(draw.choices("abcdefghij", k=6)) for _ in range(20))
    return f"{NOTICE}\n{own}"


def corpus(folder: pathlib.Path) -> pathlib.Path:
    texts = [page(n) for n in range(PAGES)]
    edited = page(0) + " more"  # a near-duplicate with the notice and without
    lines = [{"text": text, "date": f"2021-03-{n + 1:02}"} for n, text in enumerate(texts)]
    lines += [{"text": edited, "date": "2021-05"}, {"text": page(1).upper(), "date": "2021-06-07"}]
    lines += [{"text": NOTICE, "date": "2021-07-08"}, {"text": "something else entirely"}]
    path = folder / "pages.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def configured(folder: pathlib.Path, name: str, **boilerplate: Any) -> pathlib.Path:
    config = {
        "input": [str(corpus(folder))],
        "output": str(folder / name),
        "no_floors": True,
        "shard_size": 100_000,
        "dedup": {"boilerplate": boilerplate},
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def published(folder: pathlib.Path, name: str, *flags: str, **boilerplate: Any) -> pathlib.Path:
    succeed("curate", configured(folder, name, **boilerplate), *flags)
    return folder / name


def test_without_cutting_one_page_remains(tmp_path: pathlib.Path):
    run = published(tmp_path, "whole")
    texts = [row["text"] for row in rows(run, "data")]
    assert len([text for text in texts if NOTICE in text]) == 1
    assert "boilerplate" not in read_manifest(run)


def test_cutting_lets_pages_differ_and_publishes_them_whole(tmp_path: pathlib.Path):
    run = published(tmp_path, "cut", min_documents=5)
    found = {row["text"]: row for row in rows(run, "data")}
    kept = {*(page(n) for n in range(PAGES)), NOTICE, "something else entirely"}
    assert found.keys() == kept
    dropped = {row["reason"]: row for row in rows(run, "dropped")}
    assert dropped.keys() == {"near_duplicate", "exact_duplicate"}
    # The similarity is that of what near-deduplication saw.
    assert dropped["near_duplicate"]["similarity"] == pytest.approx(16 / 17)
    told = read_manifest(run)["boilerplate"]
    assert (told["cut"], told["paragraphs"], told["documents"]) == (True, 1, PAGES + 3)
    assert told["characters"] == (PAGES + 2) * (len(NOTICE) + 1) + len(NOTICE)
    assert sum(entry["documents"] for entry in told["by_language"].values()) == PAGES + 3
    assert [entry["documents"] for entry in told["top"]] == [PAGES + 2]
    spans = {text: (row["first_date"], row["last_date"]) for text, row in found.items()}
    assert spans[page(0)] == ("2021-03-01", "2021-05-31")
    assert spans[page(1)] == ("2021-03-02", "2021-06-07")
    assert spans[page(2)] == ("2021-03-03", "2021-03-03")
    assert spans["something else entirely"] == (None, None)
    assert holdfast("verify", run).code == 0
    shown = succeed("inspect", run).out
    assert f"boilerplate: 1 paragraphs that recur, {told['characters']:,} characters" in shown
    assert "left out of what was compared" in shown
    assert not (tmp_path / "cut.staging" / "spool").exists()


def test_counting_changes_nothing_else(tmp_path: pathlib.Path):
    whole = published(tmp_path, "whole")
    counted = published(tmp_path, "counted", min_documents=5, cut=False)
    assert digests(whole, "data", "dropped") == digests(counted, "data", "dropped")
    told = read_manifest(counted)["boilerplate"]
    assert (told["cut"], told["paragraphs"], told["documents"]) == (False, 1, PAGES + 3)


def test_another_way_to_travel_gives_the_same_bytes(tmp_path: pathlib.Path):
    one = published(tmp_path, "one", min_documents=5)
    other = published(tmp_path, "other", "--exchange", "shuffle", min_documents=5)
    assert digests(one) == digests(other)


def test_an_index_and_cutting_exclude_each_other(tmp_path: pathlib.Path):
    config = configured(tmp_path, "cut", min_documents=5)
    ran = holdfast("curate", config, "--index", tmp_path / "index")
    assert ran.code == 2
    assert "cannot be compared with those of an index" in ran.refusal
    counted = configured(tmp_path, "counted", min_documents=5, cut=False)
    assert holdfast("curate", counted, "--index", tmp_path / "index").code == 0


def test_an_index_refuses_a_staging_folder_made_for_cutting(tmp_path: pathlib.Path):
    run = published(tmp_path, "cut", min_documents=5)
    flags = ("--output", tmp_path / "again", "--no-floors", "--index", tmp_path / "index")
    ran = holdfast("select", f"{run}.staging", *flags)
    assert ran.code == 2
    assert "was annotated for it" in ran.refusal


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"min_documents": 1}, "dedup.boilerplate.min_documents"),
        ({"min_documents": 2, "min_chars": 0}, "dedup.boilerplate.min_chars"),
        ({"min_document": 2}, "did you mean 'min_documents'?"),
    ],
)
def test_impossible_settings_are_named(
    tmp_path: pathlib.Path, settings: dict[str, Any], words: str
):
    ran = holdfast("curate", configured(tmp_path, "never", **settings))
    assert ran.code == 2
    assert words in ran.refusal
