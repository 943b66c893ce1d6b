"""`make s3-check`: the job on Amazon S3's interface, served by moto on this machine.

Runs in an environment of its own, which has the clients of Amazon besides what holdfast
needs.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import boto3
from gcs_server import free_port
from soak_job import Job, data_of, digests, write_corpus

BUCKET = "bucket-of-tests"


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310  # loopback
        except urllib.error.HTTPError:
            return
        except OSError:
            if server.poll() is not None:
                raise RuntimeError(f"moto ended with {server.returncode}") from None
            time.sleep(0.1)
        else:
            return


def check(folder: pathlib.Path, url: str) -> list[str]:
    """Runs the job on local files and on S3; what differs."""
    source = write_corpus(folder / "crawl")
    began = time.monotonic()
    calm = Job(str(source), str(folder / "calm"), str(folder / "calm.staging"))
    code, said = calm.finish()
    if code:
        return [f"on local files, it ended with {code}: {said}"]
    print(f"on local files: ended after {time.monotonic() - began:.0f} s", flush=True)
    client = boto3.client("s3", endpoint_url=url)
    client.create_bucket(Bucket=BUCKET)
    for path in source.iterdir():
        client.upload_file(str(path), BUCKET, f"crawl/{path.name}")
    places = (f"s3://{BUCKET}/crawl", f"s3://{BUCKET}/run", f"s3://{BUCKET}/run.staging")
    for tries in ("first", "same run again"):
        began = time.monotonic()
        code, said = Job(*places).finish()
        print(f"{tries}: ended with {code} after {time.monotonic() - began:.0f} s", flush=True)
        if code:
            return [f"{tries}: it ended with {code}: {said}"]
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="run/")
    names = [item["Key"] for page in pages for item in page.get("Contents", ())]
    found = {
        name.removeprefix("run/"): hashlib.sha256(
            client.get_object(Bucket=BUCKET, Key=name)["Body"].read()
        ).hexdigest()
        for name in names
    }
    expected = digests(folder / "calm")
    wrong = [f"{name} is there" for name in found if name not in expected]
    # Dead letters and the ledger name files, which are called otherwise here.
    wrong += [
        f"{name} differs"
        for name, digest in data_of(expected).items()
        if not name.startswith("dead_letters/") and found.get(name) != digest
    ]
    return wrong


def main() -> int:
    """0 if the job does on S3 what it does on local files."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    os.environ |= {"AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": "us-east-1"}
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: S603  # as above
    try:
        _wait(url, server)
        with tempfile.TemporaryDirectory(prefix="holdfast-s3-") as folder:
            wrong = check(pathlib.Path(folder), url)
    finally:
        server.kill()
        server.wait()
    print("\n".join(wrong) or "on S3 the job publishes what it publishes on local files")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
