"""Recomputing an index from the texts that its runs published."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms import storage
from transforms.dedup.config import DedupConfig
from transforms.dedup.fingerprint import document_ids, text_hashes
from transforms.dedup.index import layout
from transforms.dedup.index.locate import Piece, compactions, pieces
from transforms.dedup.index.read import stored_rows
from transforms.dedup.index.segments import PublishedRun, Segment, Shard, listed
from transforms.dedup.index.write import INDEXED, Days, index_rows
from transforms.dedup.normalize import letters
from transforms.dedup.signature import signatures
from transforms.errors import HoldfastError
from transforms.formats.choose import of_path
from transforms.verdict import Verdict

__all__ = ["check_index"]


def _expected(shard: pa.Table, run: str, config: DedupConfig, days: Days) -> pa.Table:
    """The index rows that follow from the rows of a published shard."""
    batches = shard.combine_chunks().to_batches()
    batch = batches[0] if batches else pa.RecordBatch.from_pylist([], schema=shard.schema)
    text = batch.column("text")
    computed = {"doc_id": document_ids(batch), "text_hash": text_hashes(text)}
    for name, column in computed.items():
        place = shard.schema.get_field_index(name)
        shard = shard.set_column(place, shard.schema.field(name), pa.chunked_array([column]))
    return index_rows(shard, signatures(letters(text), config), days, run, config)


def _differences(stored: pa.Table, expected: pa.Table) -> Iterator[str]:
    """A sentence per column that is not as it should be."""
    if len(stored) != len(expected):
        yield f"the index has {len(stored)} rows, the shard {len(expected)}"
        return
    for name in INDEXED.names:
        one, other = stored.column(name), expected.column(name)
        same = pc.equal(one, other).fill_null(False)
        same = pc.or_(same, pc.and_(one.is_null(), other.is_null()))
        wrong = np.flatnonzero(~same.to_numpy())
        if len(wrong):
            yield f"{len(wrong)} rows have a wrong {name}, the first is row {wrong[0]}"


@dataclasses.dataclass(frozen=True)
class _Found:
    """What came of one shard."""

    findings: tuple[str, ...] = ()
    rows: int = 0
    gone: bool = False


@dataclasses.dataclass(frozen=True)
class _Checker:
    """Checks shards of an index, one at a time."""

    config: DedupConfig
    days: Days
    places: dict[tuple[str, str], Piece]

    def __call__(self, given: tuple[Segment, Shard]) -> _Found:
        segment, shard = given
        where = f"{shard.path} of run {segment.run}"
        try:
            found = self._check(segment, shard)
        except (HoldfastError, pa.ArrowException, OSError, KeyError, ValueError) as error:
            return _Found((f"{where} cannot be checked: {error}",))
        named = tuple(f"{where}: {finding}" for finding in found.findings)
        return dataclasses.replace(found, findings=named)

    def _check(self, segment: Segment, shard: Shard) -> _Found:
        piece = self.places.get((segment.run, shard.path))
        if piece is None:
            return _Found(("its index file is missing",))
        findings = []
        if piece.path.rsplit("/", 2)[-2] == segment.run:  # else it is a compacted file
            digest = hashlib.sha256(storage.read_bytes(piece.path)).hexdigest()
            if digest != shard.sha256:
                return _Found((f"its index file has sha256 {digest}, not {shard.sha256}",))
        stored = pa.concat_tables(
            [
                INDEXED.empty_table(),
                *stored_rows(piece.path, piece.first, shard.rows, INDEXED.names),
            ]
        )
        first = pc.sum(pc.equal(stored.column("repeat"), 0)).as_py() or 0
        if first != shard.documents:
            findings.append(f"it has {first} documents, not {shard.documents}")
        path = storage.join(segment.folder, shard.path)
        if not storage.exists(path):
            return _Found(tuple(findings), len(stored), gone=True)
        table = of_path(path).read(storage.read_bytes(path))
        expected = _expected(table, segment.run, self.config, self.days)
        return _Found((*findings, *_differences(stored, expected)), len(stored))


def check_index(index: str, published: PublishedRun, days: Days, workers: int = 2) -> Verdict:
    """Recomputes every row of every segment that counts.

    Args:
        index: The index.
        published: Tells which run a folder holds.
        days: Reads published dates.
        workers: Shards that are checked at a time.

    Raises:
        UsageError: It is no index.
        InputError: One of its records is damaged.
    """
    config = layout.config_of(index)
    runs = listed(index, published)
    segments = [segment for _, segment, counts in runs if counts and segment]
    check = _Checker(config, days, pieces(index, segments, compactions(index)))
    shards = [(segment, shard) for segment in segments for shard in segment.shards]
    with ThreadPoolExecutor(workers) as pool:
        results = list(pool.map(check, shards))
    findings = [finding for result in results for finding in result.findings]
    gone = sum(result.gone for result in results)
    rows = sum(result.rows for result in results)
    checked = [
        f"{rows} rows of {len(shards)} shards in {len(segments)} segments: run, ids, survivor "
        "keys, origin, repeats, bands and signatures, from the published texts"
    ]
    if gone:
        checked.append(f"{gone} shards are gone: their rows could be counted, not recomputed")
    if len(runs) > len(segments):
        checked.append(f"{len(runs) - len(segments)} segments do not count and were passed over")
    return Verdict.of(checked, findings)
