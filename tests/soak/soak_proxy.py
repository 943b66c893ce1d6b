"""A proxy before a storage server, which breaks some answers."""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from soak_job import Tally

KINDS = ("429", "500", "503", "reset before", "reset after", "slow", "truncated")
_SLOW_SECONDS = 1.5
_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


@dataclasses.dataclass
class Plan:
    """Which answers are broken, and how.

    Attributes:
        kinds: Faults to choose from.
        share: Of the requests that get one.
        drawn: Random numbers.
        tally: Where they are counted.
    """

    kinds: tuple[str, ...]
    share: float
    drawn: random.Random
    tally: Tally
    lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)

    def next(self) -> str | None:
        """The fault of the next request."""
        with self.lock:
            if self.drawn.random() >= self.share:
                return None
            kind = self.drawn.choice(self.kinds)
            self.tally.faults += 1
            self.tally.note(kind)
            return kind


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    target: tuple[str, int]
    plan: Plan

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.plan.next()
        if fault is not None and fault.isdigit():
            self._answer(int(fault), {}, b"injected")
        elif fault == "reset before":
            self._reset()
        else:
            self._forward(body, fault)

    def _forward(self, body: bytes, fault: str | None) -> None:
        try:
            server = http.client.HTTPConnection(*self.target, timeout=60)
            server.request(self.command, self.path, body, dict(self.headers.items()))
            answer = server.getresponse()
            data = answer.read()
            server.close()
        except OSError:
            self._reset()
            return
        headers = {k: v for k, v in answer.getheaders() if k.lower() not in _HOP}
        if fault == "reset after":
            self._reset()
            return
        if fault == "slow":
            time.sleep(_SLOW_SECONDS)
        cut = len(data) // 2 if fault == "truncated" and data else len(data)
        self._answer(answer.status, headers, data, cut)
        if cut < len(data):
            self._reset()

    def _answer(
        self, status: int, headers: dict[str, str], data: bytes, cut: int | None = None
    ) -> None:
        with contextlib.suppress(OSError):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data[:cut])

    def _reset(self) -> None:
        """Closes the connection so that the other side sees a reset."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.shutdown(socket.SHUT_RDWR)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve  # noqa: N815  # as the base calls them


class _Quiet(ThreadingHTTPServer):
    """Says nothing of clients that leave: a killed job, or one whose connection was reset."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """As above."""


@contextlib.contextmanager
def proxied(port: int, target: int, plan: Plan) -> Iterator[str]:
    """A proxy on a port, to a port, while the block runs; its address."""
    handler = type("Handler", (_Handler,), {"target": ("127.0.0.1", target), "plan": plan})
    proxy = _Quiet(("127.0.0.1", port), handler)
    thread = threading.Thread(target=proxy.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        proxy.shutdown()
        proxy.server_close()
