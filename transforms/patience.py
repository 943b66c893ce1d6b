"""Asking a server again whose answer did not come, or not whole.

Requests to remote storage fail for two reasons. What the server decided (there is no
such object, the account has no right, a precondition does not hold) is an answer, which
asking again only hides. What happened on the way (a reset connection, half of an
answer, an overloaded server) passes. Only the second is tried again, with growing
pauses and up to a limit; each time is told in the log and counted as `storage/retries`.

Whoever asks says that asking twice does no harm: it is told nowhere else whether a
request whose answer was lost had been carried out.
"""

from __future__ import annotations

import http.client
import json
import logging
import random
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from transforms.errors import HoldfastError

__all__ = ["patiently", "transient"]

T = TypeVar("T")

_LOG = logging.getLogger("holdfast")
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 32.0, 32.0, 32.0)
"""Seconds before each further attempt, drawn between half of it and the whole: two minutes."""
_STATUS = frozenset({408, 429, 500, 502, 503, 504})
"""What servers answer that are overloaded or about to be replaced."""
_OK = range(200, 300)
"""An error about such an answer is one about its content: it came, but not whole."""
_DECIDED = (HoldfastError, FileNotFoundError, FileExistsError, IsADirectoryError, PermissionError)
_BROKEN = (ConnectionError, TimeoutError, http.client.HTTPException, json.JSONDecodeError)
_CLIENTS = {
    "requests.exceptions": ("ConnectionError", "Timeout", "ChunkedEncodingError"),
    "urllib3.exceptions": ("ProtocolError", "TimeoutError", "PoolError", "SSLError"),
    "botocore.exceptions": ("HTTPClientError", "IncompleteReadError"),
    "apache_beam.io.aws.clients.s3.messages": ("S3ClientError",),
}
"""Errors of connections by the clients that raise them, which are loaded if they do.

Beam's of Amazon S3 is for all that goes wrong; it is one of these where it has no status.
"""


def patiently(what: str, ask: Callable[[], T]) -> T:
    """What a request answers, which is sent again as long as its answer does not arrive.

    Args:
        what: What is asked for, for the log.
        ask: Sends the request and reads the answer; it does no harm to send it twice.

    Raises:
        Exception: What `ask` raised, if it is no fault that passes, or did not pass.
    """
    for attempt, pause in enumerate(_PAUSES, start=1):
        try:
            return ask()
        except Exception as error:
            if not transient(error):
                raise
            _tell(what, attempt, error)
        time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  # so that not all ask at once
    return ask()


def _tell(what: str, attempt: int, error: Exception) -> None:
    from transforms import metrics  # noqa: PLC0415  # it needs Beam, and so does remote storage

    told = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    _LOG.warning("%s: attempt %d of %d failed: %s", what, attempt, len(_PAUSES) + 1, told)
    metrics.count("storage/retries")


def transient(error: BaseException) -> bool:
    """Whether what went wrong with a request may be over when it is sent again."""
    if isinstance(error, _DECIDED):
        return False
    # Beam collects the errors of several files, some of them as a status.
    details = getattr(error, "exception_details", None)
    if isinstance(details, dict) and details:
        return all(map(_transient_detail, details.values()))
    status = _status_of(error)
    if status is not None:
        return status in _STATUS or status in _OK
    return bool(getattr(error, "retryable", False)) or isinstance(error, tuple(_broken()))


def _transient_detail(detail: Any) -> bool:
    return transient(detail) if isinstance(detail, BaseException) else detail in _STATUS


def _status_of(error: BaseException) -> int | None:
    """The status of the answer that an error is about; None of one without an answer."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        response_status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        response_status = getattr(response, "status_code", None)
    for found in (getattr(error, "code", None), response_status):
        if isinstance(found, int):
            return int(found)
    return None


def _broken() -> Iterator[type[BaseException]]:
    """Errors of connections and of answers that are cut off."""
    yield from _BROKEN
    for module, names in _CLIENTS.items():
        if module in sys.modules:
            yield from (getattr(sys.modules[module], name) for name in names)
