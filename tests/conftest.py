"""Runs that many tests look at are made once for all of them; nobody changes them."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import hypothesis
import pytest
from gcs_server import BUCKET, serving
from running import EXAMPLE, Run, succeed

from transforms.gcs import EMULATOR

# Time is a matter of benchmarks: a busy machine fails no test.
hypothesis.settings.register_profile(
    "holdfast",
    deadline=None,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("holdfast")


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """`holdfast curate` on the example corpus."""
    folder = tmp_path_factory.mktemp("published")
    output, staging = folder / "run", folder / "staging"
    return Run(
        output, staging, succeed("curate", EXAMPLE, "--output", output, "--staging", staging)
    )


@pytest.fixture(scope="session")
def annotated(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The staging folder of `holdfast annotate` on the example corpus; selecting may use it."""
    staging = tmp_path_factory.mktemp("annotated") / "staging"
    succeed("annotate", EXAMPLE, "--output", staging)
    return staging


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """A bucket of a storage server of one's own, for the tests of a module."""
    with serving() as server, pytest.MonkeyPatch.context() as patched:
        patched.setenv(EMULATOR, server.url)
        yield f"gs://{BUCKET}"
