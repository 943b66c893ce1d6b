"""Rare types wired into Beam."""

from __future__ import annotations

from collections.abc import Mapping

import apache_beam as beam
import pyarrow as pa

import transforms.coders  # noqa: F401  # registers the coder of pa.RecordBatch
from transforms.dedup.partitions import Scale, by_part
from transforms.dedup.rows import PART
from transforms.exchange import Exchange, Input, Spool
from transforms.partition import by_hash, to_one
from transforms.rare import count, parts, rows, told
from transforms.rebalance.finalise import ASSIGNED

__all__ = ["CountRareTypes", "FollowRareTypes"]

Collections = Mapping[str, beam.PCollection]


class CountRareTypes(beam.PTransform):
    """Finds the types that few originals hold.

    Input: a dict of `parts` (dedup.rows.PART) and `kept` (dedup.rows.KEPT).
    Output: a dict of `originals` (ORIGINAL), `holders` (HOLDER), `rare` (RARE) and `usual`
    (USUAL, a row for each language), fit to be a side input of whoever reads the others.

    Args:
        scale: Numbers of partitions.
        spool: How rows travel. Text does not: it is read where it lies.
    """

    def __init__(self, scale: Scale, spool: Spool) -> None:
        super().__init__()
        self._scale, self._spool = scale, spool

    def expand(self, given: Collections) -> dict[str, beam.PCollection]:
        """Reads parts, then brings each type together."""
        originals = given["kept"] | "Originals" >> beam.Map(rows.originals).with_output_types(
            pa.RecordBatch
        )
        read = {"parts": given["parts"], "originals": originals} | Exchange(
            "Read types",
            {"parts": Input(PART, by_hash("part")), "originals": Input(rows.ORIGINAL, by_part)},
            self._scale.text,
            parts.read_types,
            ("pairs", "common", "holders", "usual"),
            self._spool,
        )
        counted = read | Exchange(
            "Count types",
            {
                "pairs": Input(rows.PAIR, by_hash("type")),
                "common": Input(rows.COMMON, by_hash("type")),
            },
            self._scale.light,
            count.count_types,
            ("rare", "usual"),
            self._spool,
        )
        summed = {"usual": (read["usual"], counted["usual"])} | Exchange(
            "Sum usual",
            {"usual": Input(rows.USUAL, to_one)},
            1,
            count.sum_usual,
            ("usual",),
            self._spool,
        )
        return {
            "originals": originals,
            "holders": read["holders"],
            "rare": counted["rare"],
            "usual": summed["usual"],
        }


class FollowRareTypes(beam.PTransform):
    """Says which rare types survived.

    Input: a dict of `originals`, `rare` (as of `CountRareTypes`) and `assigned`
    (rebalance.finalise.ASSIGNED). Output: one row of JSON for the manifest.

    Args:
        partitions: For rows; sums go to one.
        spool: How rows travel.
    """

    def __init__(self, partitions: int, spool: Spool) -> None:
        super().__init__()
        self._partitions, self._spool = partitions, spool

    def expand(self, given: Collections) -> beam.PCollection:
        """Looks at documents, then at types, then adds up."""
        inputs = {"originals": rows.ORIGINAL, "rare": rows.RARE, "assigned": ASSIGNED}
        documents = {name: given[name] for name in inputs} | Exchange(
            "Follow documents",
            {name: Input(schema, by_hash("node")) for name, schema in inputs.items()},
            self._partitions,
            count.follow_documents,
            ("told", "shared"),
            self._spool,
        )
        types = documents | Exchange(
            "Follow types",
            {"shared": Input(rows.SHARED, by_hash("type"))},
            self._partitions,
            count.follow_types,
            ("told",),
            self._spool,
        )
        summed = {"told": (documents["told"], types["told"])} | Exchange(
            "Sum rare types",
            {"told": Input(rows.TOLD, to_one)},
            1,
            told.summarise,
            ("summary",),
            self._spool,
        )
        return summed["summary"]
