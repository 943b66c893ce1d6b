"""What deduplication can be told."""

from __future__ import annotations

from typing import Self

import pydantic

from transforms.settings import Settings

__all__ = ["SCHEME", "Boilerplate", "DedupConfig"]

SCHEME = "affine32-xs64-v1"
"""Name and version of how text becomes a signature: datasketch's affine32
permutations over the low 32 bits of 64-bit shingle hashes. Signatures of another
scheme are never compared."""


class Boilerplate(Settings):
    """Paragraphs that recur: cookie banners, licence headers, navigation.

    Attributes:
        min_documents: In how many distinct texts a paragraph recurs; None looks for none.
        min_chars: Shortest normal form of a paragraph, in characters.
        cut: Whether near-deduplication sees texts without these paragraphs, or whether
            they are only counted. Published text stays as it is.
    """

    min_documents: int | None = pydantic.Field(None, ge=2)
    min_chars: int = pydantic.Field(20, ge=1, le=1_000_000)
    cut: bool = True

    @property
    def cuts(self) -> bool:
        """Whether signatures are made of anything but whole texts."""
        return self.min_documents is not None and self.cut


class DedupConfig(Settings):
    """Shingles, signature, bands and thresholds.

    Attributes:
        ngram: Tokens in a shingle.
        permutations: Values in a signature.
        bands: Bands of the signature; `permutations` is a multiple of it. Two
            documents are candidates when one band is equal: with r rows a band,
            P = 1 - (1 - s^r)^bands at similarity s (Leskovec et al., Mining of
            Massive Datasets, section 3.4).
        seed: Of the permutations, as datasketch takes it.
        threshold: Exact Jaccard similarity of shingle sets from which a document is
            a near-duplicate.
        tail_threshold: The same where the document that would go is in a tail
            language by the registry: its little text should not be lost to templates
            that many pages share. None for no difference.
        candidate_threshold: Estimated similarity below which a candidate pair is
            not verified.
        pairs_bucket: A bucket with at most so many documents is compared pair by
            pair; in a larger one each with the best first, and what that leaves over
            in a second pass.
        rounds: Selection rounds run in partitions before the rest is solved in one.
        residue_edges: Most edges that are solved in one partition; documents whose
            fate depends on more than that are kept and counted as undecided.
        boilerplate: Paragraphs that near-deduplication does not look at.
    """

    ngram: int = pydantic.Field(5, ge=1, le=32)
    permutations: int = pydantic.Field(126, ge=2, le=1024)
    bands: int = pydantic.Field(21, ge=1, le=512)
    seed: int = pydantic.Field(1, ge=0, lt=2**32)
    threshold: float = pydantic.Field(0.8, gt=0, le=1)
    tail_threshold: float | None = pydantic.Field(None, gt=0, le=1)
    candidate_threshold: float = pydantic.Field(0.65, ge=0, le=1)
    pairs_bucket: int = pydantic.Field(48, ge=2, le=1000)
    rounds: int = pydantic.Field(3, ge=0, le=12)
    residue_edges: int = pydantic.Field(5_000_000, ge=0)
    boilerplate: Boilerplate = Boilerplate()

    @pydantic.model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.permutations % self.bands:
            raise ValueError(
                f"permutations={self.permutations} is not a multiple of bands={self.bands}; "
                f"use {self.permutations // self.bands * self.bands or self.bands}"
            )
        if self.candidate_threshold > self.least_threshold:
            raise ValueError(
                f"candidate_threshold={self.candidate_threshold} exceeds the threshold "
                f"{self.least_threshold}: true duplicates would never be verified"
            )
        return self

    @property
    def for_tail(self) -> float:
        """Threshold of a document in a tail language."""
        return self.threshold if self.tail_threshold is None else self.tail_threshold

    @property
    def least_threshold(self) -> float:
        """No near-duplicate is less similar to its witness than this."""
        return min(self.threshold, self.for_tail)

    @property
    def rows(self) -> int:
        """Rows in a band."""
        return self.permutations // self.bands
