"""A Google Cloud Storage of one's own: fake-gcs-server, over HTTP on a free loopback port."""

from __future__ import annotations

import contextlib
import pathlib
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUCKET = "bucket-of-tests"


def binary() -> pathlib.Path:
    """The server that `make gcs-server` builds."""
    found = sorted((ROOT / ".tools" / "bin").glob("fake-gcs-server-*"))
    if not found:
        raise RuntimeError(
            "the storage server of the tests is not there: run `make gcs-server` (`make test` does)"
        )
    return found[-1]


def free_port() -> int:
    with socket.socket() as given:
        given.bind(("127.0.0.1", 0))
        return int(given.getsockname()[1])


class Server:
    """A server that can be killed and started again on the same port.

    Args:
        folder: Where it keeps objects; None keeps them in memory.
        external: By what address clients reach it; its own by default.
    """

    def __init__(self, folder: pathlib.Path | None = None, external: str | None = None) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._external = external or self.url
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        command = [str(binary()), "-scheme", "http", "-host", "127.0.0.1", "-port", str(self.port)]
        command += ["-external-url", self._external]
        command += ["-public-host", self._external.removeprefix("http://")]
        command += ["-log-level", "error", "-backend", "filesystem" if self._folder else "memory"]
        command += ["-filesystem-root", str(self._folder)] if self._folder else []
        self._process = subprocess.Popen(  # noqa: S603  # a server of the tests' own
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while True:
            with contextlib.suppress(OSError, urllib.error.URLError):
                self.ask("/storage/v1/b")
                return
            if self._process.poll() is not None:
                raise RuntimeError(f"{command[0]} ended with {self._process.returncode}")
            time.sleep(0.02)

    def kill(self) -> None:
        """Ends it without warning."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def ask(self, path: str, body: bytes | None = None) -> bytes:
        """One request: the answer's body."""
        request = urllib.request.Request(self.url + path, body)  # noqa: S310  # loopback
        if body is not None:
            request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # loopback
            data: bytes = answer.read()
            return data

    def make_bucket(self, name: str = BUCKET) -> None:
        self.ask("/storage/v1/b?project=tests", f'{{"name": "{name}"}}'.encode())


@contextlib.contextmanager
def serving(folder: pathlib.Path | None = None) -> Iterator[Server]:
    """A server with a bucket while the block runs."""
    server = Server(folder)
    server.start()
    try:
        server.make_bucket()
        yield server
    finally:
        server.kill()
