"""Settings of language identification."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import pydantic

from transforms.settings import Settings

__all__ = ["LangidConfig"]


class LangidConfig(Settings):
    """How documents are identified.

    Attributes:
        model: Path of a fastText model whose labels name languages; None for the
            one that ships with the package.
        min_score: Least score of a label; below it the identifier abstains (`und`).
        max_chars: Code points of a document that are looked at. Longer documents
            are sampled in two excerpts, one from each half.
        tail: Verdicts that override the registry's class, by label (`swh_Latn`) or
            by ISO 639-3 code (`swh`).
    """

    model: str | None = None
    min_score: Annotated[float, pydantic.Field(ge=0, le=1)] = 0.3
    max_chars: Annotated[int, pydantic.Field(ge=40, le=100_000)] = 600
    tail: Mapping[str, bool] = pydantic.Field(default_factory=dict)
