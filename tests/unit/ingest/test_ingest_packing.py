import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.errors import InputError
from transforms.ingest import packing
from transforms.ingest.config import IngestConfig
from transforms.ingest.packing import Packer
from transforms.ingest.splits import FILE_PARTS, Split, part_id
from transforms.ingest.validate import DOCUMENTS

SPLIT = Split(3, 5, 4, "/x", "jsonl.gz", 1, "d", 0, 1)


def window(texts: list[str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([{"text": text} for text in texts], schema=DOCUMENTS)


def packed(
    windows: list[list[str]], config: IngestConfig, split: Split = SPLIT
) -> list[pa.RecordBatch]:
    packer = Packer(split, config)
    batches = [batch for texts in windows for batch in packer.add(window(texts))]
    return batches + list(packer.flush())


sizes = st.lists(st.lists(st.integers(1, 30), max_size=8), max_size=6)


@given(sizes, st.integers(1, 7), st.integers(1, 60))
def test_batches_keep_their_bounds_and_nodes_do_not_know_them(
    windows: list[list[int]], batch_rows: int, batch_bytes: int
) -> None:
    texts = [["x" * size for size in sizes] for sizes in windows]
    config = IngestConfig(batch_rows=batch_rows, batch_bytes=batch_bytes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "PART_TEXT_BYTES", 50)
        batches = packed(texts, config)
        together = packed([[text for part in texts for text in part]], IngestConfig())
    for batch in batches:
        lengths = [len(text) for text in batch["text"].to_pylist()]
        assert 0 < len(lengths) <= batch_rows
        assert sum(lengths[:-1]) < batch_bytes, "closed by the row that reaches the bound"
        assert len({node >> 24 for node in batch["node"].to_pylist()}) == 1, "one part each"
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert rows == [row for batch in together for row in batch.to_pylist()]


def nodes(batches: list[pa.RecordBatch]) -> list[tuple[int, int]]:
    """Part within the file and row within the part."""
    found = [node for batch in batches for node in batch["node"].to_pylist()]
    assert all(node >> 40 == SPLIT.file_no for node in found)
    return [((node >> 24) - part_id(SPLIT.file_no, 0), node & 0xFFFFFF) for node in found]


def test_parts_follow_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part is full when it has reached the bound; the last one takes all the rest."""
    monkeypatch.setattr(packing, "PART_TEXT_BYTES", 10)
    found = nodes(packed([["x" * 6] * 9], IngestConfig()))
    assert found == [(5, 0), (5, 1), (6, 0), (6, 1), (7, 0), (7, 1), (8, 0), (8, 1), (8, 2)]


def test_parts_never_hold_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "PART_BITS", 1)
    config = IngestConfig()
    found = [b["node"].to_pylist() for b in packed([["x"] * 5], config)]
    first = part_id(SPLIT.file_no, SPLIT.part)
    assert found == [[2 * first, 2 * first + 1], [2 * first + 2, 2 * first + 3], [2 * first + 4]]


def test_numbers_run_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "PART_TEXT_BYTES", 1)
    last = Split(3, FILE_PARTS - 1, FILE_PARTS, "/x", "jsonl.gz", 1, "d", 0, 1)
    assert len(packed([["x"]], IngestConfig(), last)) == 1
    with pytest.raises(InputError, match="/x holds more than 65536 parts"):
        packed([["x"] * 2], IngestConfig(), last)


def test_batches_do_not_hold_on_to_windows() -> None:
    """Rows left over from one window are joined with the next ones into a full batch."""
    batches = packed([["a"] * 7, ["b"] * 7, [], ["c"] * 7], IngestConfig(batch_rows=10))
    assert [batch.num_rows for batch in batches] == [10, 10, 1]
