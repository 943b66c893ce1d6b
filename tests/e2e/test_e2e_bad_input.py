"""What goes wrong is told in one line, with the exit code for its kind; nothing is published."""

from __future__ import annotations

import gzip
import json
import pathlib
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from e2e_corpus import documents
from running import EXAMPLE, Ran, holdfast, read_manifest, rows, succeed

pytestmark = pytest.mark.slow

WORDS = ("mill", "river", "winter", "stood", "quiet", "nobody")
WORDS += ("field", "harvest", "early", "bridge", "stone", "lantern")


def sentence(number: int) -> str:
    """Texts without five words in common with one another."""
    order = [WORDS[(number * 5 + step * (number % 11 + 1)) % len(WORDS)] for step in range(12)]
    return " ".join(f"{word}{number}" for word in order) + "."


def record(number: int, **fields: Any) -> dict[str, Any]:
    base = {"text": sentence(number), "id": f"n{number}", "url": f"https://a.example/{number}"}
    return base | {"date": "2015-01-02"} | fields


GOOD = [record(number) for number in range(30)]


def jsonl(records: list[Any]) -> bytes:
    lines = [r if isinstance(r, bytes) else json.dumps(r).encode() for r in records]
    return b"".join(line + b"\n" for line in lines)


@pytest.fixture
def good(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "good.jsonl"
    path.write_bytes(jsonl(GOOD))
    return path


def curate(folder: pathlib.Path, source: object, *arguments: object) -> Ran:
    places = ("--input", source, "--output", folder / "run", "--staging", folder / "staging")
    return holdfast("curate", *places, *arguments)


def outcome(folder: pathlib.Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "staging" / "outcome.json").read_bytes())
    return found


def test_every_fault_is_a_dead_letter_of_its_own(tmp_path: pathlib.Path):
    faults = {
        "null_text": b'{"text": null}',
        "text_not_string": b'{"text": 5}',
        "empty_text": b'{"text": ""}',
        "missing_text": b'{"id": "no text"}',
        "invalid_json": b'{"text": "broken',
        "invalid_utf8": b'{"text": "\xff\xfe"}',
        "not_an_object": b"[1, 2]",
        "invalid_date": json.dumps(record(99, date="soon after the flood")).encode(),
    }
    source = tmp_path / "in"
    source.mkdir()
    # Ids may repeat, and equal records are copies of one another: neither is a fault.
    same = [GOOD[3], record(40, id="n3")]
    (source / "mixed.jsonl").write_bytes(jsonl([*GOOD, *faults.values(), b"  ", *same]))
    packed = gzip.compress(jsonl([record(number) for number in range(50, 80)]))
    (source / "truncated.jsonl.gz").write_bytes(packed[:-60])
    (source / "corrupt.parquet").write_bytes(b"PAR1 and nothing more")
    ran = curate(tmp_path, source, "--no-floors", "--max-dead-fraction", "1")
    assert ran.code == 0, ran.err
    letters = rows(tmp_path / "run", "dead_letters")
    name = {row["reason"]: pathlib.Path(row["file"]).name for row in letters}
    rest = {"unreadable_rest": "truncated.jsonl.gz", "unreadable_file": "corrupt.parquet"}
    assert name == dict.fromkeys(faults, "mixed.jsonl") | rest
    assert len(letters) == len(name)
    ledger = read_manifest(tmp_path / "run")["ledger"]
    assert ledger["dead_letters"] == len(letters)
    assert ledger["dropped"]["exact_duplicate"] == 1
    assert ledger["read"] == ledger["kept"] + 1 + len(letters)
    assert holdfast("verify", tmp_path / "run").code == 0


def test_too_many_dead_letters(tmp_path: pathlib.Path):
    source = tmp_path / "mixed.jsonl"
    source.write_bytes(jsonl([*GOOD, b"{", b"[]"]))
    ran = curate(tmp_path, source, "--no-floors")
    assert ran.code == 4
    assert "2 of 32 records" in ran.refusal
    assert "6.25%" in ran.refusal
    assert "max_dead_fraction=0.01" in ran.refusal
    assert "[while running" not in ran.refusal
    assert outcome(tmp_path)["exit_code"] == 4
    assert not list((tmp_path / "run").rglob("*.*"))
    # The limit may be raised for the same place: a refusal leaves nothing in the way.
    again = curate(tmp_path, source, "--no-floors", "--max-dead-fraction", "0.1")
    assert again.code == 0, again.err


@pytest.mark.parametrize(
    ("lines", "code"), [([b"no", b"nor this"], 4), ([], 2)], ids=["bad", "none"]
)
def test_nothing_that_can_be_read(tmp_path: pathlib.Path, lines: list[bytes], code: int):
    source = tmp_path / "empty.jsonl"
    source.write_bytes(jsonl(lines))
    ran = curate(tmp_path, source, "--no-floors")
    assert ran.code == code
    assert "[while running" not in ran.refusal
    assert not list((tmp_path / "run").rglob("*.*"))


def test_annotating_nothing_is_no_success(tmp_path: pathlib.Path):
    source = tmp_path / "bad.jsonl"
    source.write_bytes(jsonl([b"no", b"nor this"]))
    ran = holdfast("annotate", "--input", source, "--output", tmp_path / "staging")
    assert ran.code in (2, 4)


def test_a_column_that_a_parquet_file_lacks(tmp_path: pathlib.Path):
    source = tmp_path / "table.parquet"
    pq.write_table(pa.table({"content": [r["text"] for r in GOOD], "id": ["x"] * 30}), source)
    ran = curate(tmp_path, source, "--no-floors", "--field", "text=contents")
    assert ran.code == 2
    for words in (str(source), "no column 'contents' for text", "the nearest is 'content'"):
        assert words in ran.refusal
    assert "[while running" not in ran.refusal


def test_floors_that_cannot_be_met(annotated: pathlib.Path, tmp_path: pathlib.Path):
    arguments = ("--config", EXAMPLE, "--floor", "tail=0.95", "--repeat-cap", "1")
    ran = holdfast("select", annotated, "--output", tmp_path / "run", *arguments)
    assert ran.code == 3
    message = ran.refusal
    for words in ("floor tail=0.95", "have ", "need ", "largest feasible", "--target "):
        assert words in message
    assert "[while running" not in message
    said = json.loads((annotated / "outcome.json").read_bytes())
    assert said["exit_code"] == 3
    assert said["message"] in message
    assert not list((tmp_path / "run").rglob("*.*"))


def test_a_document_of_50_megabytes_is_too_large(tmp_path: pathlib.Path):
    source = tmp_path / "in.jsonl"
    words = (f"{word}{number} " for number in range(450_000) for word in WORDS)
    text = "".join(words)
    assert len(text) > 50_000_000
    source.write_bytes(jsonl([*GOOD, record(99, text=text)]))
    # As large an input would start worker processes, which this does not need.
    ran = curate(tmp_path, source, "--no-floors", "--direct_num_workers=1")
    assert ran.code == 0, ran.err
    dropped = rows(tmp_path / "run", "dropped")
    assert [(row["url"], row["reason"]) for row in dropped] == [
        ("https://a.example/99", "too_large")
    ]
    assert read_manifest(tmp_path / "run")["ledger"]["size"]["dropped"]["too_large"] == len(text)


def test_excluded_documents_never_appear(annotated: pathlib.Path, tmp_path: pathlib.Path):
    run = tmp_path / "run"
    # Floors that take repeats: what is excluded may not come back as one either.
    floors = ("--floor", "original=0.8", "--floor", "tail=0.6", "--exclude", "examples/exclude.txt")
    succeed("select", annotated, "--config", EXAMPLE, "--output", run, *floors)

    def excluded(fields: dict[str, Any]) -> bool:
        host = fields["url"].split("/")[2]
        return (
            fields["id"] == "arc-0007"
            or fields["url"] == "https://small-works.example/post/3492"
            or f".{host}".endswith(".reposted.example")
        )

    kept = rows(run, "data")
    assert not [row for row in kept if excluded(row)]
    assert max(row["repeat"] for row in kept) > 0
    listed = {record["url"] for record in documents() if excluded(record)}
    reasons = {row["url"]: row["reason"] for row in rows(run, "dropped")}
    assert {url for url, reason in reasons.items() if reason == "excluded"} == listed
    assert read_manifest(run)["ledger"]["dropped"]["excluded"] == len(listed) > 2
    assert holdfast("verify", run).code == 0


def test_selecting_with_other_settings_than_annotated(
    annotated: pathlib.Path, tmp_path: pathlib.Path
):
    # The library is trusted in the staged annotations and nowhere in these flags:
    # either staging's own settings count, or the difference is told before the run.
    run = tmp_path / "run"
    ran = holdfast("select", annotated, "--output", run, "--floor", "original=0.4")
    if ran.code == 0:
        assert holdfast("verify", run).code == 0
    else:
        assert ran.code == 2
        assert "wrong origin" not in ran.refusal
