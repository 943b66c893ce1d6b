"""Deduplication wired into Beam."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping

import apache_beam as beam
import pyarrow as pa

import transforms.coders  # noqa: F401  # registers the coder of pa.RecordBatch
from transforms import metrics
from transforms.commits import ends
from transforms.dedup import exact, settle
from transforms.dedup.config import DedupConfig
from transforms.dedup.fingerprint import fingerprint
from transforms.dedup.near.beam import FindNear, SelectKept
from transforms.dedup.partitions import Scale
from transforms.dedup.rows import COPY, CREDIT, KEPT, LIGHT, OPEN, REMOVED, SEEN, SURVIVOR
from transforms.exchange import Apply, Exchange, Input, Spool
from transforms.partition import by_hash

__all__ = ["Deduplicate", "Fingerprint"]

Collections = Mapping[str, beam.PCollection]


class Fingerprint(beam.PTransform):
    """Appends identity, sizes and signature to batches of documents."""

    def __init__(self, config: DedupConfig) -> None:
        super().__init__()
        self._config = config

    def expand(self, documents: beam.PCollection) -> beam.PCollection:
        """Maps batches."""
        return documents | "Fingerprint" >> beam.ParDo(
            _Fingerprint(self._config)
        ).with_output_types(pa.RecordBatch)


class _Fingerprint(beam.DoFn):
    def __init__(self, config: DedupConfig) -> None:
        self._config = config

    def process(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        if ends(batch):
            yield batch
            return
        with metrics.cpu("fingerprint"):
            printed = fingerprint(batch, self._config)
        yield printed


class Deduplicate(beam.PTransform):
    """Finds exact and near duplicates and says what becomes of each document.

    Input: a dict with `documents` (batches of `rows.LIGHT`) and `parts` (batches of
    `rows.PART`: where the text and signatures of the documents lie); with an index also
    what `ReadIndex` gives: `published`, `signature_parts` and `text_parts`.
    Output: a dict with `kept` (batches of `rows.KEPT`) and `fates` (batches of
    `rows.FATE`), in which every document is exactly once, and `undecided` (batches of
    `rows.UNDECIDED`).

    Args:
        config: Thresholds and parameters.
        settle: What the copies of a text say of each one's origin
            (`provenance.group`).
        scale: Numbers of partitions.
        spool: How rows travel between workers.
    """

    def __init__(
        self, config: DedupConfig, settle: exact.Settle, scale: Scale, spool: Spool
    ) -> None:
        super().__init__()
        self._config, self._settle, self._scale, self._spool = config, settle, scale, spool

    def _light(
        self, label: str, inputs: Mapping[str, Input], apply: Apply, *outputs: str
    ) -> Exchange:
        return Exchange(label, inputs, self._scale.light, apply, outputs, self._spool)

    def expand(self, given: Collections) -> dict[str, beam.PCollection]:
        """Exact copies, candidate pairs, verified edges, selection, fates."""
        settled = self._exact(given)
        found = {**given, "survivors": settled["survivors"]} | "Near" >> FindNear(
            self._config, self._scale, self._spool
        )
        edges = {name: found[name] for name in ("edges", "more")}
        removed = edges | "Select" >> SelectKept(self._config, self._scale, self._spool)
        opened = (found["risky"], found["uncompared"], removed.pop("open"))
        near = {**settled, "removed": tuple(removed.values()), "open": opened} | self._light(
            "Remove near duplicates",
            {
                "survivors": Input(SURVIVOR, by_hash("node")),
                "removed": Input(REMOVED, by_hash("node")),
                "copies": Input(COPY, by_hash("of")),
                "open": Input(OPEN, by_hash("node")),
            },
            settle.remove_near,
            "kept",
            "fates",
            "credits",
            "undecided",
        )
        counted = {"kept": near["kept"], "credits": near["credits"]} | self._light(
            "Count copies",
            {"kept": Input(KEPT, by_hash("node")), "credits": Input(CREDIT, by_hash("node"))},
            settle.add_copies,
            "kept",
        )
        return {
            "kept": counted["kept"],
            "fates": near["fates"],
            "undecided": near["undecided"],
        }

    def _exact(self, given: Collections) -> dict[str, beam.PCollection]:
        """Survivors of exact deduplication, and the copies that it removes."""
        inputs = {"documents": Input(LIGHT, by_hash("text_hash"))}
        texts = {"documents": given["documents"]}
        if "published" in given:
            inputs["published"] = Input(SEEN, by_hash("text_hash"))
            texts["published"] = given["published"] | "Published texts" >> beam.Map(
                _seen
            ).with_output_types(pa.RecordBatch)
        apply = functools.partial(exact.settle_exact, settle=self._settle)
        return dict(texts | self._light("Exact copies", inputs, apply, "survivors", "copies"))


def _seen(published: pa.RecordBatch) -> pa.RecordBatch:
    return published.select(SEEN.names)
