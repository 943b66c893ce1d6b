"""A Flink session cluster on this machine, with what a Beam job in Python needs beside it.

    python -m deploy.flink.cluster up [--task-managers 2] [--slots 2] [--folder out/flink]
    python -m deploy.flink.cluster run CONFIG [FLAG ...]
    python -m deploy.flink.cluster down

Three kinds of processes, as on a real cluster: a job manager and task managers (Flink's own
scripts), and Beam's job server, which translates the graph for Flink. Each task manager
starts Python workers of its own (`deploy/worker`). `make engines-flink` installs Flink and
the job server.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import shutil
import sys
import urllib.error
import urllib.request
from typing import Any

import yaml

from deploy.processes import ROOT, Processes, answers, free_port, python_worker
from pipelines.cli import main as holdfast

__all__ = ["Cluster", "Ports", "main", "start"]

ENGINES = ROOT / ".engines"
_SECONDS = 300.0
_CACHE_MILLIS = 600_000
_PATIENT = f"-Dpekko.remote.classic.startup-timeout={_SECONDS:g}s"
"""A busy machine takes more than Pekko's ten seconds to start a network, and Flink's own setting
for them (`pekko.startup-timeout`) goes by a name that Pekko has given up."""
_DRIVER = "org.apache.beam.runners.flink.FlinkJobServerDriver"


@dataclasses.dataclass(frozen=True)
class Ports:
    """Where the servers of a cluster listen."""

    rpc: int = 6123
    rest: int = 8081
    job: int = 8099
    artifact: int = 8098

    @classmethod
    def free(cls) -> Ports:
        """Ports that nothing listens on."""
        return cls(*(free_port() for _ in dataclasses.fields(cls)))


@dataclasses.dataclass(frozen=True)
class Cluster:
    """A running cluster.

    Attributes:
        ports: Where it listens.
        slots: Tasks that it runs at a time.
    """

    ports: Ports
    slots: int

    @property
    def flags(self) -> list[str]:
        """Flags with which `holdfast curate` runs on it."""
        return [
            "--runner=PortableRunner",
            f"--job_endpoint=localhost:{self.ports.job}",
            f"--artifact_endpoint=localhost:{self.ports.artifact}",
            "--environment_type=PROCESS",
            f"--environment_config={json.dumps(python_worker())}",
            # Workers serve the whole job; otherwise every stage would start its own.
            f"--environment_cache_millis={_CACHE_MILLIS}",
            f"--parallelism={self.slots}",
        ]

    def rest(self, path: str) -> Any:
        """What Flink's REST interface says."""
        url = f"http://localhost:{self.ports.rest}/{path}"
        with urllib.request.urlopen(url, timeout=5) as answer:  # http, this machine
            return json.load(answer)

    def slots_there(self) -> int:
        """How many slots have registered; 0 while nothing answers."""
        try:
            return int(self.rest("overview")["slots-total"])
        except (OSError, ValueError, urllib.error.URLError):
            return 0


def _home() -> pathlib.Path:
    found = sorted((ENGINES / "flink" / "lib").glob("python*/site-packages/pyflink"))
    if not found or not (ENGINES / "flink-jars").is_dir():
        raise RuntimeError("Flink is not installed; run `make engines-flink`")
    return found[0]


def _configure(folder: pathlib.Path, ports: Ports, slots: int) -> pathlib.Path:
    """Writes Flink's configuration: its own, with what this machine needs laid over it."""
    conf = folder / "conf"
    conf.mkdir(parents=True, exist_ok=True)
    given = _home() / "conf"
    for name in ("log4j-console.properties", "log4j.properties"):
        (conf / name).write_text((given / name).read_text())
    shipped = yaml.safe_load((given / "config.yaml").read_text())
    ours = yaml.safe_load((ROOT / "deploy" / "flink" / "local.yaml").read_text())
    java = f"{shipped['env']['java']['opts']['all']} {_PATIENT}"
    settings = {"env.java.opts.all": java, **ours}
    settings |= {"jobmanager.rpc.port": ports.rpc, "rest.port": ports.rest}
    settings |= {"taskmanager.numberOfTaskSlots": slots, "io.tmp.dirs": str(folder / "tmp")}
    (conf / "config.yaml").write_text(yaml.safe_dump(settings))
    (folder / "tmp").mkdir(exist_ok=True)
    return conf


def _library(folder: pathlib.Path) -> pathlib.Path:
    """Flink's jars and Beam's in one folder.

    Where Beam's come with each job instead, Flink loads them anew for every task, and no
    Python worker outlives its stage.
    """
    library = folder / "lib"
    library.mkdir(exist_ok=True)
    beam = [jar for jar in (ENGINES / "flink-jars").glob("*.jar") if not _in_flink(jar.name)]
    for jar in (*(_home() / "lib").glob("*.jar"), *beam):
        _place(jar.resolve(), library / jar.name)
    return library


def _place(jar: pathlib.Path, at: pathlib.Path) -> None:
    """Links a jar, or copies it to another file system.

    No symbolic link: Java follows it, and then loads what a jar of Beam's names beside it, an
    slf4j that knows nothing of Flink's loggers.
    """
    at.unlink(missing_ok=True)
    try:
        at.hardlink_to(jar)
    except OSError:
        shutil.copyfile(jar, at)


def _in_flink(jar: str) -> bool:
    """Whether a jar of Beam's is one that Flink's distribution holds, or breaks its logging."""
    return jar.startswith(("flink-", "slf4j-", "log4j-"))


def _job_server(ports: Ports, folder: pathlib.Path) -> list[str]:
    driver = ["java", "-Xmx512m", "-cp", f"{ENGINES / 'flink-jars'}/*", _DRIVER]
    places = [f"--flink-master=localhost:{ports.rest}", f"--artifacts-dir={folder / 'artifacts'}"]
    listening = [f"--job-port={ports.job}", f"--artifact-port={ports.artifact}"]
    return [*driver, *places, *listening, "--expansion-port=-1"]


def start(
    processes: Processes, folder: pathlib.Path, task_managers: int, slots: int, ports: Ports
) -> Cluster:
    """Starts a cluster and waits until it takes jobs.

    Args:
        processes: Takes the servers.
        folder: For configuration, logs and temporary files.
        task_managers: How many.
        slots: Of each.
        ports: Where the servers listen.
    """
    if taken := [port for port in dataclasses.astuple(ports) if answers(port)]:
        raise RuntimeError(f"something listens on port {taken[0]}; is a cluster up already?")
    cluster = Cluster(ports, task_managers * slots)
    home = _home()
    conf = _configure(folder, ports, slots)
    flink = {"FLINK_CONF_DIR": str(conf), "FLINK_LOG_DIR": str(folder)}
    flink |= {"FLINK_LIB_DIR": str(_library(folder))}
    flink |= {"FLINK_PID_DIR": str(folder / "tmp"), "FLINK_HOME": str(home)}
    script = [str(home / "bin" / "jobmanager.sh"), "start-foreground"]
    processes.start("job-manager", script, flink)
    for number in range(task_managers):
        script = [str(home / "bin" / "taskmanager.sh"), "start-foreground"]
        processes.start(f"task-manager-{number}", script, flink)
    processes.start("job-server", _job_server(ports, folder))
    ready = f"cluster with {cluster.slots} slots"
    processes.wait_for(ready, lambda: cluster.slots_there() >= cluster.slots, _SECONDS)
    listening = (ports.job, ports.artifact)
    processes.wait_for("job server", lambda: all(map(answers, listening)), _SECONDS)
    return cluster


def _up(given: argparse.Namespace) -> int:
    folder = given.folder.resolve()
    with Processes(folder) as processes:
        cluster = start(processes, folder, given.task_managers, given.slots, Ports())
        processes.detach()
    print(f"{cluster.slots} slots, to be seen at http://localhost:{cluster.ports.rest}")
    return 0


def _run(flags: list[str]) -> int:
    """Runs `holdfast curate` on the cluster that is up."""
    cluster = Cluster(Ports(), 0)
    cluster = dataclasses.replace(cluster, slots=cluster.slots_there())
    if not cluster.slots:
        print("no Flink cluster answers; start one with `make flink-up`", file=sys.stderr)
        return 2
    return holdfast(["curate", *flags, *cluster.flags])


def main(arguments: list[str] | None = None) -> int:
    """Starts or ends a cluster that stays, or runs a job on it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.allow_abbrev = False  # flags of the job are not ours
    parser.add_argument("what", choices=["up", "run", "down"])
    parser.add_argument("--task-managers", type=int, default=2)
    parser.add_argument("--slots", type=int, default=2, help="of each task manager")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "out" / "flink")
    given, flags = parser.parse_known_args(arguments)
    if given.what == "run":
        return _run(flags)
    if flags:
        parser.error(f"unknown argument {flags[0]}")
    if given.what == "up":
        return _up(given)
    print("ended:", ", ".join(Processes.end_recorded(given.folder)) or "nothing ran")
    return 0


if __name__ == "__main__":
    sys.exit(main())
