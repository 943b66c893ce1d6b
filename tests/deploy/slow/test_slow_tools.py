"""Manifests, image and Terraform, as the tools that read them see them."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from running import ROOT

CHECKS = ROOT / ".engines" / "checks" / "bin"
IMAGE = ROOT / ".engines" / "image" / "bin"
DEPLOY = ROOT / "deploy"
KUBERNETES = "1.33"


def call(*command: object, **more: Any) -> str:
    """Output of a command, which imports from its own environment alone."""
    words = [str(word) for word in command]
    more["env"] = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    ended = subprocess.run(  # noqa: S603  # tools of the project
        words, capture_output=True, text=True, check=False, **more
    )
    assert ended.returncode == 0, f"{' '.join(words)}\n{ended.stdout}{ended.stderr}"
    return ended.stdout


@pytest.mark.parametrize("file", ["dataflow/Dockerfile", "flink/Dockerfile"])
def test_hadolint_finds_nothing(file: str):
    call(CHECKS / "hadolint", DEPLOY / file)


def manifests() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        for part in yaml.safe_load_all(file.read_text()):
            yield f"{file.stem}-{part['kind']}", part


def kinds(of_flink: bool) -> list[Any]:
    found = [(n, p) for n, p in manifests() if (p["kind"] == "FlinkDeployment") == of_flink]
    return [pytest.param(part, id=name) for name, part in found]


@pytest.mark.parametrize("manifest", kinds(of_flink=False))
def test_kubernetes_knows_every_field(manifest: dict[str, Any], tmp_path: pathlib.Path):
    path = tmp_path / "manifest.yaml"
    path.write_text(yaml.safe_dump(manifest))
    call(CHECKS / "kubernetes-validate", "--strict", "-k", KUBERNETES, path)


@pytest.mark.parametrize("manifest", kinds(of_flink=True))
def test_the_pods_of_flink_are_pods(manifest: dict[str, Any], tmp_path: pathlib.Path):
    """The operator's own fields have no published schema package; its pods do."""
    assert set(manifest["spec"]) <= {
        "image", "flinkVersion", "serviceAccount", "flinkConfiguration", "jobManager",
        "taskManager",
    }  # fmt: skip
    pod = manifest["spec"]["taskManager"]["podTemplate"]
    # The operator names the image of its own container.
    pod["spec"]["containers"][0]["image"] = manifest["spec"]["image"]
    path = tmp_path / "pod.yaml"
    path.write_text(yaml.safe_dump(pod))
    call(CHECKS / "kubernetes-validate", "--strict", "-k", KUBERNETES, path)


def test_systemd_accepts_the_units():
    if shutil.which("systemd-analyze") is None:
        pytest.fail("systemd-analyze is not installed; the units cannot be checked")
    call("systemd-analyze", "verify", *sorted((DEPLOY / "systemd").glob("holdfast.*")))


def test_terraform_is_formatted():
    call("terraform", f"-chdir={DEPLOY / 'terraform'}", "fmt", "-check", "-recursive")


@pytest.fixture(scope="module")
def parsed() -> dict[str, list[dict[str, Any]]]:
    """All blocks of the Terraform files, by kind."""
    program = """
import hcl2, json, pathlib, sys
blocks = {}
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.tf")):
    with path.open() as file:
        for kind, found in hcl2.load(file).items():
            if isinstance(found, list):
                blocks.setdefault(kind, []).extend(found)
print(json.dumps(blocks))
"""
    told = call(CHECKS / "python", "-c", program, DEPLOY / "terraform")
    blocks: dict[str, list[dict[str, Any]]] = json.loads(told)
    return blocks


def bare(name: str) -> str:
    return name.strip('"')


def resources(parsed: dict[str, list[dict[str, Any]]], kind: str) -> dict[str, Any]:
    found = {}
    for block in parsed["resource"]:
        for of, named in block.items():
            if bare(of) == kind:
                found |= {bare(name): body for name, body in named.items()}
    return found


def test_it_launches_by_a_schedule_and_not_as_a_resource(parsed: Any):
    kinds = {bare(kind) for block in parsed["resource"] for kind in block}
    assert "google_cloud_scheduler_job" in kinds
    assert "google_dataflow_flex_template_job" not in kinds
    target = resources(parsed, "google_cloud_scheduler_job")["nightly"]["http_target"][0]
    assert bare(target["http_method"]) == "POST"
    assert bare(target["uri"]).endswith("/flexTemplates:launch")


def test_buckets_keep_versions_and_staging_grows_old(parsed: Any):
    buckets = resources(parsed, "google_storage_bucket")
    assert set(buckets) == {"kept", "staging"}
    for bucket in buckets.values():
        assert bucket["versioning"][0]["enabled"] is True
        assert bucket["uniform_bucket_level_access"] is True
        assert bare(bucket["public_access_prevention"]) == "enforced"
        assert bucket["lifecycle_rule"]
    assert buckets["kept"]["lifecycle"][0]["prevent_destroy"] is True


def test_nobody_has_more_rights_than_are_named_here(parsed: Any):
    roles = set()
    for block in parsed["resource"]:
        for named in block.values():
            roles |= {
                bare(b["role"]) for b in named.values() if isinstance(b, dict) and "role" in b
            }
    assert roles == {
        "roles/artifactregistry.reader", "roles/artifactregistry.writer",
        "roles/dataflow.developer",
        "roles/dataflow.worker", "roles/iam.serviceAccountUser", "roles/storage.objectUser",
        "roles/storage.objectViewer",
    }  # fmt: skip


def test_every_variable_is_described_and_used(parsed: Any):
    text = "".join(p.read_text() for p in sorted((DEPLOY / "terraform").glob("*.tf")))
    for block in parsed["variable"]:
        for name, body in block.items():
            assert body["description"], name
            assert f"var.{bare(name)}" in text, name


def test_the_image_s_environment_runs_the_job(tmp_path: pathlib.Path):
    """Installed by the steps of the Dockerfile, without the tools of development."""
    run = tmp_path / "run"
    call(IMAGE / "holdfast", "curate", "examples/holdfast.yaml", "--output", run, cwd=ROOT)
    call(IMAGE / "holdfast", "verify", run, cwd=tmp_path)
    place = call(
        IMAGE / "python", "-c", "import transforms; print(transforms.__file__)", cwd=tmp_path
    )
    assert ".engines/image" in place
