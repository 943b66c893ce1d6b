"""The same input and configuration give the same bytes, however the job is run."""

from __future__ import annotations

import gzip
import json
import pathlib
import random

import e2e_corpus as plain
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from running import EXAMPLE, ROOT, Run, digests, read_manifest, rows, succeed

pytestmark = pytest.mark.slow

ROWS = ("data", "dropped")
"""Dead letters name files, and the manifest holds the configuration, batch sizes included."""
BROKEN = 'no JSON: {"text"\n'


@pytest.fixture(scope="module")
def expected(published: Run) -> dict[str, str]:
    return digests(published.output, *ROWS)


def test_the_carrier_of_rows_reaches_no_byte(
    published: Run, annotated: pathlib.Path, tmp_path: pathlib.Path
):
    run = tmp_path / "run"
    succeed("select", annotated, "--config", EXAMPLE, "--output", run, "--exchange", "shuffle")
    assert digests(run) == digests(published.output)


def test_annotating_and_then_selecting_is_curating(
    published: Run, annotated: pathlib.Path, tmp_path: pathlib.Path
):
    run = tmp_path / "run"
    succeed("select", annotated, "--config", EXAMPLE, "--output", run)
    assert digests(run) == digests(published.output)
    assert read_manifest(run)["run"] == published.manifest["run"]


def rearranged(folder: pathlib.Path) -> pathlib.Path:
    """The corpus in another order, in files of other names, formats and row groups."""
    records = plain.documents()
    random.Random(7).shuffle(records)
    folder.mkdir()
    first, second, third = records[:120], records[120:121], records[121:]
    names = sorted({name for record in records for name in record})
    columns = {name: [record.get(name) for record in first] for name in names}
    pq.write_table(pa.table(columns), folder / "z.parquet", row_group_size=7)
    with gzip.open(folder / "a.ndjson.gz", "wt", encoding="utf-8") as packed:
        packed.writelines(json.dumps(record) + "\r\n" for record in second)
        packed.write(BROKEN)
    with (folder / "m.jsonl").open("w", encoding="utf-8") as lines:
        for record in third:
            fields = dict(sorted(record.items(), reverse=True))
            lines.write(json.dumps(fields, ensure_ascii=False, indent=None) + "\n\n")
        lines.write(BROKEN)
    return folder


def test_names_order_formats_and_row_groups_reach_no_byte(
    published: Run, expected: dict[str, str], tmp_path: pathlib.Path
):
    config = yaml.safe_load((ROOT / EXAMPLE).read_text())
    config["input"] = str(rearranged(tmp_path / "in"))
    config["output"] = str(tmp_path / "run")
    (tmp_path / "job.yaml").write_text(yaml.safe_dump(config))
    succeed("curate", tmp_path / "job.yaml")
    assert digests(tmp_path / "run", *ROWS) == expected
    assert read_manifest(tmp_path / "run")["ledger"] == published.manifest["ledger"]


def test_batch_sizes_reach_no_byte(expected: dict[str, str], tmp_path: pathlib.Path):
    config = yaml.safe_load((ROOT / EXAMPLE).read_text())
    config["ingest"] = {"batch_rows": 3, "batch_bytes": 400}
    (tmp_path / "job.yaml").write_text(yaml.safe_dump(config))
    succeed("curate", tmp_path / "job.yaml", "--output", tmp_path / "run")
    assert digests(tmp_path / "run", *ROWS) == expected


def test_two_worker_processes_reach_no_byte(published: Run, tmp_path: pathlib.Path):
    workers = ("--direct_num_workers=2", "--direct_running_mode=multi_processing")
    run = tmp_path / "run"
    succeed("curate", EXAMPLE, "--output", run, "--staging", tmp_path / "staging", *workers)
    assert digests(run, "data") == digests(published.output, "data")
    # The number of workers decides into how many files dropped rows are cut, and no more.
    one, other = (sorted(rows(folder, "dropped"), key=repr) for folder in (run, published.output))
    assert one == other
    assert read_manifest(run)["ledger"] == published.manifest["ledger"]
    assert read_manifest(run)["run"] == published.manifest["run"]
