"""Running `Deduplicate` on staged documents, and what each removal has to answer for."""

import pathlib
import tempfile

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.testing import test_pipeline
from dedup_corpus import CONFIG, jaccard, own_evidence, shingles, survivor_key
from keeping import Keep, kept

from transforms.dedup.beam import Deduplicate
from transforms.dedup.partitions import Scale
from transforms.dedup.rows import FATE, KEPT, reason_code
from transforms.exchange import Spool

EXACT, NEAR, EXCLUDED = map(reason_code, ("exact_duplicate", "near_duplicate", "excluded"))


def by_node(folder, schema):
    """Rows that were kept, by node, and how many there were."""
    rows, _ = kept(folder, schema)
    return {row["node"]: row for row in rows}, len(rows)


def deduplicate(staging, folder, carrier="files", scale=7, config=CONFIG, batch_rows=64, seed=None):
    """Kept rows and fates by node, and the counters."""
    light = staging.light
    if seed is not None:
        light = light.take(np.random.default_rng(seed).permutation(len(light)))
    batches = light.combine_chunks().to_batches(max_chunksize=batch_rows)
    folder = pathlib.Path(tempfile.mkdtemp(dir=folder))
    spool = Spool(carrier, str(folder / "spool"), str(folder / "outcome"))
    pipeline = test_pipeline.TestPipeline(runner="FnApiRunner")
    given = {
        "documents": pipeline
        | "Documents" >> beam.Create(batches).with_output_types(pa.RecordBatch),
        "parts": pipeline
        | "Parts"
        >> beam.Create(staging.parts.to_batches(max_chunksize=1)).with_output_types(pa.RecordBatch),
    }
    settled = given | Deduplicate(config, own_evidence, Scale(scale, scale), spool)
    for name, rows in settled.items():
        assert rows.element_type is pa.RecordBatch
        (folder / name).mkdir()
        rows | f"Keep {name}" >> beam.ParDo(Keep(str(folder / name)))
    result = pipeline.run()
    stay, n_stay = by_node(folder / "kept", KEPT)
    fates, n_fates = by_node(folder / "fates", FATE)
    # Every document read has exactly one fate.
    assert n_stay + n_fates == len(staging.documents)
    assert stay.keys() | fates.keys() == staging.documents.keys()
    counters = {c.key.metric.name: c.committed for c in result.metrics().query()["counters"]}
    return stay, fates, counters


def check_removals(staging, kept, fates, threshold=CONFIG.threshold):
    """Every removed document has a kept, verified, better neighbour: no anchor goes for less."""
    by_id = {staging.ids[node]: node for node in kept}
    for node, fate in fates.items():
        if fate["reason"] == EXCLUDED:
            continue
        witness = by_id[fate["witness"]]
        assert survivor_key(staging, witness) < survivor_key(staging, node)
        assert kept[witness]["tier"] <= fate["tier"]
        one, other = staging.documents[node], staging.documents[witness]
        if fate["reason"] == EXACT:
            assert one.tokens == other.tokens
        else:
            assert fate["similarity"] == jaccard(shingles(one), shingles(other)) >= threshold
