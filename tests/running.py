"""Running the command in process, and reading what it published without its own code."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import json
import logging
import pathlib
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.cli import main

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXAMPLE = "examples/holdfast.yaml"
"""Relative to `ROOT`, as its own paths are."""

_LOGGERS = (None, "apache_beam", "holdfast")


@dataclasses.dataclass(frozen=True)
class Ran:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The one line in which a command says no, without its log lines."""
        said = [line for line in self.err.splitlines() if " holdfast INFO " not in line]
        assert len(said) == 1, said
        assert said[0].startswith("holdfast: "), said
        return said[0]


@dataclasses.dataclass(frozen=True)
class Run:
    """A published run and the staging folder that it came from."""

    output: pathlib.Path
    staging: pathlib.Path
    ran: Ran

    @property
    def manifest(self) -> dict[str, Any]:
        return read_manifest(self.output)


def holdfast(*arguments: object) -> Ran:
    """Calls `main` from the repository's root; levels of loggers are put back."""
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    out, err = io.StringIO(), io.StringIO()
    try:
        with _captured(out, err):
            code = main([str(argument) for argument in arguments])
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
    return Ran(code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _captured(out: io.StringIO, err: io.StringIO) -> Iterator[None]:
    with (
        contextlib.chdir(ROOT),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        yield


def succeed(*arguments: object) -> Ran:
    """`holdfast`, and it ends well."""
    ran = holdfast(*arguments)
    assert ran.code == 0, ran.err
    return ran


def read_manifest(run: pathlib.Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((run / "manifest.json").read_bytes())
    return manifest


def write_manifest(run: pathlib.Path, manifest: object) -> None:
    (run / "manifest.json").write_text(json.dumps(manifest))


def shards(run: pathlib.Path) -> list[pa.Table]:
    """The shards in their order."""
    return [pq.ParquetFile(path).read() for path in sorted((run / "data").iterdir())]


def rows(run: pathlib.Path, folder: str) -> list[dict[str, Any]]:
    """All rows of one folder of a run."""
    paths = sorted((run / folder).iterdir())
    return [row for path in paths for row in pq.ParquetFile(path).read().to_pylist()]


def digests(folder: pathlib.Path, *below: str) -> dict[str, str]:
    """sha256 of every file of a folder, or of some folders within it."""
    roots = [folder / name for name in below] or [folder]
    files = sorted(path for root in roots for path in root.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }
