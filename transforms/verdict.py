"""What a check recomputed, and what it found."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Self

__all__ = ["Verdict"]

_MOST_FINDINGS = 100


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What was checked, and what was found to be wrong.

    Attributes:
        checked: What was recomputed, as lines for people.
        findings: Violations, the first hundred.
        unchecked: What was taken as it is given, as lines for people.
    """

    checked: tuple[str, ...]
    findings: tuple[str, ...]
    unchecked: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, checked: Iterable[str], findings: Iterable[str], unchecked: Iterable[str] = ()
    ) -> Self:
        """A verdict that keeps the first findings."""
        return cls(tuple(checked), tuple(findings)[:_MOST_FINDINGS], tuple(unchecked))
