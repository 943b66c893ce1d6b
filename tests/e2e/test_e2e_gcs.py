"""The whole job on object storage: input, staging, output and index."""

from __future__ import annotations

import hashlib
import json

import e2e_corpus as plain
import pytest
from running import EXAMPLE, Ran, Run, digests, holdfast

from transforms import storage

ROWS = ("data", "dropped")


@pytest.fixture(scope="module")
def crawl(bucket: str) -> str:
    for path in sorted(plain.CORPUS.iterdir()):
        storage.write_bytes_atomically(f"{bucket}/crawl/{path.name}", path.read_bytes())
    return f"{bucket}/crawl"


def curate(bucket: str, crawl: str, *flags: object) -> Ran:
    places = ("--output", f"{bucket}/run", "--latest", f"{bucket}/LATEST.json")
    return holdfast("curate", EXAMPLE, "--input", crawl, *places, *flags)


def below(folder: str) -> dict[str, str]:
    found = [entry.path for entry in storage.glob(f"{folder}/**")]
    return {
        path.removeprefix(f"{folder}/"): hashlib.sha256(storage.read_bytes(path)).hexdigest()
        for path in found
    }


def test_object_storage_reaches_no_byte(bucket: str, crawl: str, published: Run):
    ran = curate(bucket, crawl, "--index", f"{bucket}/index")
    assert ran.code == 0, ran.err
    found = below(f"{bucket}/run")
    expected = digests(published.output)
    assert set(found) == set(expected), "nothing temporary, no claim"
    for name in expected:
        if name.split("/")[0] in ROWS:
            assert found[name] == expected[name]
    staging = below(f"{bucket}/run.staging")
    assert not [name for name in staging if name.startswith(("spool", "progress", "_claim"))]
    assert [name for name in staging if name.startswith("commits/")]
    assert any(name.endswith("segment.json") for name in below(f"{bucket}/index"))
    latest = json.loads(storage.read_bytes(f"{bucket}/LATEST.json"))
    manifest = storage.read_bytes(f"{bucket}/run/manifest.json")
    assert latest["latest"]["path"] == f"{bucket}/run"
    assert latest["latest"]["manifest_sha256"] == hashlib.sha256(manifest).hexdigest()
    again = curate(bucket, crawl, "--index", f"{bucket}/index")
    assert (again.code, "is published already" in again.out) == (0, True)
    other = curate(bucket, crawl, "--rotation", 1)
    assert (other.code, "rotation is 0 there, 1 asked" in other.err) == (2, True)
    assert below(f"{bucket}/run") == found
    verified = holdfast("verify", f"{bucket}/run")
    assert verified.code == 0, verified.out
