"""Manifests and plans as tables for people."""

from __future__ import annotations

import io
import json
import re

import pytest
from rich.console import Console
from running import EXAMPLE, Run, holdfast

from pipelines.progress import Progress
from pipelines.report import print_run, print_summary


def console() -> tuple[Console, io.StringIO]:
    sink = io.StringIO()
    return Console(file=sink, width=160), sink


def test_a_summary_tells_the_worst_shard(published: Run):
    made, sink = console()
    manifest = published.manifest
    print_summary(manifest, "somewhere", made)
    worst = min(shard["shares"]["original"] for shard in manifest["shards"])
    assert f"{worst:.4f}" in sink.getvalue()
    assert "somewhere" in sink.getvalue()


def test_a_long_run_is_cut_and_says_so(published: Run):
    made, sink = console()
    manifest = published.manifest
    manifest["shards"] = manifest["shards"][:1] * 50
    print_run(manifest, "somewhere", made)
    assert "10 more shards in manifest.json" in sink.getvalue()


def test_a_run_without_floors_and_with_an_empty_shard_prints(published: Run):
    made, sink = console()
    manifest = published.manifest | {"floors": {}, "caps": {}}
    print_run(manifest, "somewhere", made)
    assert "promised" not in sink.getvalue()


def test_inspecting_a_run(published: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "160")
    ran = holdfast("inspect", published.output)
    assert (ran.code, ran.err) == (0, "")
    for words in (published.manifest["run"], "data/shard-00000-of-00003.parquet", "swh_Latn"):
        assert words in ran.out
    rare = published.manifest["rare_types"]
    assert re.search(rf"all\s+│\s+│\s+{rare['types']:,} │\s+{rare['survived']:,} │", ran.out)


def test_planning_from_finished_staging(published: Run):
    ran = holdfast("plan", published.staging, "--config", EXAMPLE)
    assert (ran.code, ran.err) == (0, "")
    assert f"{published.manifest['plan']['total']:,} chars in 3 shards" in ran.out
    assert "largest feasible" in ran.out
    assert "binding" in ran.out


def test_a_plan_that_is_not_feasible_has_the_arithmetic(published: Run):
    ran = holdfast("plan", published.staging, "--floor", "original=0.99", "--repeat-cap", "1")
    assert ran.code == 3
    for words in (
        "floor original=0.99: have ",
        "need ",
        "largest feasible output",
        "--repeat-cap 2",
    ):
        assert words in ran.refusal


def test_planning_in_another_unit_is_refused(published: Run):
    ran = holdfast("plan", published.staging, "--unit", "docs")
    assert ran.code == 2
    assert "--unit chars" in ran.refusal


@pytest.mark.parametrize("code", ["sw", "swh", "swh_Latn"])
def test_one_language(code: str):
    ran = holdfast("languages", code)
    assert ran.code == 0
    row = next(line for line in ran.out.splitlines() if line.startswith("swh"))
    assert "Swahili" in row
    assert "yes" in row
    assert "deu" not in ran.out


def test_several_languages_in_the_order_asked_for():
    ran = holdfast("languages", "zu", "am")
    assert ran.code == 0
    assert ran.out.index("zul") < ran.out.index("amh")


def test_progress_tells_what_workers_wrote(tmp_path, capsys: pytest.CaptureFixture[str]):
    with Progress(str(tmp_path / "progress"), 1000) as progress:
        totals = {"annotate/documents": 3, "annotate/bytes": 99}
        (tmp_path / "progress" / "1.json").write_text(json.dumps(totals))
        (tmp_path / "progress" / "2.json").write_text(json.dumps(totals))
        assert progress._totals() == {"annotate/documents": 6, "annotate/bytes": 198}
    assert capsys.readouterr().out == ""


def test_a_service_shows_no_progress():
    with Progress(None, 1000) as progress:
        assert progress._totals() == {}
