"""Deduplication wired into Beam."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa

import transforms.coders  # noqa: F401  # registers the coder of pa.RecordBatch
from transforms import metrics
from transforms.dedup import candidates, compare, exact, hot, select, settle
from transforms.dedup.config import DedupConfig
from transforms.dedup.fingerprint import fingerprint
from transforms.dedup.rows import (
    BAND,
    COPY,
    COVERED,
    CREDIT,
    CROWD,
    EDGE,
    ESTIMATED,
    HOT,
    KEPT,
    LIGHT,
    NODE,
    OPEN,
    PAIR,
    PART,
    REMOVED,
    REQUEST,
    SEEN,
    STATUS,
    SURVIVOR,
)
from transforms.exchange import Apply, Exchange, Input, Spool
from transforms.partition import by_hash, by_value
from transforms.records import PART_BITS

__all__ = ["Deduplicate", "Fingerprint", "Scale"]

Collections = Mapping[str, beam.PCollection]
Several: TypeAlias = "beam.PCollection | tuple[beam.PCollection, ...]"


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
        with metrics.cpu("fingerprint"):
            printed = fingerprint(batch, self._config)
        yield printed


class _Explode(beam.DoFn):
    """Band rows of survivors."""

    def process(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        with metrics.cpu("bands"):
            rows = candidates.band_rows(batch)
        yield rows


def by_part(batch: pa.RecordBatch, partitions: int) -> npt.NDArray[np.int64]:
    """Partitions rows by the part of staging that their `node` lies in."""
    parts = batch.column("node").to_numpy() >> np.uint64(PART_BITS)
    return by_hash("part")(pa.record_batch([pa.array(parts)], ["part"]), partitions)


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

    def _text(
        self, label: str, inputs: Mapping[str, Input], apply: Apply, *outputs: str
    ) -> Exchange:
        return Exchange(label, inputs, self._scale.text, apply, outputs, self._spool)

    def expand(self, given: Collections) -> dict[str, beam.PCollection]:
        """Exact copies, candidate pairs, verified edges, selection, fates."""
        settled = self._exact(given)
        parts = given["parts"]
        signatures = _both(parts, given.get("signature_parts"))
        texts = _both(parts, given.get("text_parts"))
        found = self._candidates(settled["survivors"], given.get("published"))
        first = self._verify(found, signatures, texts)
        second = self._second({**first, **found}, signatures, texts)
        removed, undecided = self._select((first["edges"], second["edges"]))
        near = {**settled, "removed": removed, "open": (*second["open"], undecided)} | self._light(
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

    def _candidates(
        self, survivors: beam.PCollection, published: beam.PCollection | None
    ) -> dict[str, beam.PCollection]:
        """Pairs that share a band, where they are compared, and the rows of hot buckets."""
        bands = _both(
            survivors | "Bands" >> beam.ParDo(_Explode()).with_output_types(pa.RecordBatch),
            None
            if published is None
            else published
            | "Published bands" >> beam.ParDo(_Explode()).with_output_types(pa.RecordBatch),
        )
        apply = functools.partial(candidates.bucket_pairs, most=self._config.pairs_bucket)
        found = {"bands": bands} | self._light(
            "Buckets", {"bands": Input(BAND, by_hash("band"))}, apply, "pairs", "crowd", "late"
        )
        by_v = {"pairs": Input(PAIR, by_hash("v"))}
        unique = {"pairs": found["pairs"]} | self._text(
            "Unique pairs", by_v, candidates.unique_pairs, "pairs", "requests"
        )
        return {**unique, "crowd": found["crowd"], "late": found["late"]}

    def _fetch(
        self, label: str, requests: beam.PCollection, parts: Several, apply: Apply
    ) -> beam.PCollection:
        inputs = {"requests": Input(REQUEST, by_part), "parts": Input(PART, by_hash("part"))}
        given = {"requests": requests, "parts": parts}
        return (given | self._text(label, inputs, apply, "vectors"))["vectors"]

    def _verify(
        self, found: Collections, signatures: Several, texts: Several
    ) -> dict[str, beam.PCollection]:
        fetched = self._fetch(
            "Fetch signatures", found["requests"], signatures, compare.fetch_signatures
        )
        near = {"pairs": found["pairs"], "vectors": fetched} | self._text(
            "Compare signatures",
            {
                "pairs": Input(PAIR, by_value("dest")),
                "vectors": Input(compare.SIGNATURES, by_value("dest")),
            },
            functools.partial(compare.compare_signatures, least=self._config.candidate_threshold),
            "pairs",
            "requests",
        )
        return self._compare("shingles", near, texts)

    def _compare(self, what: str, near: Collections, texts: Several) -> dict[str, beam.PCollection]:
        """Verifies pairs by their shingle sets: `edges` and the `beaten`."""
        fetch = functools.partial(compare.fetch_sets, ngram=self._config.ngram)
        sets = self._fetch(f"Fetch {what}", near["requests"], texts, fetch)
        compared = {"pairs": near["pairs"], "vectors": sets} | self._text(
            f"Compare {what}",
            {
                "pairs": Input(ESTIMATED, by_value("dest")),
                "vectors": Input(compare.SETS, by_value("dest")),
            },
            functools.partial(
                compare.compare_sets,
                threshold=self._config.threshold,
                tail_threshold=self._config.for_tail,
            ),
            "edges",
            "beaten",
        )
        return dict(compared)

    def _second(self, first: Collections, signatures: Several, texts: Several) -> dict[str, Any]:
        """Compares what the first pass left in hot buckets: `edges`, and the `open`."""
        known = {name: first[name] for name in ("edges", "beaten", "late")}
        covered = known | self._light(
            "Cover",
            {
                "edges": Input(EDGE, by_hash("u")),
                "beaten": Input(NODE, by_hash("node")),
                "late": Input(NODE, by_hash("node")),
            },
            hot.cover,
            "covered",
        )
        thinned = {
            "crowd": first["crowd"],
            "covered": covered["covered"],
            "parts": signatures,
        } | self._text(
            "Thin hot buckets",
            {
                "crowd": Input(CROWD, by_part),
                "covered": Input(COVERED, by_part),
                "parts": Input(PART, by_hash("part")),
            },
            hot.thin,
            "hot",
            "open",
        )
        near = {"hot": thinned["hot"]} | self._text(
            "Compare hot buckets",
            {"hot": Input(HOT, by_hash("band"))},
            functools.partial(hot.hot_pairs, least=self._config.candidate_threshold),
            "pairs",
            "requests",
            "open",
        )
        verified = self._compare("hot shingles", near, texts)
        return {"edges": verified["edges"], "open": (thinned["open"], near["open"])}

    def _select(self, edges: Several) -> tuple[tuple[beam.PCollection, ...], beam.PCollection]:
        """What is removed, and what stays open for want of room."""
        removed = []
        into, out_of = Input(EDGE, by_hash("v")), Input(EDGE, by_hash("u"))
        for number in range(1, self._config.rounds + 1):
            decided = {"edges": edges} | self._light(
                f"Round {number} decide",
                {"edges": into},
                select.decide,
                "removed",
                "edges",
                "status",
            )
            told = {"edges": decided["edges"], "status": decided["status"]} | self._light(
                f"Round {number} propagate",
                {"edges": out_of, "status": Input(STATUS, by_hash("node"))},
                select.propagate,
                "edges",
            )
            removed.append(decided["removed"])
            edges = told["edges"]
        rest, undecided = self._bounded(edges)
        solved = {"edges": rest} | Exchange(
            "Solve rest", {"edges": into}, 1, select.solve, ("removed",), self._spool
        )
        return (*removed, solved["removed"]), undecided

    def _bounded(self, edges: Several) -> tuple[beam.PCollection, beam.PCollection]:
        """Lets the edges through that one worker may solve; of too many, only the decided."""
        if isinstance(edges, tuple):
            edges = edges | "All edges" >> beam.Flatten()
        count = (
            edges
            | "Count open edges" >> beam.Map(_rows).with_output_types(int)
            | "Sum open edges" >> beam.CombineGlobally(sum)
        )
        bound = beam.ParDo(_Bound(self._config.residue_edges), beam.pvalue.AsSingleton(count))
        bounded = edges | "Bound open edges" >> bound.with_outputs(
            "open", main="edges"
        ).with_output_types(pa.RecordBatch)
        return bounded["edges"], bounded["open"]


def _both(rows: beam.PCollection, more: beam.PCollection | None) -> Several:
    """Two collections as one input of an `Exchange`, if there is a second."""
    return rows if more is None else (rows, more)


def _seen(published: pa.RecordBatch) -> pa.RecordBatch:
    return published.select(SEEN.names)


def _rows(batch: pa.RecordBatch) -> int:
    return batch.num_rows  # type: ignore[no-any-return]


class _Bound(beam.DoFn):
    """Edges of documents that are known to go pass; of the others, all or none."""

    def __init__(self, most: int) -> None:
        self._most = most

    def process(self, edges: pa.RecordBatch, count: int) -> Iterator[Any]:
        if count <= self._most:
            yield edges
            return
        decided, undecided = select.split_open(edges)
        metrics.count("dedup/undecided_edges", edges.num_rows - decided.num_rows)
        yield decided
        yield beam.pvalue.TaggedOutput("open", undecided)
