"""Schedules of every kind: they run the commands that there are, with flags that are known."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from running import ROOT

from pipelines.cli import _parser
from pipelines.options import refuse_unknown, split_flags
from transforms import errors

DEPLOY = ROOT / "deploy"
METADATA = json.loads((DEPLOY / "dataflow" / "metadata.json").read_text())
PARAMETERS = {parameter["name"]: parameter["regexes"] for parameter in METADATA["parameters"]}


def manifests() -> list[dict[str, Any]]:
    files = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    return [part for file in files for part in yaml.safe_load_all(file.read_text())]


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from strings(part)


def scripts() -> list[str]:
    """Shell scripts of manifests and units."""
    found = [s for part in manifests() for s in strings(part) if "holdfast curate" in s]
    unit = (DEPLOY / "systemd" / "holdfast.service").read_text()
    command = re.search(r"ExecStart=/bin/sh -euc '(.*)'", unit)
    assert command is not None
    return [*found, command[1].replace("$$", "$").replace("; ", "\n")]


def commands() -> Iterator[list[str]]:
    for script in scripts():
        for line in script.replace("\\\n", " ").splitlines():
            words = [word for word in shlex.split(line) if word != "exec"]
            if words and words[0].endswith("holdfast"):
                yield words[1:]


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_commands_are_known_with_all_their_flags(words: list[str]):
    own = split_flags(words)[1] if words[0] == "curate" else words
    given, unknown = _parser().parse_known_args(own)
    refuse_unknown(unknown, given.parser, beam=given.beam)


def test_every_schedule_curates_and_then_verifies():
    for script in scripts():
        assert script.index("holdfast curate") < script.index("holdfast verify")


def containers() -> Iterator[dict[str, Any]]:
    def walk(value: Any) -> Iterator[dict[str, Any]]:
        if isinstance(value, dict):
            yield from (c for c in value.get("containers", ()) if "image" in c)
            for part in value.values():
                yield from walk(part)
        elif isinstance(value, list):
            for part in value:
                yield from walk(part)

    for manifest in manifests():
        yield from walk(manifest)


def test_images_are_named_by_digest_and_have_requests():
    found = list(containers())
    assert len(found) >= 4
    for container in found:
        assert re.search(r"@sha256:[0-9a-f]{64}$", container["image"])
        assert container["resources"]["requests"]["memory"]
        assert container["resources"]["limits"]["memory"]


def test_runs_do_not_overlap():
    jobs = [part for part in manifests() if part["kind"] == "CronJob"]
    assert [job["spec"]["concurrencyPolicy"] for job in jobs] == ["Forbid", "Forbid"]
    assert "Type=oneshot" in (DEPLOY / "systemd" / "holdfast.service").read_text()


def test_what_a_second_try_cannot_mend_is_not_tried_again():
    """And a place that a pod held which died is waited for."""
    asked = (errors.UsageError, errors.InfeasibleError, errors.DeadLettersError)
    for job in (part["spec"] for part in manifests() if part["kind"] == "CronJob"):
        spec = job["jobTemplate"]["spec"]
        given = {rule["action"]: rule["onExitCodes"] for rule in spec["podFailurePolicy"]["rules"]}
        assert {action: set(on["values"]) for action, on in given.items()} == {
            "FailJob": {kind.exit_code for kind in asked},
            "Ignore": {errors.HeldError.exit_code},
        }
        (container,) = spec["template"]["spec"]["containers"]
        assert {on["containerName"] for on in given.values()} == {container["name"]}
        assert spec["activeDeadlineSeconds"], "waiting has to end"


def test_flink_and_the_job_server_are_of_one_version():
    flink = next(part for part in manifests() if part["kind"] == "FlinkDeployment")
    locked = (DEPLOY / "flink" / "requirements.txt").read_text()
    version = re.search(r"apache-flink==(\d+)\.(\d+)", locked)
    assert version is not None
    assert flink["spec"]["flinkVersion"] == f"v{version[1]}_{version[2]}"
    assert (
        f"beam-runners-flink-{version[1]}.{version[2]}<"
        in (DEPLOY / "flink" / "pom.xml").read_text()
    )
    assert re.search(
        rf"flink:{version[1]}\.{version[2]}", (DEPLOY / "flink/Dockerfile").read_text()
    )


def test_the_parameters_of_the_schedule_are_those_of_the_template():
    example = (DEPLOY / "terraform" / "example.tfvars").read_text()
    block = example.partition("parameters = {")[2]
    given = dict(re.findall(r'^\s*([a-z_]+)\s*=\s*"([^"]*)"', block, re.M))
    assert given.keys() <= PARAMETERS.keys()
    assert {"input", "output"} <= given.keys()
    for name, text in given.items():
        assert all(re.match(pattern, text) for pattern in PARAMETERS[name]), name
