"""Every format gives back what it was given, and equal rows give equal bytes."""

from __future__ import annotations

import io
import itertools
import json
import pathlib
import tarfile
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.errors import InputError, UsageError
from transforms.formats import wds
from transforms.formats.choose import FORMATS, PARQUET, by_name, of_path, read_columns
from transforms.formats.format import Format, Member
from transforms.formats.mds import COLUMNS
from transforms.formats.plain import from_plain, to_plain
from transforms.records import PUBLISHED

OTHERS = [made for made in FORMATS.values() if made is not PARQUET]
every = pytest.mark.parametrize("made", FORMATS.values(), ids=FORMATS.keys())
other = pytest.mark.parametrize("made", OTHERS, ids=lambda made: made.name)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = {
    pa.string(): TEXTS,
    pa.binary(): st.binary(max_size=20),
    pa.bool_(): st.booleans(),
    pa.int16(): st.integers(-(2**15), 2**15 - 1),
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float32(): st.floats(width=32, allow_nan=False, allow_infinity=False),
    pa.list_(pa.string()): st.lists(TEXTS, max_size=3),
}


def _field(field: pa.Field) -> st.SearchStrategy[Any]:
    values = VALUES[field.type]
    return st.none() | values if field.nullable else values


ROWS = st.lists(st.fixed_dictionaries({f.name: _field(f) for f in PUBLISHED}), max_size=4)


def table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=PUBLISHED)


def shard() -> pa.Table:
    """A row without nulls, and one with all that there may be."""
    filled = {
        pa.string(): "zwei\r\n\N{SNOWMAN}\0", pa.binary(): bytes(range(16)), pa.bool_(): True,
        pa.int16(): -3, pa.int32(): 7, pa.int64(): 1 << 40, pa.float32(): 0.9,
        pa.list_(pa.string()): ["a", "b"],
    }  # fmt: skip
    full = {field.name: filled[field.type] for field in PUBLISHED}
    bare = {f.name: None if f.nullable else full[f.name] for f in PUBLISHED}
    return table([full, bare | {"repeat": 8, "origin_evidence": []}])


@every
@settings(max_examples=30)
@given(rows=ROWS)
def test_whatever_is_written_comes_back(made: Format, rows: list[dict[str, Any]]):
    given_table = table(rows)
    read = made.read(made.write(given_table))
    assert read.schema.equals(PUBLISHED)
    assert read.equals(given_table)


@every
def test_equal_rows_give_equal_bytes_however_they_are_chunked(made: Format):
    whole = shard()
    pieces = pa.concat_tables([whole.slice(0, 1), whole.slice(1, 1)])
    taken = pa.concat_tables([whole, whole]).slice(2, 2)
    assert made.write(whole) == made.write(pieces) == made.write(taken)


@every
def test_a_file_cut_off_is_refused_and_not_read_as_fewer_rows(made: Format):
    data = made.write(shard())
    for size in (0, 1, 4, len(data) // 3, len(data) - 1100):
        if 0 <= size < len(data):
            with pytest.raises((ValueError, pa.ArrowException)):
                made.read(data[:size])


def test_scores_read_as_they_were_meant():
    (row, _) = to_plain(shard())
    assert row["lang_score"] == 0.9
    assert row["doc_id"] == bytes(range(16)).hex()
    assert list(row) == PUBLISHED.names


@given(bits=st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=200))
def test_every_finite_float_survives_as_a_decimal(bits: list[int]):
    values = np.array(bits, dtype=np.uint32).view(np.float32)
    values = values[np.isfinite(values)]
    one = table(shard().to_pylist()[:1])
    many = pa.concat_tables([one] * max(len(values), 1)).slice(0, len(values))
    place = many.schema.get_field_index("lang_score")
    many = many.set_column(place, PUBLISHED.field(place), pa.chunked_array([values], pa.float32()))
    read = from_plain(list(map(orjson.loads, map(orjson.dumps, to_plain(many)))))
    back = read.column("lang_score").to_numpy()
    assert np.array_equal(back.view(np.uint32), values.view(np.uint32))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["jsonl", "wds", "mds"])
def test_what_json_cannot_hold_is_refused(name: str, bad: float):
    rows = shard().to_pylist()
    rows[0]["p_synthetic"] = bad
    with pytest.raises(ValueError, match="not a finite number"):
        by_name(name).write(table(rows))


DAMAGES = {
    "a field less": lambda row: row.pop("lang"),
    "a field more": lambda row: row.update(extra=1),
    "a null where none may be": lambda row: row.update(tail=None),
    "a number for a text": lambda row: row.update(text=7),
    "a text for a number": lambda row: row.update(n_chars="7"),
    "a number that is too large": lambda row: row.update(n_chars=1 << 40),
    "an id that is no hexadecimal": lambda row: row.update(doc_id="xyz"),
    "a text for a list": lambda row: row.update(origin_evidence="a"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_rows_of_another_shape_are_refused(damage: Any):
    rows = list(to_plain(shard()))
    damage(rows[1])
    with pytest.raises(ValueError, match=r"row|value|non-hexadecimal"):
        from_plain(rows)
    with pytest.raises(ValueError, match="row 0 has not"):
        from_plain([["no", "object"]])


def test_json_lines_are_what_every_reader_knows():
    data = by_name("jsonl").write(shard())
    assert zstandard.frame_content_size(data) > 0
    lines = zstandard.ZstdDecompressor().decompress(data).splitlines()
    assert [json.loads(line) for line in lines] == list(to_plain(shard()))


def test_a_last_line_without_an_end_is_refused():
    data = by_name("jsonl").write(shard())
    lines = zstandard.ZstdDecompressor().decompress(data)
    with pytest.raises(ValueError, match="no end"):
        by_name("jsonl").read(zstandard.compress(lines[:-1]))


def members(data: bytes) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return tar.getmembers()


def test_tar_members_are_nobodys_and_of_no_time():
    data = by_name("wds").write(shard())
    key = bytes(range(16)).hex()
    names = [f"{key}_{repeat}{end}" for repeat in (7, 8) for end in (".json", ".txt")]
    assert [member.name for member in members(data)] == names
    for member in members(data):
        assert (member.mtime, member.uid, member.gid, member.uname, member.gname) == (0,) * 3 + (
            "", "",
        )  # fmt: skip


def test_tar_members_out_of_place_are_refused():
    data = by_name("wds").write(shard())
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        given_members = [(m, tar.extractfile(m).read()) for m in tar]
    for order in ([1, 0, 2, 3], [0, 1, 2], [0, 3, 2, 1], [0, 2, 1, 3]):
        sink = io.BytesIO()
        with tarfile.open(fileobj=sink, mode="w") as tar:
            for member, content in (given_members[at] for at in order):
                tar.addfile(member, io.BytesIO(content))
        with pytest.raises(ValueError, match=r"not in its place|has no text|JSON"):
            by_name("wds").read(sink.getvalue())


def test_a_missing_library_is_told_with_its_extra(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(wds.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"pip install 'holdfast\[wds\]'"):
        by_name("wds").require()
    for made in FORMATS.values():
        if made.name != "wds":
            made.require()


def test_mds_offsets_lead_to_the_samples():
    data = by_name("mds").write(shard())
    count, *offsets = np.frombuffer(data, "<u4", 4).tolist()
    assert (count, offsets[-1]) == (2, len(data))
    config = json.loads(data[16 : offsets[0]])
    assert config["column_names"] == sorted(PUBLISHED.names) == list(COLUMNS)
    assert config["column_encodings"] == list(COLUMNS.values())
    assert COLUMNS["doc_id"] == "bytes"
    assert COLUMNS["text"] == "str"
    assert COLUMNS["p_synthetic"] == COLUMNS["tail"] == COLUMNS["origin_evidence"] == "json"


def test_mds_refuses_what_its_offsets_cannot_reach(monkeypatch: pytest.MonkeyPatch):
    made = by_name("mds")
    monkeypatch.setattr("transforms.formats.mds._LARGEST", 1000)
    with pytest.raises(UsageError, match="smaller --shard-size"):
        made.write(shard())


def test_an_index_names_every_shard():
    (path, data), *none = by_name("mds").index([Member("a.mds", 2, 70, "ff")]).items()
    assert (path, none) == ("index.json", [])
    (entry,) = json.loads(data)["shards"]
    assert entry["raw_data"] == {"basename": "a.mds", "bytes": 70, "hashes": {"sha256": "ff"}}
    assert (entry["samples"], entry["hashes"], entry["zip_data"]) == (2, ["sha256"], None)
    assert not any(made.index([]) for made in FORMATS.values() if made.name != "mds")


def test_names_tell_the_format():
    for made in FORMATS.values():
        assert of_path(f"a/data/shard-00000-of-00001{made.extension}") is made
        assert by_name(made.name) is made
    for one, two in itertools.permutations(FORMATS.values(), 2):
        assert not one.extension.endswith(two.extension)
    with pytest.raises(InputError, match="is no shard"):
        of_path("a/data/shard.csv")
    for name in ("csv", None, ["mds"]):
        with pytest.raises(InputError, match="there is no format"):
            by_name(name)


@every
def test_columns_are_read_from_storage(made: Format, tmp_path: pathlib.Path):
    path = tmp_path / f"x{made.extension}"
    path.write_bytes(made.write(shard()))
    read = read_columns(str(path), ["repeat", "doc_id"])
    assert read.equals(shard().select(["repeat", "doc_id"]))


@other
def test_another_format_is_refused(made: Format):
    for written in FORMATS.values():
        if written is not made:
            with pytest.raises((ValueError, pa.ArrowException)):
                made.read(written.write(shard()))
