"""Requests that lack something, or contradict themselves."""

from __future__ import annotations

from typing import Literal

from pipelines.config import Config
from pipelines.places import same_place
from transforms.errors import UsageError

__all__ = ["Kind", "check_request"]

Kind = Literal["curate", "annotate", "select"]


def check_request(kind: Kind, config: Config) -> None:
    """Refuses requests that lack something."""
    if kind != "annotate" and not (config.floors or config.caps or config.no_floors):
        raise UsageError(
            "no floors are given: name them (--floor original=0.3 --floor tail=0.1), or say "
            "--no-floors if shares do not matter"
        )
    if config.no_floors and config.floors:
        raise UsageError("--no-floors contradicts the floors given; leave one of them out")
    if config.output is None and not (kind == "annotate" and config.staging):
        raise UsageError("no output is given; name a folder with --output")
    if kind != "select" and not config.input:
        raise UsageError("no input is given; name a file, a folder or a glob with --input")
    if kind == "select" and config.staging is None:
        raise UsageError("no staging folder is given; name the one that annotate or curate left")
    places = (config.output, config.staging)
    if kind != "annotate" and all(places) and same_place(*map(str, places)):
        raise UsageError(
            f"--output and --staging are both {config.output}; give each a folder of its own"
        )
