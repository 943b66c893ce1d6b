"""The base of every configuration object: frozen, checked when made, no unknown keys."""

from __future__ import annotations

import pydantic

__all__ = ["Settings"]


class Settings(pydantic.BaseModel):
    """A validated, immutable group of settings.

    Subclasses validate in pydantic validators and raise `ValueError` with a
    message that names the value, its range and the fix; `pipelines.config` adds
    the name of the key and turns it into a `UsageError`.
    """

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", validate_default=True)
