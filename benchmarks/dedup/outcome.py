"""What deduplication alone (`benchmarks.dedup.job`) made of each document."""

from __future__ import annotations

import dataclasses
import pathlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from transforms.dedup.rows import FATE, KEPT
from transforms.records import REASONS

__all__ = ["Outcome", "read_fates", "read_kept", "read_outcome"]

_NEAR = REASONS.index("near_duplicate")


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Who was kept, and why a near duplicate was not.

    Attributes:
        kept: URLs of the documents kept.
        near: URL of each near duplicate to the URL of its witness and their similarity.
    """

    kept: set[str]
    near: dict[str, tuple[str, float]]

    def flags(self, urls: list[str]) -> npt.NDArray[np.bool_]:
        """Whether each document of a corpus was kept."""
        return np.fromiter((url in self.kept for url in urls), np.bool_, len(urls))


def _rows(folder: pathlib.Path, schema: pa.Schema) -> pa.Table:
    """The rows of every file of a folder; it may hold none."""
    files = sorted(folder.glob("*.parquet"))
    return pa.concat_tables([schema.empty_table(), *map(pq.read_table, files)])


def read_kept(output: pathlib.Path) -> pa.Table:
    """The documents that were kept (`KEPT`)."""
    return _rows(output / "kept", KEPT)


def read_fates(output: pathlib.Path) -> pa.Table:
    """What became of the others (`FATE`)."""
    return _rows(output / "fates", FATE)


def read_outcome(output: pathlib.Path) -> Outcome:
    """Reads the folder that the job wrote."""
    staged = pq.read_table(output / "parts", columns=["node", "url", "doc_id"])
    by_node = dict(zip(*(staged.column(n).to_pylist() for n in ("node", "url")), strict=True))
    by_id = dict(zip(*(staged.column(n).to_pylist() for n in ("doc_id", "url")), strict=True))
    kept = read_kept(output).column("node").to_pylist()
    fates = read_fates(output).to_pylist()
    near = {
        by_node[fate["node"]]: (by_id[fate["witness"]], fate["similarity"])
        for fate in fates
        if fate["reason"] == _NEAR
    }
    return Outcome({by_node[node] for node in kept}, near)
