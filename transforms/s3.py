"""One client of Amazon's for a process, where Beam's file system would make one for each call.

To make one takes a third of a second of CPU, most of a small request. What it holds of a
download is of one stream, so each call gets a copy; the connections are shared, which
Amazon's client is made for.
"""

from __future__ import annotations

import copy
import functools
import threading
from collections.abc import Callable
from typing import Any

__all__ = ["SCHEME", "share_client", "shared"]

SCHEME = "s3://"

_OPTIONS = (
    *("access_key_id", "secret_access_key", "session_token", "endpoint_url", "region_name"),
    *("api_version", "verify", "disable_ssl"),
)
"""What Beam's options say of Amazon S3, without `s3_`."""


@functools.cache
def share_client() -> None:
    """Has Beam's file system share its client from now on, in this process."""
    from apache_beam.io.aws.clients.s3 import boto3_client  # noqa: PLC0415  # only if needed
    from apache_beam.options.pipeline_options import S3Options  # noqa: PLC0415  # as above

    def told(options: Any) -> tuple[Any, ...]:
        seen = options.view_as(S3Options)
        return tuple(getattr(seen, f"s3_{name}", None) for name in _OPTIONS)

    boto3_client.Client = shared(boto3_client.Client, told)


def shared(make: Callable[[Any], Any], told: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Makes one thing for all options that say the same, and gives out copies.

    Args:
        make: From options; its copies share what it holds.
        told: What of options matters; hashable.
    """
    made: dict[Any, Any] = {}
    lock = threading.Lock()

    def given(options: Any) -> Any:
        with lock:
            key = told(options)
            if key not in made:
                made[key] = make(options)
            return copy.copy(made[key])

    return given
