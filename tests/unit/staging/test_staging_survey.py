"""Run-wide decisions: the same whatever the parts and batches, applied to every row."""

from __future__ import annotations

import itertools
import pathlib
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from staging_policies import HIDE, SHORT
from staging_rows import kept, staged, tables, written

from transforms.dedup.config import DedupConfig
from transforms.staging.outcome import settle_parts
from transforms.staging.reading.light import read_light
from transforms.staging.survey.decisions import (
    DECISIONS,
    STATISTICS,
    Policy,
    _decode,
    _statistics,
    apply_decisions,
    by_counts,
    columns_of,
    count_part,
    count_rows,
    merge_statistics,
    read_decisions,
    write_decisions,
)

BOTH = (HIDE, SHORT)
LANGS = st.lists(st.sampled_from(["eng_Latn", "swh_Latn", "isl_Latn", "zxx"]), min_size=1)


def part(folder: pathlib.Path, langs: list[str], number: int, group: int = 3) -> str:
    rows = [row | {"lang": lang} for row, lang in zip(staged(len(langs), number).to_pylist(), langs,
                                                     strict=True)]  # fmt: skip
    path = folder / f"part-{number}.parquet"
    table = pa.Table.from_pylist(rows, schema=staged(0).schema)
    pq.write_table(table, path, row_group_size=group)
    return str(path)


def decided(folder: pathlib.Path, counts: list[pa.RecordBatch], *policies: Policy) -> Any:
    given_ = {"statistics": pa.Table.from_batches(counts, schema=STATISTICS)}
    outputs = list(write_decisions(0, given_, policies=policies, folder=str(folder)))
    assert all(name == "decisions" and table.schema == DECISIONS for name, table in outputs)
    rows = [batch for _, table in outputs for batch in table.to_batches()]
    return read_decisions(rows), {p.name: p.read_bytes() for p in folder.glob("*.arrow")}


def test_a_decision_sees_all_parts(tmp_path: pathlib.Path):
    paths = [part(tmp_path, ["swh_Latn", "eng_Latn"], 1), part(tmp_path, ["eng_Latn"] * 2, 2)]
    counts = [batch for path in paths for batch in count_part(path, BOTH)]
    found, _ = decided(tmp_path, counts, *BOTH)
    assert found["hide"].to_pydict() == {"lang": ["swh_Latn"]}
    # Row r has 10 + r characters: 10, 11, 10, 11.
    assert found["short"].to_pydict() == {"mean": [10]}


@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(LANGS, st.lists(st.integers(0, 30), max_size=4), st.integers(1, 5), st.randoms())
def test_a_decision_is_the_same_however_rows_are_cut(
    tmp_path: pathlib.Path, langs: list[str], cuts: list[int], group: int, rng: Any
):
    whole = pa.Table.from_batches([staged(len(langs))])
    whole = whole.set_column(whole.schema.get_field_index("lang"), "lang", pa.array(langs))
    bounds = [0, *sorted(min(cut, len(langs)) for cut in cuts), len(langs)]
    counts = []
    for number, (first, last) in enumerate(itertools.pairwise(bounds)):
        path = tmp_path / f"cut-{number}.parquet"
        pq.write_table(whole.slice(first, last - first), path, row_group_size=group)
        counts += count_part(str(path), BOTH)
    rng.shuffle(counts)
    once = [count_rows(whole.combine_chunks().to_batches()[0], policy) for policy in BOTH]
    assert decided(tmp_path, counts, *BOTH)[1] == decided(tmp_path, once, *BOTH)[1]


def test_decisions_are_applied_in_order_and_leave_other_columns_alone():
    table = pa.Table.from_batches([staged(4)])
    decisions = {"hide": pa.table({"lang": ["swh_Latn"]}), "short": pa.table({"mean": [12]})}
    found = apply_decisions(table, BOTH, decisions)
    assert found.schema.names == table.schema.names
    assert found.column("lang").to_pylist() == ["eng_Latn", "und", "eng_Latn", "und"]
    assert found.column("tail").to_pylist() == [True, True, False, False]
    others = [name for name in table.schema.names if name not in ("lang", "tail")]
    assert found.select(others).equals(table.select(others))


def test_a_policy_that_counted_nowhere_decides_nothing(tmp_path: pathlib.Path):
    found, files = decided(tmp_path, [], *BOTH)
    assert (found, files) == ({}, {})
    table = pa.Table.from_batches([staged(2)])
    assert apply_decisions(table, BOTH, found).equals(table)


def test_a_part_without_rows_is_counted_all_the_same(tmp_path: pathlib.Path):
    counts = list(count_part(part(tmp_path, [], 3), (HIDE,)))
    assert decided(tmp_path, counts, HIDE)[0]["hide"].to_pydict() == {"lang": []}


def test_floats_are_not_added_up():
    half = Policy(
        "half", ("lang",), (), lambda table: table.select(["lang", "lang_score"]),
        lambda table: table, (), lambda table, _: table,
    )  # fmt: skip
    with pytest.raises(TypeError, match="'lang_score' are no integers"):
        count_rows(staged(2), half)


def test_columns_to_read_are_named_once():
    assert columns_of(BOTH, ["text", "lang"]) == ["text", "lang", "n_chars"]


def test_light_rows_follow_the_decisions(tmp_path: pathlib.Path):
    path = part(tmp_path, ["eng_Latn", "swh_Latn"], 1)
    decisions = {"hide": pa.table({"lang": ["swh_Latn"]}), "short": pa.table({"mean": [11]})}
    batches = read_light(
        path, None, lambda evidence: pa.array([False] * len(evidence)), "chars", DedupConfig(),
        lambda table: apply_decisions(table, BOTH, decisions), columns_of(BOTH, ()),
    )  # fmt: skip
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert [(row["lang"], row["tail"]) for row in rows] == [("eng_Latn", True), ("und", False)]


def test_the_ledger_and_the_shards_follow_the_decisions(tmp_path: pathlib.Path):
    _, files = decided(tmp_path, [count_rows(staged(2), policy) for policy in BOTH], *BOTH)
    assert set(files) == {"hide.arrow", "short.arrow"}
    rows = [[name.removesuffix(".arrow") for name in files], [str(tmp_path / n) for n in files]]
    given_ = tables([written(tmp_path, 2)], kept=[kept(0), kept(1)])
    found = settle_parts(
        0, given_, unit="chars", policies=BOTH,
        decisions=[pa.record_batch(rows, schema=DECISIONS)],
    )  # fmt: skip
    ledger = [row for name, table in found if name == "ledger" for row in table.to_pylist()]
    assert [row["lang"] for row in ledger] == ["und"]


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3), st.integers(1, 9)), max_size=30),
    st.integers(1, 5),
    st.randoms(use_true_random=False),
)
def test_statistics_merged_in_places_are_those_of_all(rows, places, rng):
    """Whatever is merged with what, and where, first."""
    policy = Policy("sums", ("key", "bin"), (), lambda t: t, lambda t: t, (), lambda t, _: t)
    schema = pa.schema([("key", pa.string()), ("bin", pa.int64()), ("documents", pa.int64())])
    tables = [
        pa.Table.from_pylist([dict(zip(schema.names, row, strict=True))], schema=schema)
        for row in rows
    ]
    if not tables:
        return
    batch = pa.Table.from_batches([_statistics(policy, [table]) for table in tables])
    where = by_counts(batch.combine_chunks().to_batches()[0], places)
    assert ((where >= 0) & (where < places)).all()
    order = list(range(places))
    rng.shuffle(order)
    merged = []
    for place in order:
        some = batch.filter(pa.array(where == place))
        merged += [t for _, t in merge_statistics(place, {"statistics": some}, policies=[policy])]
    told = [_decode(row["counts"]) for table in merged for row in table.to_pylist()]
    assert policy.merged(told).equals(policy.merged(tables))
