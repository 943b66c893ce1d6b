"""Languages are decided in selection: other policies, the same staging."""

from __future__ import annotations

import pathlib
from typing import Any

import yaml
from running import Run, digests, holdfast, read_manifest, rows, succeed

from transforms.langid.registry import load_registry


def selected(
    staging: pathlib.Path, folder: pathlib.Path, **langid: Any
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A run from staging under another language policy."""
    config = folder / "policy.yaml"
    trusted = {"trusted_sources": ["townlibrary.example"]}
    config.write_text(
        yaml.safe_dump(
            {"no_floors": True, "shard_size": 20_000, "langid": langid, "provenance": trusted}
        )
    )
    run = folder / "run"
    before = digests(staging, "parts")
    succeed("select", staging, "--config", config, "--output", run)
    assert digests(staging, "parts") == before, "nothing was annotated again"
    assert holdfast("verify", run).code == 0
    return read_manifest(run), rows(run, "data")


def test_thresholds_and_tail_change_without_annotating(
    annotated: pathlib.Path, tmp_path: pathlib.Path
):
    policy = {"thresholds": {"isl": 1.0}, "tail": {"swh": False, "deu": True}}
    manifest, documents = selected(annotated, tmp_path, **policy)
    decided = manifest["decisions"]["langid"]
    assert decided["least_score"][decided["label"].index("isl_Latn")] == 10_000
    icelandic = [row for row in documents if row["lang_best"] == "isl_Latn"]
    assert icelandic
    for row in icelandic:
        assert row["lang"] == ("isl_Latn" if row["lang_score"] == 1 else "und")
    assert manifest["tail"]["deu_Latn"] == "configured"
    assert "swh_Latn" not in manifest["tail"]
    assert {row["tail"] for row in documents if row["lang"] == "swh_Latn"} == {False}
    assert {row["tail"] for row in documents if row["lang"] == "deu_Latn" and not row["mixed"]} == {
        True
    }


def test_tail_by_share_of_what_deduplication_kept(annotated: pathlib.Path, tmp_path: pathlib.Path):
    manifest, documents = selected(annotated, tmp_path, tail_by="share", tail_share=0.02)
    total = sum(row["n_chars"] for row in documents if row["repeat"] == 0)
    sizes: dict[str, int] = {}
    for row in documents:
        sizes[row["lang"]] = sizes.get(row["lang"], 0) + row["n_chars"] * (row["repeat"] == 0)
    small = {lang for lang, size in sizes.items() if size <= 0.02 * total} - {"und", "zxx"}
    assert set(manifest["tail"]) == small
    assert all(reason.startswith("share 0.0") for reason in manifest["tail"].values())


def test_the_report_of_trust_agrees_with_the_rows(published: Run):
    manifest, documents = published.manifest, rows(published.output, "data")
    for lang, facts in manifest["languages"].items():
        first = [row for row in documents if row["lang"] == lang and row["repeat"] == 0]
        by_source: dict[str, int] = {}
        for row in first:
            name = row["source"] or row["host"] or ""
            by_source[name] = by_source.get(name, 0) + row["n_chars"]
        assert facts["documents"] == len(first)
        assert facts["sources"] == len(by_source)
        assert facts["largest_source_size"] == max(by_source.values())
        assert by_source[facts["largest_source"]] == facts["largest_source_size"]
    listed = {lang for lang in manifest["languages"] if load_registry().is_tail(lang)}
    assert listed <= set(manifest["tail"])
    ran = succeed("inspect", published.output)
    assert "class 2" in ran.out
    assert "largest: share of the largest source" in ran.out


def test_plan_follows_the_tail_that_it_is_given(published: Run, tmp_path: pathlib.Path):
    asked = ("plan", published.staging, "--floor", "tail=0.2", "--shard-size", "20000")
    assert holdfast(*asked).code == 0
    config = tmp_path / "policy.yaml"
    config.write_text(yaml.safe_dump({"langid": {"tail_by": "share", "tail_share": 0.0}}))
    ran = holdfast(*asked, "--config", config)
    assert ran.code == 3
    assert "floor tail=0.2: no document is text that serves it" in ran.refusal
