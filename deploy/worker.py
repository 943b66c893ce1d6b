"""Starts a Python worker as a process, for engines that run no containers.

A runner whose environment type is `PROCESS` calls `deploy/worker` with the addresses of its
services. This asks for the options of the job, and becomes the worker: what the `boot`
program of Beam's container image does, without fetching anything, since the job is
installed here.
"""

from __future__ import annotations

import argparse
import os
import sys

import grpc
from apache_beam.portability.api import beam_provision_api_pb2 as provision
from apache_beam.portability.api import beam_provision_api_pb2_grpc as provision_grpc
from apache_beam.portability.api import endpoints_pb2
from google.protobuf import json_format, text_format

__all__ = ["environment", "main"]

_SECONDS = 60


def _descriptor(url: str) -> str:
    described: str = text_format.MessageToString(endpoints_pb2.ApiServiceDescriptor(url=url))
    return described


def environment(worker: str, info: provision.ProvisionInfo) -> dict[str, str]:
    """The variables that Beam's `sdk_worker_main` reads.

    Args:
        worker: Id of the worker.
        info: What the runner says of the job.
    """
    return {
        "WORKER_ID": worker,
        "PIPELINE_OPTIONS": json_format.MessageToJson(info.pipeline_options),
        "LOGGING_API_SERVICE_DESCRIPTOR": _descriptor(info.logging_endpoint.url),
        "CONTROL_API_SERVICE_DESCRIPTOR": _descriptor(info.control_endpoint.url),
        "RUNNER_CAPABILITIES": " ".join(info.runner_capabilities),
    }


def _info(worker: str, endpoint: str) -> provision.ProvisionInfo:
    with grpc.insecure_channel(endpoint) as channel:
        service = provision_grpc.ProvisionServiceStub(channel)
        answer = service.GetProvisionInfo(
            provision.GetProvisionInfoRequest(),
            timeout=_SECONDS,
            wait_for_ready=True,
            metadata=[("worker_id", worker)],
        )
    return answer.info


def _addresses(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--id", required=True)
    for name in ("provision", "logging", "control", "artifact"):
        parser.add_argument(f"--{name}_endpoint", required=name == "provision", default="")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    """Becomes a worker; returns only by an error."""
    given = _addresses(arguments)
    info = _info(given.id, given.provision_endpoint)
    # Runners of before 2.30 say these on the command line only.
    for endpoint, url in (
        (info.logging_endpoint, given.logging_endpoint),
        (info.control_endpoint, given.control_endpoint),
    ):
        endpoint.url = endpoint.url or url
    harness = [sys.executable, "-m", "apache_beam.runners.worker.sdk_worker_main"]
    os.execve(sys.executable, harness, {**os.environ, **environment(given.id, info)})  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
