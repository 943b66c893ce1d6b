"""The storage server dies and comes back, or answers badly."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pathlib
import random
import threading
import time
import urllib.parse
from collections.abc import Sequence

from gcs_server import BUCKET, Server, free_port
from soak_job import Job, Tally, data_of, digests, moments, write_corpus
from soak_proxy import KINDS, Plan, proxied

_TRIES = 6
"""Times that a job is run again that ends with exit code 5."""
_DOWN_SECONDS = 3.0
_SHARE = 0.04
"""Requests that get a bad answer."""


class Bucket:
    """What lies in a bucket, asked for without holdfast's code."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def put(self, name: str, data: bytes) -> None:
        """Uploads an object."""
        path = f"/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={urllib.parse.quote(name)}"
        self._server.ask(path, data)

    def names(self, prefix: str) -> list[str]:
        """All objects below a prefix."""
        found: list[str] = []
        token = ""
        while True:
            query = urllib.parse.urlencode({"prefix": prefix, "pageToken": token})
            page = json.loads(self._server.ask(f"/storage/v1/b/{BUCKET}/o?{query}"))
            found += [item["name"] for item in page.get("items", ())]
            token = page.get("nextPageToken", "")
            if not token:
                return found

    def get(self, name: str) -> bytes:
        """An object."""
        quoted = urllib.parse.quote(name, safe="")
        return self._server.ask(f"/storage/v1/b/{BUCKET}/o/{quoted}?alt=media")

    def digests(self, folder: str) -> dict[str, str]:
        """sha256 of every object of a folder, by its path within."""
        names = self.names(f"{folder}/")
        return {
            name.removeprefix(f"{folder}/"): hashlib.sha256(self.get(name)).hexdigest()
            for name in names
        }


def run_restarts(folder: pathlib.Path, rounds: int, seed: int) -> Tally:
    """The server is killed at seeded moments, and started again some seconds later."""
    tally = Tally("storage server killed and restarted")
    expected, source, longest = _calm(folder)
    server = Server(folder / "objects")
    server.start()
    server.make_bucket()
    _upload(Bucket(server), source)
    drawn = moments(seed, longest)
    for number in range(rounds):
        job = _job(server.url, f"run-{number}")
        for _ in range(_TRIES):
            stop = threading.Event()
            watch = threading.Thread(target=_restart, args=(server, next(drawn), stop, tally))
            watch.start()
            code, said = job.finish("--resume")
            stop.set()
            watch.join()
            if _ended(tally, code, said):
                break
        _compare(tally, Bucket(server), f"run-{number}", expected)
    server.kill()
    return tally


def _restart(server: Server, moment: float, stop: threading.Event, tally: Tally) -> None:
    if stop.wait(moment):
        return
    server.kill()
    tally.faults += 1
    time.sleep(_DOWN_SECONDS)
    server.start()


def run_bad_answers(
    folder: pathlib.Path, rounds: int, seed: int, kinds_asked: Sequence[str] = KINDS
) -> list[Tally]:
    """A proxy breaks some of the answers: one round for each kind, then all of them mixed."""
    expected, source, _ = _calm(folder)
    tallies = []
    mixed = [("all of these mixed", tuple(kinds_asked))] * rounds
    for number, (name, kinds) in enumerate([*((kind, (kind,)) for kind in kinds_asked), *mixed]):
        tally = Tally(f"answers: {name}")
        port = free_port()
        server = Server(folder / f"objects-{number}", external=f"http://127.0.0.1:{port}")
        server.start()
        server.make_bucket()
        _upload(Bucket(server), source)
        plan = Plan(kinds, _SHARE, random.Random(seed + number), tally)
        with proxied(port, server.port, plan) as url:
            job = _job(url, "run")
            for _ in range(_TRIES):
                if _ended(tally, *job.finish("--resume")):
                    break
        _compare(tally, Bucket(server), "run", expected)
        server.kill()
        tallies.append(tally)
        print(f"{tally.name}: {tally.faults} faults, {tally.notes}", flush=True)
    return tallies


def _calm(folder: pathlib.Path) -> tuple[dict[str, str], pathlib.Path, float]:
    """What an undisturbed run on local files publishes, and how long it takes."""
    source = write_corpus(folder / "crawl")
    began = time.monotonic()
    code, said = Job(str(source), str(folder / "calm"), str(folder / "calm.staging")).finish()
    if code:
        raise RuntimeError(f"the undisturbed run ended with {code}: {said}")
    return digests(folder / "calm"), source, time.monotonic() - began


def _upload(bucket: Bucket, source: pathlib.Path) -> None:
    for path in sorted(source.iterdir()):
        bucket.put(f"crawl/{path.name}", path.read_bytes())


def _job(url: str, name: str) -> Job:
    places = (f"gs://{BUCKET}/crawl", f"gs://{BUCKET}/{name}", f"gs://{BUCKET}/{name}.staging")
    return dataclasses.replace(Job(*places), env={"STORAGE_EMULATOR_HOST": url})


def _ended(tally: Tally, code: int, said: str) -> bool:
    """Whether a run is done; exit code 5 with one clear sentence is to be run again."""
    told = [line for line in said.splitlines() if line.startswith("holdfast: ")]
    if code == 5 and told:
        tally.note("refused with exit code 5")
        return False
    if code != 0:
        tally.wrong.append(f"ended with {code}: {said[-500:]}")
    else:
        tally.survived += 1
    return True


def _compare(tally: Tally, bucket: Bucket, name: str, expected: dict[str, str]) -> None:
    found = bucket.digests(name)
    if set(found) - set(expected):
        tally.left += len(set(found) - set(expected))
        tally.wrong.append(f"left behind: {sorted(set(found) - set(expected))}")
    if "manifest.json" not in found:
        tally.wrong.append(f"{name} was never published")
        return
    # Dead letters name files, which are called otherwise here.
    same = {n: d for n, d in data_of(expected).items() if not n.startswith("dead_letters/")}
    if any(found.get(path) != digest for path, digest in same.items()):
        tally.partial += 1
        tally.wrong.append(f"{name} differs from an undisturbed run")
    ledger = json.loads(bucket.get(f"{name}/manifest.json"))["ledger"]
    parts = ledger["kept"] + ledger["dead_letters"] + sum(ledger["dropped"].values())
    tally.lost += _LINES - parts
    staging = bucket.names(f"{name}.staging/")
    passing = ("spool/", "progress/", "_claim")
    left = [n for n in staging if n.removeprefix(f"{name}.staging/").startswith(passing)]
    tally.left += len(left)
    tally.wrong += [f"left behind: {n}" for n in left]


_LINES = 316
"""Records of the example corpus."""
