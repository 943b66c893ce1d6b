"""How rows are spread over partitions, and how batches travel."""

import pickle

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms import exchange
from transforms.coders import RecordBatchCoder, trimmed
from transforms.exchange import _ApplyToPartition, _SplitToFiles
from transforms.partition import by_hash, by_range, by_value, cut, to_one, words

UINT64 = st.integers(0, 2**64 - 1)


def batch(values, kind=None, name="key"):
    column = pa.array(values, kind or pa.uint64())
    return pa.record_batch([column, pa.array(range(len(values)), pa.int64())], [name, "row"])


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([0, 1, 2**64 - 1], pa.uint64(), [0, 1, 2**64 - 1]),
        ([7, 2**31 - 1], pa.int32(), [7, 2**31 - 1]),
        ([255], pa.uint8(), [255]),
        ([b"\x01" + bytes(15), bytes(7) + b"\x01" + bytes(8)], pa.binary(), [1, 2**56]),
        ([b"\x02" + bytes(7)], pa.binary(), [2]),
        ([], pa.binary(), []),
        ([], pa.uint32(), []),
    ],
)
def test_words(values, kind, expected):
    found = words(pa.array(values, kind))
    assert (found.dtype, found.tolist()) == (np.uint64, expected)


def test_words_of_a_slice():
    ids = pa.array([bytes([k]) * 16 for k in range(9)])
    assert words(ids.slice(3, 4)).tolist() == words(ids).tolist()[3:7]
    assert words(ids.slice(9)).tolist() == []
    # What stands before a slice need be neither valid nor of its width.
    for before in (None, b"xx"):
        assert words(pa.array([before, *ids.to_pylist()]).slice(1)).tolist() == words(ids).tolist()


@settings(max_examples=100, deadline=None, database=None)
@given(st.lists(UINT64, max_size=20), st.integers(1, 1000), st.integers(0, 20))
def test_by_hash_depends_on_the_value_alone(values, partitions, offset):
    rows = batch(values)
    index = by_hash("key")(rows, partitions)
    assert ((index >= 0) & (index < partitions)).all()
    assert by_hash("key")(rows.slice(offset), partitions).tolist() == index.tolist()[offset:]
    ids = batch([v.to_bytes(8, "little") * 2 for v in values], pa.binary())
    # An integer and bytes that begin with it go to the same place.
    assert by_hash("key")(ids, partitions).tolist() == index.tolist()


@pytest.mark.parametrize("partitions", [2, 7, 64])
@pytest.mark.parametrize("shift", [0, 24])
def test_by_hash_spreads_consecutive_numbers(partitions, shift):
    # Nodes and parts are counted up: a plain remainder of either would leave gaps.
    values = np.arange(8000, dtype=np.uint64) << np.uint64(shift)
    counts = np.bincount(by_hash("key")(batch(values), partitions), minlength=partitions)
    assert counts.min() > 8000 / partitions / 2
    assert counts.max() < 8000 / partitions * 2


@settings(max_examples=200, deadline=None, database=None)
@given(st.data(), st.integers(1, 64), st.integers(1, 5000))
def test_by_range_is_in_order_and_covers_all(data, bits, partitions):
    top = 2**bits - 1
    values = sorted([0, top, *data.draw(st.lists(st.integers(0, top), max_size=15))])
    index = by_range("key", bits)(batch(values), partitions).tolist()
    assert index == sorted(index)
    assert index[0] == 0
    # The last value is in the last range that there are values for.
    assert index[-1] == (partitions - 1 if bits >= 13 else top * partitions // 2**bits)


def test_by_range_cuts_evenly():
    values = np.arange(1 << 12, dtype=np.uint64) << np.uint64(52)
    counts = np.bincount(by_range("key")(batch(values), 16))
    assert counts.tolist() == [256] * 16


def test_by_value_and_to_one():
    assert by_value("key")(batch([5, 0, 99], pa.uint32()), 3).tolist() == [5, 0, 99]
    assert to_one(batch([5, 0, 99]), 3).tolist() == [0, 0, 0]
    assert to_one(batch([]), 3).tolist() == []


@settings(max_examples=150, deadline=None, database=None)
@given(st.lists(st.integers(0, 5), max_size=30), st.integers(0, 10), st.integers(0, 30))
def test_pieces_hold_every_row_once_and_keep_their_order(values, offset, length):
    rows = batch(values).slice(min(offset, len(values)), length)
    pieces = list(cut(rows, by_value("key"), 0))
    assert len({partition for partition, _ in pieces}) == len(pieces)
    for partition, piece in pieces:
        assert piece.num_rows
        assert set(piece.column("key").to_pylist()) == {partition}
        assert piece.column("row").to_pylist() == sorted(piece.column("row").to_pylist())
    found = sorted(row for _, piece in pieces for row in piece.column("row").to_pylist())
    assert found == rows.column("row").to_pylist()


RICH = pa.record_batch(
    {
        "id": pa.array([b"%016d" % k for k in range(2000)]),
        "text": pa.array(
            [None if k % 7 == 0 else "lorem ipsum é " * (k % 50) for k in range(2000)]
        ),
        "flag": pa.array([k % 3 == 0 for k in range(2000)]),
        "set": pa.array([list(range(k % 20)) for k in range(2000)], pa.list_(pa.uint64())),
        "labels": pa.array([["a"] * (k % 3) for k in range(2000)], pa.list_(pa.string())),
        "score": pa.array([None if k % 5 else k / 3 for k in range(2000)], pa.float32()),
        "none": pa.nulls(2000, pa.int32()),
    }
)


class TestSpoolFiles:
    def collect(self, keyed):
        """Rows of the spooled pieces by partition, through the step that reads them."""
        grouped: dict[int, list[tuple[str, str, int, int]]] = {}
        for partition, reference in keyed:
            grouped.setdefault(partition, []).append(reference)
        found = {}

        def note(partition, tables):
            found[partition] = sorted(tables["rows"].column("row").to_pylist())
            return []

        step = _ApplyToPartition("label", note, {"rows": batch([]).schema}, "x", (), "nowhere")
        for item in grouped.items():
            assert list(step.process(item)) == []
        return found

    def bundle(self, split, *given_batches):
        split.start_bundle()
        keyed = [pair for part in given_batches for pair in split.process(part)]
        return keyed + [windowed.value for windowed in split.finish_bundle()]

    def splitter(self, folder):
        return _SplitToFiles("label", "rows", by_value("key"), 0, str(folder))

    def test_a_bundle_makes_one_file_with_a_piece_per_partition(self, tmp_path):
        keyed = self.bundle(self.splitter(tmp_path), batch([3, 1, 3]), batch([]), batch([1, 0]))
        assert sorted(partition for partition, _ in keyed) == [0, 1, 3]
        assert len(list(tmp_path.iterdir())) == 1
        assert self.collect(keyed) == {0: [1], 1: [0, 1], 3: [0, 2]}

    def test_a_bundle_without_rows_makes_no_file(self, tmp_path):
        assert self.bundle(self.splitter(tmp_path), batch([])) == []
        assert list(tmp_path.iterdir()) == []

    def test_a_bundle_too_large_to_hold_is_written_in_parts(self, tmp_path, monkeypatch):
        monkeypatch.setattr(exchange, "_FLUSH_BYTES", 40)
        given_batches = [batch([k % 2, 5]).slice(0, 1 + k % 2) for k in range(9)]
        keyed = self.bundle(self.splitter(tmp_path), *given_batches)
        assert len(list(tmp_path.iterdir())) > 2
        assert self.collect(keyed) == {0: [0] * 5, 1: [0] * 4, 5: [1] * 4}

    def test_a_retried_bundle_takes_nothing_along_from_the_failed_one(self, tmp_path):
        split = self.splitter(tmp_path)
        split.start_bundle()
        assert list(split.process(batch([1, 2]))) == []
        assert self.collect(self.bundle(split, batch([2]))) == {2: [0]}

    def test_attempts_do_not_write_to_one_file(self, tmp_path):
        split = self.splitter(tmp_path)
        first, second = self.bundle(split, batch([1])), self.bundle(split, batch([1]))
        assert first[0][1][1] != second[0][1][1]
        assert self.collect(first) == self.collect(second) == {1: [0]}


def test_large_outputs_go_on_in_batches(monkeypatch):
    monkeypatch.setattr(exchange, "_EMIT_ROWS", 4)

    def twice(partition, tables):
        yield "main", pa.concat_tables([tables["rows"]] * 2)
        yield "other", tables["rows"]

    rows = batch(list(range(5)))
    step = _ApplyToPartition("label", twice, {"rows": rows.schema}, "main", (), "nowhere")
    main, other = [], []
    for out in step.process((0, [("rows", rows)])):
        (main if isinstance(out, pa.RecordBatch) else other).append(out)
    assert [b.num_rows for b in main] == [4, 4, 2]
    assert [(o.tag, o.value.num_rows) for o in other] == [("other", 4), ("other", 1)]


class TestCoder:
    coder = RecordBatchCoder()

    @pytest.mark.parametrize(
        ("offset", "length"),
        [(0, 2000), (0, 10), (1003, 10), (1990, 99), (13, 1), (0, 0), (2000, 0)],
    )
    def test_a_slice_comes_back_equal_and_travels_light(self, offset, length):
        part = RICH.slice(offset, length)
        encoded = self.coder.encode(part)
        decoded = self.coder.decode(encoded)
        assert decoded.equals(part)
        assert decoded.schema.equals(part.schema, check_metadata=True)
        decoded.validate(full=True)
        # Proportional to the slice: headers and padding, but not the parent's buffers.
        alone = pa.RecordBatch.from_pylist(part.to_pylist(), schema=part.schema)
        assert len(encoded) <= len(self.coder.encode(alone)) + 64 * part.num_columns
        assert len(encoded) < 4096 + 2 * alone.nbytes

    def test_a_slice_of_empty_lists_leaves_the_lists_around_it_behind(self):
        # The IPC writer truncates to a slice, but not to one without values.
        lists = [["evidence"] * 50 if k % 2 else [] for k in range(2000)]
        column = pa.array(lists, pa.list_(pa.string()))
        part = pa.record_batch([column, column], ["one", "two"]).slice(1000, 1)
        encoded = self.coder.encode(part)
        assert self.coder.decode(encoded).equals(part)
        assert len(encoded) < 2048
        assert trimmed(part).equals(part)
        assert trimmed(RICH).equals(RICH)

    def test_nullability_and_metadata_survive(self):
        schema = pa.schema([pa.field("x", pa.uint8(), nullable=False, metadata={"k": "v"})])
        given_batch = pa.record_batch([pa.array([1], pa.uint8())], schema=schema)
        decoded = self.coder.decode(self.coder.encode(given_batch))
        assert decoded.schema.equals(schema, check_metadata=True)

    def test_is_registered_for_the_type(self):
        import apache_beam as beam  # noqa: PLC0415  # the registry of the running Beam

        assert isinstance(beam.coders.registry.get_coder(pa.RecordBatch), RecordBatchCoder)
        assert self.coder.to_type_hint() is pa.RecordBatch
        # Dictionaries and padding: equal batches need not be equal bytes.
        assert not self.coder.is_deterministic()

    def test_a_pickled_slice_is_the_same_stream(self):
        whole = pa.RecordBatch.from_pydict({"text": ["x" * 100] * 10_000})
        piece = whole.slice(17, 2)
        pickled = pickle.dumps(piece)
        assert len(pickled) < 2_000
        assert pickle.loads(pickled).equals(piece)  # noqa: S301  # of this test's own
