"""What the tagging of machine-made text can be told."""

from __future__ import annotations

import pydantic

from transforms.settings import Settings

__all__ = ["SCORED_BY", "SyntheticConfig"]

SCORED_BY = ("model",)
"""Settings that annotation takes; selection takes the others."""


class SyntheticConfig(Settings):
    """The classifier, and what is made of its scores.

    Attributes:
        model: Another classifier's file; null for the one that ships.
        reference: Another table of reference scores (`holdfast calibrate synthetic`),
            or `none`; null for the one that ships, if it is of this classifier.
        prior: Share of machine-made text at which `p_synthetic` is a probability.
        max_fpr: Greatest share of human text that may be tagged `likely_synthetic`.
        gamma: Exponent of the selection weight (1 - p)^gamma; 0 weighs nothing.
        previous: Manifest of an earlier run, or its folder: warns where the share of
            machine-made text has risen since.
    """

    model: str | None = None
    reference: str | None = None
    prior: float = pydantic.Field(0.2, gt=0, lt=1)
    max_fpr: float = pydantic.Field(0.01, ge=0.001, le=0.2)
    gamma: float = pydantic.Field(1.0, ge=0, le=16)
    previous: str | None = None

    @pydantic.field_validator("prior", "max_fpr")
    @classmethod
    def _decimals(cls, value: float) -> float:
        if round(value, 4) != value:
            raise ValueError(f"{value!r} has more than four decimals; write {round(value, 4)!r}")
        return value
