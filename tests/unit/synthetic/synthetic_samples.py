"""Controls, reference rows and staged rows made of a few numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from transforms.synthetic.sample import CONTROL, REFERENCE

ENGLISH = "eng_Latn"


def drawn(mean: float, n: int, seed: int, spread: float = 1000) -> np.ndarray:
    """Scores of texts around a mean."""
    made = np.round(np.random.default_rng(seed).normal(mean, spread, n))
    return made.clip(-32_000, 32_000).astype(np.int16)


def controls(
    source: str, scores: Sequence[int], *, hosts: int = 1, lang: str = ENGLISH, bucket: int = 1
) -> pa.Table:
    """Controls of one source, spread over hosts; texts of different sources differ."""
    n = len(scores)
    base = sum(source.encode()) << 32
    columns = [
        pa.array([lang] * n),
        pa.array(np.full(n, bucket)).cast(pa.int8()),
        pa.array([source] * n),
        pa.array((np.arange(n) % hosts + base).astype(np.uint64)),
        pa.array((np.arange(n) * 7919 + base).astype(np.uint64)),
        pa.array(np.asarray(scores), pa.int16()),
        pa.array(np.asarray(scores), pa.int16()),
    ]
    return pa.table(columns, schema=CONTROL)


def reference(
    source: str, scores: Sequence[int], *, machine: bool, lang: str = ENGLISH, bucket: int = 1
) -> pa.Table:
    """Reference rows of one set."""
    n = len(scores)
    columns = [
        pa.array([machine] * n, pa.bool_()),
        pa.array([lang] * n),
        pa.array(np.full(n, bucket)).cast(pa.int8()),
        pa.array([source] * n),
        pa.array(np.asarray(scores), pa.int16()),
        pa.array(np.asarray(scores), pa.int16()),
    ]
    return pa.table(columns, schema=REFERENCE)


def texts(
    scores: Sequence[int | None],
    source: str | None = "crawl",
    n_chars: int = 500,
    letters: int = 450,
) -> pa.Table:
    """Staged rows as a judgement reads them."""
    n = len(scores)
    return pa.table(
        {
            "lang": [ENGLISH] * n,
            "n_chars": pa.array([n_chars] * n, pa.int32()),
            "source": pa.array([source] * n, pa.string()),
            "synthetic_score": pa.array(scores, pa.int16()),
            "synthetic_letters": pa.array([letters] * n, pa.int16()),
            "origin_tier": pa.nulls(n, pa.string()),
            "synthetic_tag": ["uncalibrated"] * n,
            "p_synthetic": pa.nulls(n, pa.float32()),
            "weight": pa.array([1_000_000] * n, pa.int32()),
        }
    )
