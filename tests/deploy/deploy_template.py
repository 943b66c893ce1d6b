"""A Dataflow template made by Beam's own translation, its uploads kept instead of sent."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from typing import Any

import pytest
from apache_beam.options.pipeline_options import GoogleCloudOptions
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.dataflow.internal import apiclient
from running import holdfast

from deploy.dataflow.launcher import arguments

IMAGE = "europe-west4-docker.pkg.dev/example/holdfast/job@sha256:" + "0" * 64
ASKED = ("--floor=original=0.3,tail=0.1", "--shard_size=20000")
MOST = 1 << 20
"""Bytes of a job; the service takes 10 MB."""
SERVICE = (
    "--runner=DataflowRunner",
    "--project=example",
    "--region=europe-west4",
    "--job_name=nightly",
    "--labels=job=holdfast",
    "--staging_location=gs://example-staging/staging",
    "--temp_location=gs://example-staging/temp",
    "--template_location=gs://example-staging/graph.json",
    f"--sdk_container_image={IMAGE}",
    "--no_auth",
)
"""What the launcher of a Flex Template adds to the parameters."""


@dataclasses.dataclass(frozen=True)
class Template:
    """What a launch uploads.

    Attributes:
        job: The job as the service gets it.
        graph: The pipeline that it names.
        sizes: Bytes of each upload, by name.
    """

    job: dict[str, Any]
    graph: beam_runner_api_pb2.Pipeline
    sizes: dict[str, int]


def build(patch: pytest.MonkeyPatch, folder: pathlib.Path, *parameters: str) -> Template:
    """Launches with parameters of the template; nothing leaves the machine."""
    uploads: dict[str, bytes] = {}

    def keep(self: Any, place: str, name: str, stream: Any, *rest: Any, **more: Any) -> None:
        uploads[name] = stream.read()

    patch.setattr(apiclient.DataflowApplicationClient, "stage_file", keep)
    patch.setattr(GoogleCloudOptions, "_warn_if_soft_delete_policy_enabled", lambda *_: None)
    places = (f"--output={folder / 'run'}", f"--staging={folder / 'staging'}")
    ran = holdfast("curate", *arguments([*parameters, *places, *SERVICE], "2026-10-01"))
    assert ran.code == 0, ran.err
    graph = beam_runner_api_pb2.Pipeline.FromString(uploads["pipeline.pb"])
    sizes = {name: len(upload) for name, upload in uploads.items()}
    return Template(json.loads(uploads["graph.json"]), graph, sizes)


def write_inputs(folder: pathlib.Path, files: int) -> pathlib.Path:
    """A folder of files with one document each."""
    place = folder / "in"
    place.mkdir()
    for number in range(files):
        line = json.dumps({"text": f"document {number}", "url": f"https://a.example/{number}"})
        (place / f"part-{number:05}.jsonl").write_text(line + "\n")
    return place
