"""What passes is tried again, up to a limit; what a server decided never is."""

from __future__ import annotations

import http.client
import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import urllib3
from apache_beam.io.aws.clients.s3.messages import S3ClientError
from apache_beam.io.filesystem import BeamIOError
from google.api_core import exceptions as api
from google.auth.exceptions import TransportError
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse

from transforms import metrics, patience
from transforms.errors import StorageError
from transforms.patience import patiently, transient


def invalid(status: int) -> InvalidResponse:
    return InvalidResponse(SimpleNamespace(status_code=status), "Request failed", status)


class ClientError(Exception):
    """As Amazon's client raises it."""

    def __init__(self, status: int) -> None:
        super().__init__("An error occurred")
        self.response = {"ResponseMetadata": {"HTTPStatusCode": status}}


PASSES = [
    ConnectionResetError("reset"),
    TimeoutError("timed out"),
    http.client.IncompleteRead(b"half", 4),
    json.JSONDecodeError("half of an answer", '{"items": [', 11),
    requests.exceptions.ChunkedEncodingError("broken off"),
    requests.exceptions.ConnectionError("refused"),
    requests.exceptions.ReadTimeout("slow"),
    urllib3.exceptions.IncompleteRead(3, 4),
    api.TooManyRequests("slow down"),
    api.InternalServerError("oops"),
    api.ServiceUnavailable("later"),
    invalid(408),
    invalid(502),
    DataCorruption(SimpleNamespace(status_code=200), "checksum"),
    TransportError("no token yet", retryable=True),
    ClientError(503),
    S3ClientError("Could not connect to the endpoint"),
    S3ClientError("slow down", 503),
    BeamIOError("List operation failed", {"gs://b/x": api.BadGateway("later")}),
    BeamIOError("Delete operation failed", {"gs://b/x": 503}),
]
DECIDED = [
    api.Forbidden("no right"),
    api.NotFound("no object"),
    api.PreconditionFailed("another generation"),
    api.RetryError("tried for two minutes", ConnectionResetError("reset")),
    invalid(404),
    invalid(403),
    ClientError(403),
    S3ClientError("no right", 403),
    FileNotFoundError("no file"),
    PermissionError("no right"),
    OSError("no space left on device"),
    ValueError("anything else"),
    StorageError("explained already"),
    BeamIOError("List operation failed"),
    BeamIOError("Delete operation failed", {"gs://b/x": 503, "gs://b/y": 403}),
    BeamIOError("Copy operation failed", {("a", "b"): api.Forbidden("no right")}),
]


@pytest.mark.parametrize("error", PASSES, ids=repr)
def test_faults_on_the_way_pass(error: Exception):
    assert transient(error)


@pytest.mark.parametrize("error", DECIDED, ids=repr)
def test_what_was_decided_does_not(error: Exception):
    assert not transient(error)


class Server:
    """Fails as often as told, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.asked = list(errors), 0

    def __call__(self) -> str:
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """What is counted; nobody waits."""
    found: dict[str, int] = {}

    def count(name: str, n: int = 1) -> None:
        found[name] = found.get(name, 0) + n

    monkeypatch.setattr(metrics, "count", count)
    monkeypatch.setattr(patience, "_PAUSES", (0.0,) * 3)
    return found


def test_it_is_asked_until_it_answers(counted: dict[str, int], caplog: Any):
    server = Server(*PASSES[:3])
    with caplog.at_level(logging.WARNING, "holdfast"):
        assert patiently("read gs://b/x", server) == "answer"
    assert (server.asked, counted) == (4, {"storage/retries": 3})
    told = "read gs://b/x: attempt 1 of 4 failed: ConnectionResetError: reset"
    assert caplog.messages[0] == told


def test_it_is_not_asked_for_ever(counted: dict[str, int]):
    server = Server(*[ConnectionResetError("reset")] * 9)
    with pytest.raises(ConnectionResetError):
        patiently("read gs://b/x", server)
    assert (server.asked, counted) == (4, {"storage/retries": 3})


@pytest.mark.parametrize("error", DECIDED, ids=repr)
def test_no_answer_is_masked(error: Exception, counted: dict[str, int]):
    server = Server(error)
    with pytest.raises(type(error)):
        patiently("read gs://b/x", server)
    assert (server.asked, counted) == (1, {})


def test_a_fault_before_a_decision_hides_it_not(counted: dict[str, int]):
    server = Server(ConnectionResetError("reset"), api.Forbidden("no right"))
    with pytest.raises(api.Forbidden):
        patiently("read gs://b/x", server)
    assert server.asked == 2
