"""Who decides from the statistics of a whole run, in which order."""

from __future__ import annotations

from pipelines.config import Config
from transforms.staging.survey import Policy

__all__ = ["surveyed"]


def surveyed(config: Config) -> tuple[Policy, ...]:
    """Policies that count the parts of staging.

    Their decisions are applied, in this order, to the light rows that deduplication
    works on and to the rows that are published.
    """
    del config
    return ()
