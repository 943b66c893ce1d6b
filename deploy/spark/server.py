"""A Spark on this machine, with Beam's job server in front of it.

`make engines-spark` installs both. The job server runs Spark inside itself, with as many
threads as it is told; Python workers are processes of their own (`deploy/worker`).
"""

from __future__ import annotations

import dataclasses
import json
import pathlib

from deploy.processes import Processes, answers, free_port, python_worker

__all__ = ["Server", "start"]

ENGINES = pathlib.Path(__file__).resolve().parents[2] / ".engines"
_DRIVER = "org.apache.beam.runners.spark.SparkJobServerDriver"
_SECONDS = 300.0
_OPENED = ("lang", "lang.invoke", "nio", "util", "util.concurrent", "net", "io")
_OPENED_SUN = ("sun.nio.ch", "sun.nio.cs", "sun.security.action", "sun.util.calendar")
"""Packages of Java that Spark looks into."""


@dataclasses.dataclass(frozen=True)
class Server:
    """A running job server.

    Attributes:
        job: Port for jobs.
        artifact: Port for files of theirs.
    """

    job: int
    artifact: int

    @property
    def flags(self) -> list[str]:
        """Flags with which `holdfast curate` runs on it."""
        return [
            "--runner=PortableRunner",
            f"--job_endpoint=localhost:{self.job}",
            f"--artifact_endpoint=localhost:{self.artifact}",
            "--environment_type=PROCESS",
            f"--environment_config={json.dumps(python_worker())}",
            "--environment_cache_millis=600000",
        ]


def _command(server: Server, folder: pathlib.Path, threads: int) -> list[str]:
    jars = sorted((ENGINES / "spark" / "lib").glob("python*/site-packages/pyspark/jars"))
    if not jars or not (ENGINES / "spark-jars").is_dir():
        raise RuntimeError("Spark is not installed; run `make engines-spark`")
    packages = [f"java.base/java.{name}" for name in _OPENED]
    packages += [f"java.base/{name}" for name in _OPENED_SUN]
    opened = [f"--add-opens={package}=ALL-UNNAMED" for package in packages]
    path = f"{ENGINES / 'spark-jars'}/*:{jars[0]}/*"
    listening = [f"--job-port={server.job}", f"--artifact-port={server.artifact}"]
    master = f"--spark-master-url=local[{threads}]"
    places = [f"--artifacts-dir={folder / 'artifacts'}", "--expansion-port=-1"]
    return ["java", "-Xmx1g", *opened, "-cp", path, _DRIVER, master, *listening, *places]


def start(processes: Processes, folder: pathlib.Path, threads: int) -> Server:
    """Starts a job server and waits until it takes jobs."""
    server = Server(free_port(), free_port())
    processes.start("job-server", _command(server, folder, threads), cwd=folder)
    ports = (server.job, server.artifact)
    processes.wait_for("job server", lambda: all(map(answers, ports)), _SECONDS)
    return server
