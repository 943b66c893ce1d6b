"""Spark, behind Beam's job server, with Python workers in processes of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from engines_check import Check

from deploy.processes import Processes
from deploy.spark.server import Server, start


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("spark")
    with Processes(folder) as processes:
        yield start(processes, folder, threads=2)


@pytest.mark.parametrize("carrier", ["files", "shuffle"])
def test_same_bytes(same_bytes: Check, server: Server, carrier: str):
    same_bytes("--exchange", carrier, *server.flags)
