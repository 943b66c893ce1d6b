"""`Exchange` in a pipeline: both carriers bring the same rows together."""

import functools
import pathlib
import tempfile

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.testing import test_pipeline
from keeping import Keep, kept

from transforms import metrics
from transforms.errors import InfeasibleError
from transforms.exchange import Exchange, Input, Spool
from transforms.outcome import read_outcome
from transforms.partition import by_hash, by_range, by_value, to_one

CARRIERS = ("files", "shuffle")
LEFT = pa.schema([("key", pa.uint64()), ("name", pa.string()), ("labels", pa.list_(pa.string()))])
RIGHT = pa.schema([pa.field("key", pa.uint64(), nullable=False), ("amount", pa.int64())])
SEEN = pa.schema([("partition", pa.int64()), ("input", pa.string()), ("key", pa.uint64())])
TOTAL = pa.schema([("partition", pa.int64()), ("rows", pa.int64())])

KEYS = [k * 0x123456789ABCDEF % 2**64 for k in range(300)]


def left(keys):
    rows = [{"key": k, "name": f"n{k}", "labels": ["a"] * (k % 3)} for k in keys]
    return pa.Table.from_pylist(rows, schema=LEFT)


def right(keys):
    return pa.Table.from_pylist([{"key": k, "amount": -k % 97} for k in keys], schema=RIGHT)


def report(partition, tables, **sides):
    """What came: every row with its partition, and the number of rows."""
    assert {name: t.schema for name, t in tables.items()} == {"left": LEFT, "right": RIGHT}
    for name, table in sorted(tables.items()):
        rows = [{"partition": partition, "input": name, "key": k} for k in table["key"].to_pylist()]
        yield "seen", pa.Table.from_pylist(rows, schema=SEEN)
    total = {"partition": partition, "rows": sum(map(len, tables.values())), **sides}
    yield "totals", pa.Table.from_pylist([total], schema=TOTAL)


def batches_of(table, size):
    # An empty batch is no error: filters leave such.
    empty = pa.RecordBatch.from_pylist([], schema=table.schema)
    return [*table.combine_chunks().to_batches(max_chunksize=size), empty]


def run(tmp_path, carrier, inputs, partitions, apply, outputs, sides=None):
    """`inputs`: name to (table, by, batch size). Gives rows and batch sizes per output."""
    tmp_path = pathlib.Path(tempfile.mkdtemp(dir=tmp_path))
    spool = Spool(carrier, str(tmp_path / "spool"), str(tmp_path / "outcome"))
    with test_pipeline.TestPipeline(runner="FnApiRunner") as pipeline:
        given = {
            name: pipeline
            | f"Create {name}"
            >> beam.Create(batches_of(table, size)).with_output_types(pa.RecordBatch)
            for name, (table, _, size) in inputs.items()
        }
        made = {
            name: pipeline | name >> beam.Create([value]) for name, value in (sides or {}).items()
        }
        result = given | Exchange(
            "Meet here",
            {name: Input(table.schema, by) for name, (table, by, _) in inputs.items()},
            partitions,
            apply,
            list(outputs),
            spool,
            {name: beam.pvalue.AsSingleton(side) for name, side in made.items()},
        )
        assert set(result) == set(outputs)
        for name, collection in result.items():
            assert collection.element_type is pa.RecordBatch
            (tmp_path / name).mkdir()
            collection | f"Keep {name}" >> beam.ParDo(Keep(str(tmp_path / name)))
    spooled = list((tmp_path / "spool").rglob("*.arrow")) if carrier == "files" else []
    assert carrier == "shuffle" or all(p.parent.name == "meet_here" for p in spooled)
    assert carrier == "files" or not (tmp_path / "spool").exists()
    assert not (tmp_path / "outcome").exists()
    return {name: kept(tmp_path / name, schema) for name, schema in outputs.items()}


def two_inputs(by, first=KEYS, second=KEYS[::3], size=37):
    return {"left": (left(first), by, size), "right": (right(second), by, size)}


OUTPUTS = {"seen": SEEN, "totals": TOTAL}


def where(by, keys, partitions):
    batch = pa.record_batch([pa.array(keys, pa.uint64())], ["key"])
    return dict(zip(keys, by(batch, partitions).tolist(), strict=True))


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize(
    ("by", "partitions", "keys"),
    [
        (by_hash("key"), 7, KEYS),
        (by_range("key"), 5, KEYS),
        (by_value("key"), 0, [3, 1, 4, 1000]),
        (to_one, 9, KEYS),
    ],
    ids=["hash", "range", "value", "one"],
)
def test_a_partition_gets_exactly_its_rows_of_every_input(tmp_path, carrier, by, partitions, keys):
    others = keys[::3]
    out = run(tmp_path, carrier, two_inputs(by, keys, others), partitions, report, OUTPUTS)
    place = where(by, keys, partitions)
    expected = [(place[k], "left", k) for k in keys] + [(place[k], "right", k) for k in others]
    assert sorted(tuple(row.values()) for row in out["seen"][0]) == sorted(expected)
    # A partition is visited once and whole; one without rows is not visited.
    visited = [row["partition"] for row in out["totals"][0]]
    assert sorted(visited) == sorted(set(place.values()))


def whole_rows(partition, tables):
    yield "rows", tables["left"]


@pytest.mark.parametrize("size", [1, 1000])
def test_both_carriers_bring_the_same_rows_whatever_the_batches(tmp_path, size):
    expected = left(KEYS[:60]).to_pylist()
    for carrier in CARRIERS:
        for order in (1, -1):
            inputs = {"left": (left(KEYS[:60][::order]), by_hash("key"), size)}
            rows, _ = run(tmp_path, carrier, inputs, 4, whole_rows, {"rows": LEFT})["rows"]
            assert sorted(rows, key=lambda r: KEYS.index(r["key"])) == expected


@pytest.mark.parametrize("carrier", CARRIERS)
def test_an_input_without_rows_gives_empty_tables_of_its_schema(tmp_path, carrier):
    # `report` asserts the schemas.
    out = run(tmp_path, carrier, two_inputs(by_hash("key"), KEYS[:9], []), 3, report, OUTPUTS)
    assert {row["input"] for row in out["seen"][0]} == {"left"}
    out = run(tmp_path, carrier, two_inputs(by_hash("key"), [], []), 3, report, OUTPUTS)
    assert out == {"seen": ([], []), "totals": ([], [])}


@pytest.mark.parametrize("carrier", CARRIERS)
def test_side_inputs_come_by_name(tmp_path, carrier):
    def apply(partition, tables, *, rows, ignored):
        assert ignored == "text"
        yield from report(partition, tables, rows=rows)

    sides = {"rows": -5, "ignored": "text"}
    out = run(tmp_path, carrier, two_inputs(by_hash("key")), 2, apply, OUTPUTS, sides)
    assert {row["rows"] for row in out["totals"][0]} == {-5}


def in_chunks(partition, tables):
    """Sorted by key, in chunks that depend on what came first."""
    table = tables["left"].sort_by("key")
    yield "rows", pa.concat_tables([table.slice(0, 3), table.slice(3)])


@pytest.mark.parametrize("carrier", CARRIERS)
def test_the_number_of_pieces_does_not_show_in_what_goes_on(tmp_path, carrier):
    for size in (7, 300):
        inputs = {"left": (left(KEYS), to_one, size)}
        rows, sizes = run(tmp_path, carrier, inputs, 1, in_chunks, {"rows": LEFT})["rows"]
        assert sizes == [len(KEYS)]
        assert [row["key"] for row in rows] == sorted(KEYS)


class Prepared:
    """A function with heavy state."""

    factor = None

    def setup(self):
        self.factor = 2

    def __call__(self, partition, tables):
        row = {"partition": partition, "rows": len(tables["left"]) * self.factor}
        yield "totals", pa.Table.from_pylist([row], schema=TOTAL)


def test_setup_runs_before_the_function(tmp_path):
    inputs = {"left": (left(KEYS), to_one, 50)}
    rows, _ = run(tmp_path, "shuffle", inputs, 1, Prepared(), {"totals": TOTAL})["totals"]
    assert rows == [{"partition": 0, "rows": 2 * len(KEYS)}]


def refuse(partition, tables, *, error):
    raise error
    yield


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_refusal_is_written_down_before_it_is_raised(tmp_path, carrier):
    outcome = tmp_path / "staging"
    spool = Spool(carrier, str(tmp_path / "spool"), str(outcome))
    message = "floor original=0.1 needs 100 chars, there are 7"
    apply = functools.partial(refuse, error=InfeasibleError(message))
    # The runner loses the type of the exception: only the text is sure to come through.
    with pytest.raises(Exception, match="floor original"):  # noqa: PT012, SIM117
        with test_pipeline.TestPipeline(runner="FnApiRunner") as pipeline:
            given = pipeline | beam.Create([left(KEYS).to_batches()[0]]).with_output_types(
                pa.RecordBatch
            )
            {"left": given} | Exchange(
                "Refuse", {"left": Input(LEFT, to_one)}, 1, apply, ["x"], spool
            )
    found = read_outcome(str(outcome))
    assert (found["exit_code"], found["message"]) == (3, message)


def test_a_bug_is_no_refusal(tmp_path):
    spool = Spool("shuffle", str(tmp_path / "spool"), str(tmp_path / "staging"))
    apply = functools.partial(refuse, error=ZeroDivisionError("oh"))
    with pytest.raises(Exception, match="oh"):  # noqa: PT012, SIM117
        with test_pipeline.TestPipeline(runner="FnApiRunner") as pipeline:
            given = pipeline | beam.Create([left(KEYS).to_batches()[0]]).with_output_types(
                pa.RecordBatch
            )
            {"left": given} | Exchange(
                "Fail", {"left": Input(LEFT, to_one)}, 1, apply, ["x"], spool
            )
    assert read_outcome(str(tmp_path / "staging")) is None


@pytest.mark.parametrize("carrier", CARRIERS)
def test_counts_what_it_moves(tmp_path, carrier):
    spool = Spool(carrier, str(tmp_path / "spool"), str(tmp_path / "outcome"))
    pipeline = test_pipeline.TestPipeline(runner="FnApiRunner")
    given = pipeline | beam.Create(left(KEYS).to_batches()).with_output_types(pa.RecordBatch)
    {"left": given} | Exchange(
        "Meet Here", {"left": Input(LEFT, by_hash("key"))}, 4, whole_rows, ["rows"], spool
    )
    result = pipeline.run()
    result.wait_until_finish()
    found = metrics.counters(result)
    assert found["exchange_partitions:meet_here"] == 4
    assert found["exchange_bytes:meet_here"] > 10 * len(KEYS)
    assert "cpu_us:meet_here" in found
