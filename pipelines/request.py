"""Requests that lack something, or contradict themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pipelines.config import Config
from pipelines.places import same_place
from transforms.errors import UsageError
from transforms.formats.choose import by_name
from transforms.tokens.tokenizer import load_tokenizer

__all__ = ["Kind", "check_request", "check_tokens"]

Kind = Literal["curate", "annotate", "select"]


def check_request(kind: Kind, config: Config) -> None:
    """Refuses requests that lack something."""
    if kind != "select" and config.unit == "tokens" and config.tokenizer is None:
        raise UsageError(
            "unit tokens needs a tokenizer when annotating, and none is configured; name a Hugging "
            "Face tokenizer.json with --tokenizer FILE, or use chars, bytes or docs"
        )
    if kind != "annotate" and not (config.floors or config.caps or config.no_floors):
        raise UsageError(
            "no floors are given: name them (--floor original=0.3 --floor tail=0.1), or say "
            "--no-floors if shares do not matter"
        )
    if config.no_floors and config.floors:
        raise UsageError("--no-floors contradicts the floors given; leave one of them out")
    if kind != "annotate":
        by_name(config.format).require()
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


def check_tokens(config: Config, models: Mapping[str, str], staging: str) -> None:
    """Refuses sizes in tokens that a staging folder does not have."""
    wanted = config.unit == "tokens" or config.tokenizer is not None
    if wanted and "tokenizer" not in models:
        raise UsageError(
            f"{staging} was annotated without a tokenizer, so that nothing in it has a size in "
            "tokens; annotate again with --tokenizer FILE, or use --unit chars, bytes or docs and "
            "name no tokenizer"
        )
    if config.tokenizer is not None:
        load_tokenizer(config.tokenizer, models["tokenizer"])
