"""Runs that break off, meet, or lose something on the way."""

from __future__ import annotations

import json
import pathlib
import shutil
from collections.abc import Iterator
from typing import Any

import e2e_corpus as plain
import pyarrow as pa
import pytest
from running import EXAMPLE, Run, digests, holdfast, read_manifest

from transforms import claim
from transforms.errors import StorageError
from transforms.ingest import beam as ingest
from transforms.ingest.read import read_split
from transforms.ingest.splits import Split

FILES = 4


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A staging folder of a job whose disk failed at the last file, and what it left."""
    staging = tmp_path_factory.mktemp("broken") / "staging"

    def fail(split: Split, *arguments: Any) -> Iterator[Any]:
        if split.file_no == FILES - 1:
            raise StorageError("the disk is gone; mend it")
        return read_split(split, *arguments)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ingest, "read_split", fail)
        ran = holdfast("annotate", EXAMPLE, "--output", staging)
    assert (ran.code, "the disk is gone" in ran.err) == (5, True)
    assert not (staging / "annotated.json").exists()
    assert not list(staging.glob("_claim.json*")), "the place is free again"
    return staging


def metrics(staging: pathlib.Path) -> dict[str, int]:
    found: dict[str, int] = json.loads((staging / "metrics.json").read_bytes())
    return found


def committed(staging: pathlib.Path) -> dict[str, int]:
    """Documents of the splits that are staged for good, by file."""
    found = {}
    for path in (staging / "commits").iterdir():
        commit = json.loads(path.read_bytes())
        found[pathlib.Path(json.loads(commit["split"])["path"]).name] = commit["documents"]
    return found


def test_what_is_staged_is_not_annotated_again(
    published: Run, broken: pathlib.Path, tmp_path: pathlib.Path
):
    staging, run = tmp_path / "staging", tmp_path / "run"
    shutil.copytree(broken, staging)
    (staging / "parts" / "part-0000000009-orphan.parquet").write_bytes(b"half")
    kept = committed(staging)
    assert 0 < len(kept) < FILES
    ran = holdfast(
        "curate", EXAMPLE, "--output", run, "--staging", staging, "--resume", "--run-name", "night"
    )
    assert ran.code == 0, ran.err
    counted, documents = metrics(staging), len(plain.documents())
    assert counted["resume/documents"] == sum(kept.values())
    assert counted["annotate/documents"] == documents - sum(kept.values())
    assert counted["ingest/documents"] == counted["annotate/documents"], "it is not read, either"
    assert counted["resume/splits"] == len(kept)
    assert digests(run, "data", "dropped", "dead_letters") == digests(
        published.output, "data", "dropped", "dead_letters"
    )
    manifest = read_manifest(run)
    assert manifest["name"] == "night"
    assert manifest | {"name": manifest["run"]} == published.manifest
    assert not (staging / "parts" / "part-0000000009-orphan.parquet").exists()
    again = holdfast("annotate", EXAMPLE, "--output", staging, "--resume")
    assert again.code == 0, again.err
    counted = metrics(staging)
    assert (counted["resume/documents"], counted.get("annotate/documents", 0)) == (documents, 0)
    assert "resume/dead" not in counted


def test_with_other_settings_everything_is_annotated_anew(
    broken: pathlib.Path, tmp_path: pathlib.Path
):
    staging = tmp_path / "staging"
    shutil.copytree(broken, staging)
    ran = holdfast(
        "annotate", EXAMPLE, "--output", staging, "--resume", "--trusted-source", "other.example"
    )
    assert ran.code == 0, ran.err
    counted = metrics(staging)
    assert counted["annotate/documents"] == len(plain.documents())
    assert "resume/documents" not in counted
    assert len(committed(staging)) == FILES, "what fitted the old settings is gone"


def test_two_runs_at_once(tmp_path: pathlib.Path):
    run = tmp_path / "run"
    claim.take(str(run), "another", token="theirs", stale_after=600)  # noqa: S106  # no password
    ran = holdfast("curate", EXAMPLE, "--output", run)
    assert ran.code == 6
    assert "is held by run another (host " in ran.err
    claim.confirm(str(run), "theirs")
    assert not list((tmp_path / "run.staging").glob("*")), "and staging is let go"


def swallow(batch: pa.RecordBatch) -> pa.RecordBatch:
    return batch.slice(0, batch.num_rows - 1)


def test_a_transform_that_swallows_a_row_fails_the_job(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
):
    from transforms.dedup import beam as dedup  # noqa: PLC0415

    fingerprint = dedup.fingerprint
    monkeypatch.setattr(
        dedup, "fingerprint", lambda batch, config: swallow(fingerprint(batch, config))
    )
    ran = holdfast("curate", EXAMPLE, "--output", tmp_path / "run")
    assert ran.code == 1
    assert "a step between reading and staging lost or repeated" in ran.err
    assert not (tmp_path / "run").exists()
