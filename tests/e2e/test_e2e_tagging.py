"""Tagging by score, through the whole job: controls of the run decide what scores mean."""

from __future__ import annotations

import json
import pathlib
import random
from collections.abc import Iterator
from typing import Any

import e2e_forgery
import pytest
from running import Run, digests, holdfast, read_manifest, rows, succeed

from transforms.synthetic.cells import ELSEWHERE
from transforms.synthetic.reference import load_reference, write_reference

HUMAN = (
    "we went down to see if the boat was still there but somebody had moved it again and nobody "
    "could say who so my dad swore a bit and rang the man at the harbour who never picks up"
)
MACHINE = (
    "moreover this vibrant tapestry serves as a testament to the enduring resilience of "
    "communities while fostering a profound sense of belonging and intricate insights"
)


def text(words: str, seed: int) -> str:
    rng = random.Random(seed)
    # About 500 characters of either.
    count = 110 if words is HUMAN else 70
    return " ".join(rng.choice(words.split()) for _ in range(count)).capitalize() + f". {seed}."


def page(number: int, words: str, host: str, date: str | None, source: str) -> dict[str, Any]:
    url = f"https://{host}/{number}"
    return {"id": str(number), "text": text(words, number), "url": url, "source": source} | (
        {"date": date} if date else {}
    )


def pages() -> Iterator[dict[str, Any]]:
    """Old pages of people, new ones of people and machines, and a farm that is all machine."""
    for n in range(420):
        yield page(n, HUMAN, f"old{n % 50}.example", "2015-03-04", "crawl")
    for n in range(420, 560):
        yield page(n, HUMAN, f"new{n % 40}.example", "2025-01-02", "crawl")
    for n in range(560, 660):
        yield page(n, MACHINE, f"new{n % 40}.example", "2025-01-03", "crawl")
    for n in range(660, 680):
        yield page(n, MACHINE, "farm.example", "2025-02-03", "crawl")
    # A source without controls of its own.
    for n in range(680, 700):
        yield page(n, MACHINE, "essays.example", "2025-02-03", "essays")


def decided(manifest: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The rows of a decision, which a manifest holds by column."""
    columns = manifest["decisions"][name]
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    path = tmp_path_factory.mktemp("tagging") / "pages.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in pages()))
    return path


@pytest.fixture(scope="module")
def tagged(given: pathlib.Path) -> Run:
    output, staging = given.parent / "run", given.parent / "staging"
    flags = ["--no-floors", "--shard-size", "100k", "--input", given]
    return Run(output, staging, succeed("curate", *flags, "--output", output, "--staging", staging))


def test_the_run_verifies(tagged: Run):
    assert holdfast("verify", tagged.output).code == 0


def test_tags_follow_the_controls(tagged: Run):
    by_id = {int(row["id"]): row for row in rows(tagged.output, "data")}
    assert len(by_id) == 700
    (cell,) = (
        cell
        for cell in decided(tagged.manifest, "synthetic_calibration")
        if cell["threshold"] is not None and cell["bucket"] < ELSEWHERE
    )
    assert cell["covers"] == ["crawl"]
    for number, row in by_id.items():
        # Words in random order: the identifier abstains from a few of the texts.
        score, known = row["synthetic_score"], number < 680 and row["lang"] == "eng_Latn"
        assert score is not None
        above = score > cell["threshold"]
        likely = "likely_synthetic" if above and number >= 420 else "unverified"
        assert row["synthetic_tag"] == (likely if known else "uncalibrated")
        assert (row["p_synthetic"] is None) == (not known)
        assert row["origin"] == ("anchor" if number < 420 else "unverified")
        p = 0 if row["p_synthetic"] is None else round(row["p_synthetic"] * 10_000)
        assert row["weight"] == 1_000_000 - 100 * p
    # At most 1 % of controls are above, by what the threshold is.
    above = [by_id[n]["synthetic_score"] > cell["threshold"] for n in range(420)]
    assert sum(above) <= 0.01 * 420
    # Most machine pages are found, though no sentence of theirs makes sense.
    assert sum(by_id[n]["synthetic_tag"] == "likely_synthetic" for n in range(560, 680)) > 60


def test_a_farm_is_seen_and_small_or_old_hosts_say_nothing(tagged: Run):
    said = {row["host"]: row["p_synthetic_host"] for row in rows(tagged.output, "data")}
    assert said["farm.example"] > 0.9
    assert said["new1.example"] is None
    # No controls, no probabilities, nothing to add up.
    assert said["essays.example"] is None


def test_shares_are_told(tagged: Run):
    every, january = decided(tagged.manifest, "synthetic_shares")
    assert (every["month"], january["month"]) == (None, "2025-01")
    assert every["documents"] == 260
    assert january["documents"] == 240
    assert january["controls"] == "source"
    assert january["warning"] is None


def test_selecting_anew_calibrates_anew_and_scores_nothing(tagged: Run, tmp_path: pathlib.Path):
    before = digests(tagged.staging, "parts")
    config = tmp_path / "other.yaml"
    config.write_text("no_floors: true\nshard_size: 100k\nsynthetic: {prior: 0.5, gamma: 2}\n")
    run = tmp_path / "run"
    succeed("select", tagged.staging, "--config", config, "--output", run)
    assert digests(tagged.staging, "parts") == before
    assert read_manifest(run)["run"] != tagged.manifest["run"]
    old = {row["id"]: row for row in rows(tagged.output, "data")}
    for row in rows(run, "data"):
        assert row["synthetic_score"] == old[row["id"]]["synthetic_score"]
        assert row["synthetic_tag"] == old[row["id"]]["synthetic_tag"]
        if row["p_synthetic"] is not None:
            assert row["p_synthetic"] >= old[row["id"]]["p_synthetic"]
    assert holdfast("verify", run).code == 0


def test_a_rise_since_an_earlier_run_is_warned_of(tagged: Run, tmp_path: pathlib.Path):
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    manifest = tagged.manifest
    for name, column in manifest["decisions"]["synthetic_shares"].items():
        if name.endswith("_high"):
            column[:] = [None if high is None else 100 for high in column]
    (earlier / "manifest.json").write_text(json.dumps(manifest))
    flags = ["--no-floors", "--shard-size", "100k", "--output", tmp_path / "run"]
    succeed("select", tagged.staging, *flags, "--previous-run", earlier)
    found = decided(read_manifest(tmp_path / "run"), "synthetic_shares")
    assert any("has risen" in (row["warning"] or "") for row in found)
    assert "has risen" in succeed("inspect", tmp_path / "run").out
    ran = holdfast("select", tagged.staging, *flags[:3], "--output", tmp_path / "x",
                   "--previous-run", tmp_path / "nothing")  # fmt: skip
    assert ran.code == 2
    assert "--previous-run" in ran.refusal


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("p_synthetic", 0.0),
        ("p_synthetic", None),
        ("synthetic_tag", "unverified"),
        ("synthetic_tag", "synthetic"),
        ("weight", 1),
        ("synthetic_score", 32_000),
    ],
)
def test_forged_judgements_are_found(tagged: Run, tmp_path: pathlib.Path, column: str, value: Any):
    run = e2e_forgery.copied(tagged, tmp_path)

    def forge(shard: list[dict[str, Any]]) -> None:
        row = next(row for row in shard if row["synthetic_tag"] == "likely_synthetic" and row[
            "p_synthetic"] not in (None, 0.0))  # fmt: skip
        # The highest score alone changes no judgement; one of a person's text does.
        if column == "synthetic_score":
            row = next(row for row in shard if row["synthetic_tag"] == "unverified" and row[
                "p_synthetic"] is not None)  # fmt: skip
        row[column] = value

    e2e_forgery.edit_rows(run, "data", forge)
    e2e_forgery.reseal(run)
    assert "wrong" in e2e_forgery.findings(run)


def test_a_forged_calibration_is_found(tagged: Run, tmp_path: pathlib.Path):
    run = e2e_forgery.copied(tagged, tmp_path)

    def forge(manifest: dict[str, Any]) -> None:
        column = manifest["decisions"]["synthetic_calibration"]["threshold"]
        column[:] = [-32_000] * len(column)

    e2e_forgery.edit_manifest(run, forge)
    ran = holdfast("verify", run)
    assert ran.code != 0
    assert "digest" in ran.out + ran.err


def test_a_table_of_reference_scores_is_made_and_used(
    tagged: Run, given: pathlib.Path, tmp_path: pathlib.Path
):
    human, machine = tmp_path / "people.jsonl", tmp_path / "machines.jsonl"
    for path, words in ((human, HUMAN), (machine, MACHINE)):
        lines = [{"text": text(words, n), "lang": "eng_Latn"} for n in range(1000, 1350)]
        path.write_text("".join(json.dumps(row) + "\n" for row in lines))
    table = tmp_path / "table.parquet"
    told = succeed(
        "calibrate", "synthetic", "--controls", human, "--machine", machine, "--out", table
    )
    assert "350" in told.out
    flags = ["--no-floors", "--shard-size", "100k", "--output", tmp_path / "run"]
    succeed("select", tagged.staging, *flags, "--synthetic-reference", table)
    cells = decided(read_manifest(tmp_path / "run"), "synthetic_calibration")
    names = {given["source"] for cell in cells for given in cell["controls"]}
    assert names == {"crawl", "reference:people"}
    ran = holdfast("calibrate", "synthetic", "--out", tmp_path / "t")
    assert (ran.code, "--controls" in ran.refusal) == (2, True)
    ran = holdfast("calibrate", "synthetic", "--controls", tmp_path / "no", "--out", tmp_path / "t")
    assert ran.code == 2


def test_scores_of_another_classifier_are_refused(
    tagged: Run, given: pathlib.Path, tmp_path: pathlib.Path
):
    table = str(tmp_path / "other.parquet")
    write_reference(load_reference().rows, "another", table)
    flags = ["--no-floors", "--output", tmp_path / "run", "--synthetic-reference", table]
    ran = holdfast("select", tagged.staging, *flags)
    assert ran.code == 2
    assert "another" in ran.refusal
