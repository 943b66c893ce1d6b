"""The same records read the same, whatever carries them and however it is cut."""

import gzip
import pathlib
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest_files import read_all, write_jsonl

from transforms.ingest.config import FieldMapping, IngestConfig

text = st.text(max_size=12)
optional = st.none() | text
dates = (
    st.none()
    | st.sampled_from(["2021", "2021-03-04T05:06:07Z", "2021-02-30", ""])
    | st.dates().map(str)
)
tags = st.none() | st.lists(optional, max_size=2)
records = st.fixed_dictionaries(
    {
        "text": st.none() | text | st.text(min_size=40, max_size=60),
        "id": optional,
        "url": optional | st.sampled_from(["https://User@Example.org:1/x", "http://b.org"]),
        "source": optional,
        "date": dates,
        "lang": optional,
        "origin": st.none() | st.sampled_from(["human", "AI", "unsure"]),
        "score": st.none() | st.floats(),
        "count": st.none() | st.integers(-(2**63), 2**63 - 1),
        "flag": st.none() | st.booleans(),
        "meta": st.none() | st.fixed_dictionaries({"id": optional, "tags": tags}),
    }
)  # fmt: skip
SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("text", "id", "url", "source", "date", "lang", "origin")]
    + [("score", pa.float64()), ("count", pa.int64()), ("flag", pa.bool_())]
    + [("meta", pa.struct([("id", pa.string()), ("tags", pa.list_(pa.string()))]))]
)

Rows = list[dict[str, Any]]
mappings = st.sampled_from([FieldMapping(), FieldMapping(id="meta.id"), FieldMapping(source="id")])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(records, max_size=12),
    fields=mappings,
    target=st.integers(1, 2000),
    group=st.integers(1, 5),
    batch_rows=st.integers(1, 5),
    batch_bytes=st.integers(1, 100),
)
def test_one_result(
    tmp_path_factory: pytest.TempPathFactory, *, rows: Rows, fields: FieldMapping,
    target: int, group: int, batch_rows: int, batch_bytes: int,
) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("roundtrip")
    small = IngestConfig(
        fields=fields, batch_rows=batch_rows, batch_bytes=batch_bytes, max_document_bytes=50
    )
    large = IngestConfig(fields=fields, max_document_bytes=50)
    plain = write_jsonl(folder / "a.jsonl", rows)
    packed = folder / "b.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    parquet = folder / "c.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), parquet, row_group_size=group)
    expected = contents(plain, large)
    assert len(expected[0]) + len(expected[1]) == len(rows), "each record has one fate"
    assert contents(plain, small, target) == expected
    assert contents(packed, small) == expected
    assert contents(parquet, large) == expected
    assert contents(parquet, small, target) == expected


def contents(
    path: pathlib.Path, config: IngestConfig, target: int = 1 << 25
) -> tuple[Rows, list[str]]:
    documents, dead = read_all(path, config, target)
    for row in documents:
        row.pop("node")
    return documents, [row["reason"] for row in dead]
