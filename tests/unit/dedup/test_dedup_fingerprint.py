"""Identity of documents, and the light rows made of staged ones."""

import numpy as np
import pyarrow as pa
import pytest
import xxhash
from dedup_reference import SAMPLES
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.dedup.config import DedupConfig
from transforms.dedup.fingerprint import IDENTITY, digests, document_ids, fingerprint
from transforms.dedup.light import light_rows, sizes
from transforms.dedup.rows import LIGHT
from transforms.records import CONTENT, INGESTED

FIELD = st.none() | st.text(st.sampled_from("ab\x00é人"), max_size=3)
RECORD = st.tuples(st.text(max_size=4), *[FIELD] * 7)


def batch(*records: dict[str, object]) -> pa.RecordBatch:
    rows = [{"node": node, "text": "a text", **record} for node, record in enumerate(records)]
    return pa.RecordBatch.from_pylist(rows, schema=INGESTED)


def ids(*records: dict[str, object]) -> list[bytes]:
    return document_ids(batch(*records)).to_pylist()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"url": None}, {"url": ""}),  # absent is not empty
        ({"id": "ab", "url": "c"}, {"id": "a", "url": "bc"}),  # where one field ends
        ({"id": "a", "url": None}, {"id": None, "url": "a"}),  # which field it is
        ({"text": "ab", "id": None}, {"text": "a", "id": "b"}),
        ({"text": "x"}, {"text": "X"}),  # what was read, not its normal form
        ({"text": "x"}, {"text": "x\x00"}),
        ({"text": "é"}, {"text": "e\u0301"}),
        ({"metadata": "{}"}, {"metadata": None}),
        ({"lang_declared": "en"}, {"lang_declared": "eng"}),
        ({"origin_declared": "human"}, {"origin_declared": None}),
        ({"date": "2020"}, {"date": "2020-01-01"}),
        ({"source": "a"}, {"source": "b"}),
    ],
)
def test_different_records_have_different_ids(one, other):
    assert len(set(ids(one, other))) == 2


@pytest.mark.parametrize("field", ["node", "host", "date_day"])
def test_what_follows_from_other_fields_or_place_does_not_count(field):
    # Staging place and derived columns are no part of the record.
    assert (
        len(
            set(
                ids({field: None if field != "node" else 3}, {field: "7" if field == "host" else 7})
            )
        )
        == 1
    )


@settings(max_examples=100, deadline=None, database=None)
@given(st.lists(RECORD, min_size=1, max_size=6), st.integers(0, 5))
def test_ids_equal_exactly_when_records_do_in_any_batch(rows, cut):
    records = [dict(zip(IDENTITY, row, strict=True)) for row in rows]
    whole = batch(*records)
    found = document_ids(whole).to_pylist()
    assert len(set(found)) == len(set(rows))
    assert [len(i) for i in found] == [16] * len(rows)
    cut = min(cut, len(rows))
    split = [document_ids(part).to_pylist() for part in (whole.slice(0, cut), whole.slice(cut))]
    assert [*split[0], *split[1]] == found


def test_the_id_is_that_of_length_prefixed_fields():
    record = {"text": "a é", "id": "", "url": "u", "metadata": '{"k":1}'}
    joined = b""
    for name in (
        "text",
        "id",
        "url",
        "source",
        "date",
        "lang_declared",
        "origin_declared",
        "metadata",
    ):
        value = record.get(name)
        data = (value or "").encode()
        joined += (2**64 - 1 if value is None else len(data)).to_bytes(8, "little") + data
    assert ids(record) == [xxhash.xxh3_128_digest(joined)]


def test_digests_of_slices_and_of_nothing():
    values = pa.array(["a", "", "ß" * 9, "d"])
    assert digests(values).to_pylist() == [
        xxhash.xxh3_128_digest(v.encode()) for v in values.to_pylist()
    ]
    assert digests(values.slice(1, 2)).to_pylist() == digests(values).to_pylist()[1:3]
    assert digests(pa.array([], pa.string())).to_pylist() == []
    assert digests(pa.array([b"\xff\x00"])).to_pylist() == [xxhash.xxh3_128_digest(b"\xff\x00")]


def test_fingerprint_appends_identity_and_sizes_alone():
    given = batch(
        {"text": "Straße 人"}, {"text": ""}, {"text": "STRASSE \n人"}, {"text": "straße  人"}
    )
    found = fingerprint(given, DedupConfig())
    assert found.schema.names == [*INGESTED.names, *CONTENT.names, "signature"]
    assert [found.schema.field(f.name) for f in CONTENT] == list(CONTENT)
    assert found.select(INGESTED.names).equals(given)
    assert found.column("n_chars").to_pylist() == [8, 0, 10, 9]
    assert found.column("n_bytes").to_pylist() == [11, 0, 12, 12]
    assert found.column("n_tokens").null_count == 4
    assert found.column("signature").is_valid().to_pylist() == [True, False, True, True]
    a, _, b, c = found.column("text_hash").to_pylist()
    assert a == c != b  # lower case leaves sharp s, case folding would not


def test_fingerprint_does_not_depend_on_the_batch():
    whole = batch(*[{"text": text, "url": name} for name, text in SAMPLES.items()], {"text": ""})
    rows = fingerprint(whole, DedupConfig()).to_pylist()
    for at in range(len(rows)):
        assert fingerprint(whole.slice(at, 1), DedupConfig()).to_pylist() == [rows[at]]
    assert fingerprint(whole.slice(0, 0), DedupConfig()).num_rows == 0


class TestLightRows:
    config = DedupConfig()

    def staged(self) -> pa.Table:
        texts = [{"text": "some words here"}, {"text": "?", "origin_declared": "synthetic"}]
        texts += [{"text": "mehr Wörter", "origin_declared": "human", "date_day": 737_000}]
        table = pa.Table.from_batches([fingerprint(batch(*texts), self.config)])
        added = {
            "origin_tier": pa.array(["B", None, "A"]),
            "p_synthetic": pa.array([0.1234, None, 0.0], pa.float32()),
            "synthetic_tag": pa.array(["likely_synthetic", "synthetic", "unverified"]),
            "lang": pa.array(["eng_Latn", "zxx", "deu_Latn"]),
            "mixed": pa.array([False, False, False]),
            "tail": pa.array([False, False, True]),
            "weight": pa.array([877_000, 1_000_000, 1_000_000], pa.int32()),
        }
        for name, column in added.items():
            table = table.append_column(name, column)
        return table

    def rows(self, table: pa.Table, unit: str = "chars") -> pa.Table:
        flag = pa.array([False, True, False]).slice(0, len(table))
        return light_rows(table, flag, flag, unit, self.config)

    def test_codes_and_numbers(self):
        rows = self.rows(self.staged())
        assert rows.schema == LIGHT
        found = rows.to_pydict()
        assert found["tier"] == [1, 2, 0]
        assert found["declared"] == [False, True, False]
        assert found["excluded"] == found["convicted"] == [False, True, False]
        assert found["p"] == [1234, -1, 0]
        assert found["likely"] == [1234, 0, 0]
        assert found["weight"] == [877_000, 1_000_000, 1_000_000]
        assert found["date_day"] == [None, None, 737_000]
        assert found["size"] == found["n_chars"] == [15, 1, 11]
        assert [b and len(b) for b in found["bands"]] == [21 * 8, None, 21 * 8]

    def test_every_ten_thousandth_survives_single_precision(self):
        p = np.arange(10_001)
        staged = self.staged().take([0] * len(p))
        at = staged.schema.get_field_index("p_synthetic")
        staged = staged.set_column(at, "p_synthetic", pa.array((p / 10_000).astype(np.float32)))
        flag = pa.array(np.zeros(len(p), dtype=bool))
        found = light_rows(staged, flag, flag, "docs", self.config)
        assert found.column("p").to_pylist() == p.tolist()

    @pytest.mark.parametrize(("unit", "size"), [("chars", 11), ("bytes", 12), ("docs", 1)])
    def test_sizes(self, unit, size):
        assert sizes(self.staged(), unit).to_pylist()[2] == size

    def test_bands_do_not_depend_on_the_rows_around(self):
        staged = self.staged()
        whole = self.rows(staged).to_pylist()
        last = light_rows(
            staged.slice(2), pa.array([False]), pa.array([False]), "chars", self.config
        )
        assert last.to_pylist() == whole[2:]
        assert len(self.rows(staged.slice(0, 0))) == 0
