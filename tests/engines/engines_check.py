"""The type of the fixture that all engines share."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

Check = Callable[..., pathlib.Path]
"""`same_bytes(*flags)`: the folder of a run that published the same bytes."""
