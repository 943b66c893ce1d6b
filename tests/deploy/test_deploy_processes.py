"""Starting and ending servers, and what a Python worker is told."""

from __future__ import annotations

import json
import pathlib
import signal
import sys

import pytest
from apache_beam.portability.api import beam_provision_api_pb2 as provision
from google.protobuf import text_format
from running import ROOT

from deploy.flink.cluster import Cluster, Ports
from deploy.processes import Processes, answers, free_port, python_worker
from deploy.worker import environment

SERVER = """
import socket, sys
with socket.create_server(("localhost", int(sys.argv[1]))) as server:
    print("listening", flush=True)
    while True:
        server.accept()
"""


def serve(processes: Processes, port: int) -> None:
    processes.start("server", [sys.executable, "-c", SERVER, str(port)])
    processes.wait_for("a server", lambda: answers(port), seconds=60)


def test_a_server_runs_until_the_block_ends(tmp_path: pathlib.Path):
    port = free_port()
    with Processes(tmp_path) as processes:
        serve(processes, port)
        assert processes.tail("server").startswith("listening")
    assert not answers(port)
    assert list(tmp_path.glob("*.pid")) == []


def test_a_server_that_stays_is_ended_by_its_record(tmp_path: pathlib.Path):
    port = free_port()
    with Processes(tmp_path) as processes:
        serve(processes, port)
        left = processes.detach()
    assert answers(port)
    assert Processes.end_recorded(tmp_path) == ["server"]
    assert [process.wait(timeout=60) for process in left] == [-signal.SIGTERM]
    assert not answers(port)
    assert Processes.end_recorded(tmp_path) == []


def test_a_server_that_ends_early_is_quoted(tmp_path: pathlib.Path):
    with Processes(tmp_path) as processes:
        processes.start("broken", [sys.executable, "-c", "raise SystemExit('no such engine')"])
        with pytest.raises(RuntimeError, match="no such engine"):
            processes.wait_for("an engine", lambda: False, seconds=60)


def test_a_worker_is_told_what_beam_reads():
    info = provision.ProvisionInfo(runner_capabilities=["a", "b"])
    info.logging_endpoint.url, info.control_endpoint.url = "localhost:1", "localhost:2"
    info.pipeline_options.update({"beam:option:runner:v1": "x"})
    told = environment("7-1", info)
    assert told["WORKER_ID"] == "7-1"
    assert told["RUNNER_CAPABILITIES"] == "a b"
    assert json.loads(told["PIPELINE_OPTIONS"]) == {"beam:option:runner:v1": "x"}
    control = text_format.Parse(
        told["CONTROL_API_SERVICE_DESCRIPTOR"], type(info.control_endpoint)()
    )
    assert control.url == "localhost:2"


def test_runners_start_workers_by_a_path_that_can_be_run():
    command = pathlib.Path(str(python_worker()["command"]))
    assert command == ROOT / "deploy" / "worker"
    assert command.stat().st_mode & 0o111


def test_a_cluster_tells_its_flags():
    flags = dict(flag.lstrip("-").split("=", 1) for flag in Cluster(Ports(), slots=3).flags)
    assert flags["runner"] == "PortableRunner"
    assert flags["parallelism"] == "3"
    assert json.loads(flags["environment_config"]) == python_worker()
