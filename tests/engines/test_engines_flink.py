"""A Flink session cluster: two task managers, and Python workers in processes of their own."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest
from engines_check import Check
from running import EXAMPLE, holdfast

from deploy.flink.cluster import Cluster, Ports, start
from deploy.processes import Processes

TASK_MANAGERS = 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    return tmp_path_factory.mktemp("flink")


@pytest.fixture(scope="module")
def cluster(folder: pathlib.Path) -> Iterator[Cluster]:
    with Processes(folder) as processes:
        yield start(processes, folder, task_managers=TASK_MANAGERS, slots=1, ports=Ports.free())


def tasks(cluster: Cluster, job: str) -> set[str]:
    """Task managers that ran something of a job."""
    vertices = cluster.rest(f"jobs/{job}")["vertices"]
    told = [cluster.rest(f"jobs/{job}/vertices/{vertex['id']}") for vertex in vertices]
    return {task["taskmanager-id"] for vertex in told for task in vertex["subtasks"]}


def test_every_server_keeps_a_log(cluster: Cluster, folder: pathlib.Path):
    managers = [f"task-manager-{number}" for number in range(cluster.slots)]
    for name in ("job-manager", "job-server", *managers):
        assert "INFO" in (folder / f"{name}.log").read_text(), f"{name} tells nothing"


@pytest.mark.parametrize("carrier", ["files", "shuffle"])
def test_same_bytes(same_bytes: Check, cluster: Cluster, carrier: str):
    before = {job["jid"] for job in cluster.rest("jobs/overview")["jobs"]}
    same_bytes("--exchange", carrier, *cluster.flags)
    jobs = [job for job in cluster.rest("jobs/overview")["jobs"] if job["jid"] not in before]
    assert [job["state"] for job in jobs] == ["FINISHED"]
    assert len(tasks(cluster, jobs[0]["jid"])) == TASK_MANAGERS


def test_a_refusal_keeps_its_exit_code(cluster: Cluster, tmp_path: pathlib.Path):
    places = ("--output", tmp_path / "run", "--staging", tmp_path / "staging")
    asked = ("--floor", "original=0.99", "--target", "1000000")
    ran = holdfast("curate", EXAMPLE, *asked, *places, *cluster.flags)
    assert ran.code == 3, ran.err
    assert "The largest feasible output is" in ran.err
    assert not (tmp_path / "run" / "manifest.json").exists()
