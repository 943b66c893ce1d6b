"""Finding and settling near-duplicates, wired into Beam."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import apache_beam as beam
import pyarrow as pa

import transforms.coders  # noqa: F401  # registers the coder of pa.RecordBatch
from transforms import metrics
from transforms.dedup.config import DedupConfig
from transforms.dedup.near import candidates, compare, hot, select
from transforms.dedup.partitions import Scale, by_part
from transforms.dedup.rows import (
    BAND,
    COVERED,
    CROWD,
    EDGE,
    ESTIMATED,
    HOT,
    NODE,
    PAIR,
    PART,
    REQUEST,
    STATUS,
)
from transforms.exchange import Apply, Exchange, Input, Spool
from transforms.partition import by_hash, by_value

__all__ = ["FindNear", "SelectKept"]

Collections = Mapping[str, beam.PCollection]
Several: TypeAlias = "beam.PCollection | tuple[beam.PCollection, ...]"


class _Steps(beam.PTransform):
    """What both transforms are made of.

    Args:
        config: Thresholds and parameters.
        scale: Numbers of partitions.
        spool: How rows travel between workers.
    """

    def __init__(self, config: DedupConfig, scale: Scale, spool: Spool) -> None:
        super().__init__()
        self._config, self._scale, self._spool = config, scale, spool

    def _light(
        self, label: str, inputs: Mapping[str, Input], apply: Apply, *outputs: str
    ) -> Exchange:
        return Exchange(label, inputs, self._scale.light, apply, outputs, self._spool)

    def _text(
        self, label: str, inputs: Mapping[str, Input], apply: Apply, *outputs: str
    ) -> Exchange:
        return Exchange(label, inputs, self._scale.text, apply, outputs, self._spool)


class FindNear(_Steps):
    """Finds pairs of near-duplicates among documents, and of those with published ones.

    Input: a dict with `survivors` (rows.SURVIVOR) and `parts` (rows.PART: where their
    text and signatures lie); with an index also `published` (rows.PUBLISHED),
    `signature_parts` and `text_parts` (rows.PART).
    Output: a dict with the `edges` (rows.EDGE) of the first pass and of the second, in
    `more`, and two collections of documents that may stay undecided (rows.OPEN):
    `risky` and `uncompared`.
    """

    def expand(self, given: Collections) -> dict[str, beam.PCollection]:
        """Candidates, comparison, and the second pass over hot buckets."""
        signatures = _both(given["parts"], given.get("signature_parts"))
        texts = _both(given["parts"], given.get("text_parts"))
        found = self._candidates(given["survivors"], given.get("published"))
        first = self._verify(found, signatures, texts)
        second = self._second({**first, **found}, signatures, texts)
        return {"edges": first["edges"], **second}

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

    def _second(
        self, first: Collections, signatures: Several, texts: Several
    ) -> dict[str, beam.PCollection]:
        """Compares what the first pass left in hot buckets."""
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
        return {
            "more": verified["edges"],
            "risky": thinned["open"],
            "uncompared": near["open"],
        }


class SelectKept(_Steps):
    """Decides which documents stay: the lexicographically first maximal independent set.

    Input: a dict of collections of `rows.EDGE`, under any names.
    Output: a dict of collections of the `removed` (rows.REMOVED), one a round, and as
    `open` (rows.OPEN) what is left undecided for want of room.
    """

    def expand(self, given: Collections) -> dict[str, beam.PCollection]:
        """Rounds over partitions of edges; what they leave, in one."""
        removed: dict[str, beam.PCollection] = {}
        edges: Several = tuple(given.values())
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
            removed[f"round_{number}"] = decided["removed"]
            edges = told["edges"]
        rest, undecided = self._bounded(edges)
        solved = {"edges": rest} | Exchange(
            "Solve rest", {"edges": into}, 1, select.solve, ("removed",), self._spool
        )
        return {**removed, "rest": solved["removed"], "open": undecided}

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
        # Types before outputs: the other way round they are lost, and batches are pickled.
        typed = bound.with_output_types(pa.RecordBatch, open=pa.RecordBatch)
        bounded = edges | "Bound open edges" >> typed.with_outputs("open", main="edges")
        return bounded["edges"], bounded["open"]


class _Explode(beam.DoFn):
    """Band rows of survivors."""

    def process(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        with metrics.cpu("bands"):
            rows = candidates.band_rows(batch)
        yield rows


def _both(rows: beam.PCollection, more: beam.PCollection | None) -> Several:
    """Two collections as one input of an `Exchange`, if there is a second."""
    return rows if more is None else (rows, more)


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
