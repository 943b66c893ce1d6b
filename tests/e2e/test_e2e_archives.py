"""Web archives through the whole job: pages are published, all else is told by its reason."""

from __future__ import annotations

import pathlib

import pyarrow.parquet as pq
import pytest
from e2e_forgery import copied, edit_manifest
from ingest_archives import SENTENCE, arc, arc_start, http, pack, page, warc
from running import Run, holdfast, rows, succeed

pytestmark = pytest.mark.slow

LIMIT = 4096
"""Bytes of the largest page that is taken."""


def text(number: int) -> str:
    """Texts without five words in common with one another."""
    words = SENTENCE.split()
    order = [words[(number * 5 + step * (number % 7 + 1)) % len(words)] for step in range(14)]
    return " ".join(f"{word}{number}" for word in order) + "."


def visited(number: int) -> list[bytes]:
    """What a crawler writes of one page: what it asked, what came, what it thinks of it."""
    return [
        warc(number, b"GET /page HTTP/1.1\r\n\r\n", "request"),
        warc(number, http(page(text(number)))),
        warc(number, b"fetchTimeMs: 12", "metadata", "application/warc-fields"),
    ]


FIRST = [
    warc(0, b"software: crawler", "warcinfo", "application/warc-fields"),
    *(record for number in range(1, 13) for record in visited(number)),
    warc(20, http(b"", "Location: https://site1.example/", status="301 Moved Permanently")),
    warc(21, http(page("gone"), status="404 Not Found")),
    warc(22, http(b"\x89PNG", "Content-Type: image/png")),
    warc(23, http(b"<html><body><img src=a></body></html>")),
    warc(24, http(page("word " * LIMIT))),
]
SECOND = [arc_start(), *(arc(number, http(page(text(number)))) for number in range(10, 16))]
"""Pages 10 to 12 are in both."""
SKIPPED = {
    "a.warc.gz": {
        "warcinfo": 1,
        "request": 12,
        "metadata": 12,
        "http_status": 2,
        "content_type": 1,
        "no_text": 1,
    },
    "b.arc": {"warcinfo": 1},
}
ALL = {**SKIPPED["a.warc.gz"], "warcinfo": 2}


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("archives")
    source = folder / "in"
    source.mkdir()
    (source / "a.warc.gz").write_bytes(pack(FIRST, "gz"))
    (source / "b.arc").write_bytes(pack(SECOND, "plain"))
    settings = folder / "holdfast.yaml"
    settings.write_text(f"ingest: {{max_html_bytes: {LIMIT}, max_dead_fraction: 0.1}}\n")
    run, staging = folder / "run", folder / "staging"
    places = ("--input", source, "--output", run, "--staging", staging)
    return Run(run, staging, succeed("curate", settings, *places, "--no-floors"))


def told(run: pathlib.Path) -> dict[str, dict[str, int]]:
    """Skipped records by archive and reason, as the run tells them."""
    found: dict[str, dict[str, int]] = {}
    for row in pq.ParquetFile(run / "ledger" / "skipped.parquet").read().to_pylist():
        name = pathlib.Path(row["file"]).name
        found.setdefault(name, {})[row["reason"]] = row["records"]
    return found


def test_pages_are_published_with_where_they_come_from(crawled: Run):
    published = {row["text"]: row for row in rows(crawled.output, "data")}
    assert set(published) == {text(number) for number in range(1, 16)}
    row = published[text(3)]
    assert (row["url"], row["host"]) == ("https://site3.example/page", "site3.example")
    assert (row["origin"], row["origin_tier"]) == ("anchor", "A"), "archived in 2019"
    assert published[text(11)]["copies"] == 2


def test_every_record_is_accounted_for(crawled: Run):
    ledger = crawled.manifest["ledger"]
    dropped = {reason: n for reason, n in ledger["dropped"].items() if n}
    assert (ledger["read"], ledger["kept"], ledger["dead_letters"]) == (19, 15, 1)
    assert dropped == {"exact_duplicate": 3}
    [letter] = rows(crawled.output, "dead_letters")
    assert (letter["reason"], pathlib.Path(letter["file"]).name) == ("oversized_html", "a.warc.gz")
    assert crawled.manifest["skipped"] == ALL
    assert told(crawled.output) == SKIPPED
    records = len(FIRST) + len(SECOND)
    assert ledger["read"] + sum(crawled.manifest["skipped"].values()) == records


def test_the_command_says_so(crawled: Run):
    line = "records of archives that are no documents: content_type 1, http_status 2, metadata 12"
    assert line in crawled.ran.out
    assert line in succeed("inspect", crawled.output).out
    verified = holdfast("verify", crawled.output)
    assert verified.code == 0, verified.out


def test_forged_numbers_are_found(crawled: Run, tmp_path: pathlib.Path):
    run = copied(crawled, tmp_path)
    edit_manifest(run, lambda manifest: manifest["skipped"].update(request=0))
    verified = holdfast("verify", run)
    assert (verified.code, "the manifest says skipped=" in verified.out) == (1, True)


def test_a_run_that_goes_on_from_staging_says_the_same(crawled: Run, tmp_path: pathlib.Path):
    again = tmp_path / "again"
    succeed("select", crawled.staging, "--output", again, "--no-floors", "--rotation", 1)
    assert told(again) == SKIPPED
    assert (again / "ledger").is_dir()
