"""Settings of language identification."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

import pydantic

from transforms.langid.registry import load_registry
from transforms.settings import Settings

__all__ = ["SCORING", "LangidConfig"]

SCORING = ("model", "max_chars")
"""Settings that decide scores; all others are policy, and may change after annotation."""

Share = Annotated[float, pydantic.Field(ge=0, le=1)]


class LangidConfig(Settings):
    """How documents are identified, and what their scores have to be.

    A language's least score is its median less a standard deviation, over the run, but
    no less than `min_score` and no more than `enough_score`.

    Attributes:
        model: Path of a fastText model whose labels name languages; None for the
            one that ships with the package.
        max_chars: Code points of a document that the model looks at. Longer documents
            are sampled in three segments: head, middle, tail.
        min_score: Least score of any label; below it the identifier abstains (`und`).
        enough_score: Score that is enough for any label. FineWeb2's bound of .9 is for
            scores of a softmax; those of the model that ships reckon with texts in
            unknown languages.
        thresholds: Least scores that are set and not computed, by label (`swh_Latn`) or
            by ISO 639-3 code (`swh`).
        min_margin: Least lead over the second label.
        min_script_share: Least share of a text's letters in the script of its label.
        mixed_score: Score at which a segment in another language makes a text mixed.
        max_contamination: Estimated share of wrong texts above which a tail language's
            texts need words of its list.
        tail: Verdicts that override the rule for tail, by label or by code.
        tail_by: What makes a language tail: its `class` (0 to 2, or unlisted), its
            `share` of what deduplication kept, or `both`: either is enough.
        tail_share: Greatest share of a tail language, where the share counts.
    """

    model: str | None = None
    max_chars: Annotated[int, pydantic.Field(ge=40, le=100_000)] = 600
    min_score: Share = 0.5
    enough_score: Share = 0.7
    thresholds: Mapping[str, Share] = pydantic.Field(default_factory=dict)
    min_margin: Share = 0.0
    min_script_share: Share = 0.5
    mixed_score: Share = 0.85
    max_contamination: Share = 0.1
    tail: Mapping[str, bool] = pydantic.Field(default_factory=dict)
    tail_by: Literal["class", "share", "both"] = "class"
    tail_share: Share = 0.001

    @pydantic.field_validator("tail", "thresholds")
    @classmethod
    def _languages(cls, given: Mapping[str, object]) -> Mapping[str, object]:
        for label in given:
            if label.partition("_")[0] not in load_registry():
                raise ValueError(
                    f"{label!r} names no language of the registry; write a code of ISO 639-3 "
                    f"(swh) or a label (swh_Latn). und and zxx have no thresholds and are never "
                    f"tail"
                )
        return given

    @pydantic.model_validator(mode="after")
    def _range(self) -> Self:
        if self.enough_score < self.min_score:
            raise ValueError(
                f"enough_score={self.enough_score} is below min_score={self.min_score}; a score "
                "that is enough for any language is at least the least score"
            )
        return self

    def set_threshold(self, label: str) -> float | None:
        """The least score that is set for a label; None where it is to be computed."""
        return self.thresholds.get(label, self.thresholds.get(label.partition("_")[0]))
