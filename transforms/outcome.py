"""How a run ended, put down where whoever started it can find it.

Runners lose the type of an exception, and a service runs no code of ours after
submission. So a step that refuses writes `outcome.json` before it raises.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from transforms import storage
from transforms.errors import HoldfastError

__all__ = ["OUTCOME", "read_outcome", "recorded", "write_outcome"]

OUTCOME = "outcome.json"


def write_outcome(folder: str, exit_code: int, message: str) -> None:
    """Writes the outcome of a run into its staging folder."""
    data = {"exit_code": exit_code, "message": message}
    storage.write_bytes_atomically(storage.join(folder, OUTCOME), orjson.dumps(data))


def read_outcome(folder: str) -> dict[str, Any] | None:
    """`exit_code` and `message` of the last run in a staging folder; None without one."""
    path = storage.join(folder, OUTCOME)
    return orjson.loads(storage.read_bytes(path)) if storage.exists(path) else None


@contextmanager
def recorded(folder: str) -> Iterator[None]:
    """Writes down a `HoldfastError` of the block before it goes on."""
    try:
        yield
    except HoldfastError as error:
        write_outcome(folder, error.exit_code, str(error))
        raise
