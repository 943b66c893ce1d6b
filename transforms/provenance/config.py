"""What counts as evidence of human origin."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

import pydantic

from transforms.settings import Settings

__all__ = ["ProvenanceConfig"]


class ProvenanceConfig(Settings):
    """Sources and dates that make a document an original.

    Attributes:
        trusted_sources: Names of sources, exactly as the input spells them, and
            hosts. An entry with a dot that equals a document's host, or is a
            parent domain of it, is trusted as well.
        tier_a_before: Documents seen before this day are tier A.
        tier_b_before: Documents seen before this day are tier B.
        date_kind: What the dates of the input are: `crawl` when an archive
            recorded them, `page` when the page claims them.
        trust_page_dates: Whether dates of the kind `page` may give a tier.
    """

    trusted_sources: tuple[Annotated[str, pydantic.Field(min_length=1)], ...] = ()
    tier_a_before: datetime.date = datetime.date(2020, 6, 1)
    tier_b_before: datetime.date = datetime.date(2022, 11, 30)
    date_kind: Literal["crawl", "page"] = "crawl"
    trust_page_dates: bool = False

    @pydantic.field_validator("trusted_sources")
    @classmethod
    def _names_or_hosts(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        for entry in entries:
            if entry != entry.strip() or "://" in entry:
                raise ValueError(
                    f"trusted source {entry!r} is neither the name of a source nor a host: "
                    "write it without a scheme and without surrounding space (library.example)"
                )
        return entries

    @pydantic.model_validator(mode="after")
    def _tiers_in_order(self) -> ProvenanceConfig:
        if self.tier_a_before > self.tier_b_before:
            raise ValueError(
                f"tier_a_before {self.tier_a_before} is later than tier_b_before "
                f"{self.tier_b_before}: tier A is the stronger evidence, so its day comes first"
            )
        return self

    @property
    def dates_count(self) -> bool:
        """Whether a date can give a tier at all."""
        return self.date_kind == "crawl" or self.trust_page_dates
