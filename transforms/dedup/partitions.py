"""Into how many partitions deduplication cuts its rows, and which one a document goes to."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.partition import by_hash
from transforms.records import PART_BITS

__all__ = ["Scale", "by_part"]


@dataclasses.dataclass(frozen=True)
class Scale:
    """Into how many partitions the rows of a job of this size are cut.

    Attributes:
        light: For rows without text.
        text: For steps that hold the text, or the shingles, of a partition.
        files: For rows that are published as they are: by size alone, whatever the
            number of workers.
    """

    light: int
    text: int
    files: int = 1


def by_part(batch: pa.RecordBatch, partitions: int) -> npt.NDArray[np.int64]:
    """Partitions rows by the part of staging that their `node` lies in."""
    parts = batch.column("node").to_numpy() >> np.uint64(PART_BITS)
    return by_hash("part")(pa.record_batch([pa.array(parts)], ["part"]), partitions)
