"""Counting the tokens of published texts again, where the tokenizer is at hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import pyarrow as pa

from transforms.errors import UsageError
from transforms.shards.promise import CountTokens, Promise

__all__ = ["Tokenizer", "counting_of", "untold"]


class Tokenizer(Protocol):
    """What is needed of a tokenizer (`tokens.tokenizer.Tokenizer`).

    Attributes:
        digest: Of its file.
    """

    @property
    def digest(self) -> str: ...  # noqa: D102

    def count(self, text: pa.Array) -> pa.Array:
        """Tokens of each text, int32."""
        ...


def counting_of(
    run: str, models: Mapping[str, Any], tokenizer: Tokenizer | None
) -> CountTokens | None:
    """What recomputes `n_tokens`: without a tokenizer in the run, they are null.

    Args:
        run: Its folder, for messages.
        models: `models` of its manifest.
        tokenizer: That is at hand, if any.

    Returns:
        None where the run had a tokenizer and none is at hand.

    Raises:
        UsageError: The tokenizer is not that of the run.
    """
    made_with = models.get("tokenizer") if isinstance(models, dict) else None
    if tokenizer is None:
        return None if made_with else _no_tokens
    if made_with is None:
        raise UsageError(f"{run} was annotated without a tokenizer; leave out --tokenizer")
    if tokenizer.digest != made_with:
        raise UsageError(
            f"the tokenizer given has the sha256 {tokenizer.digest}, and {run} was annotated with "
            f"{made_with}; give that file, or leave out --tokenizer"
        )
    return tokenizer.count


def _no_tokens(text: pa.Array) -> pa.Array:
    return pa.nulls(len(text), pa.int32())


def untold(promise: Promise, reports: list[dict[str, Any]]) -> tuple[str, ...]:
    """What is taken as it is given, as lines for people."""
    if promise.count_tokens is not None:
        return ()
    documents = sum(report["documents"] for report in reports)
    told = f"n_tokens of {documents} documents is taken as given; --tokenizer FILE recomputes it"
    return (told,)
