"""Who is compared: the command of each, and where it leaves the documents it kept."""

from __future__ import annotations

import dataclasses
import pathlib
import sys
from collections.abc import Callable

import pyarrow.parquet as pq

from benchmarks.dedup.outcome import read_outcome

__all__ = ["CONTENDERS", "Contender", "python_of"]

_SCRIPTS = pathlib.Path(__file__).parent / "scripts"
Command = list[str]


@dataclasses.dataclass(frozen=True)
class Contender:
    """One way to deduplicate a corpus.

    Attributes:
        name: As printed.
        settings: Permutations and bands, as printed.
        venv: Its environment below the folder of environments; empty for holdfast's own.
        command: From the corpus and the output folder to the command line after Python.
        kept: From the output folder to the URLs of what was kept.
    """

    name: str
    settings: str
    venv: str
    command: Callable[[pathlib.Path, pathlib.Path], Command]
    kept: Callable[[pathlib.Path], set[str]]

    @property
    def slug(self) -> str:
        """Names its output folder."""
        return "".join(c if c.isalnum() else "-" for c in f"{self.name} {self.settings}".lower())


def python_of(venvs: pathlib.Path, venv: str) -> str:
    """The interpreter of an environment."""
    return str(venvs / venv / "bin" / "python") if venv else sys.executable


def _urls(folder: pathlib.Path) -> set[str]:
    files = sorted(folder.rglob("*.parquet"))
    return {url for f in files for url in pq.read_table(f, columns=["url"]).column(0).to_pylist()}


def _script(name: str, *flags: str) -> Callable[[pathlib.Path, pathlib.Path], Command]:
    def command(corpus: pathlib.Path, output: pathlib.Path) -> Command:
        places = ["--input", str(corpus), "--output", str(output)]
        return [str(_SCRIPTS / f"{name}.py"), *places, *flags]

    return command


def _curate(corpus: pathlib.Path, output: pathlib.Path) -> Command:
    places = ["--input", str(corpus / "part-*.parquet"), "--output", str(output)]
    return ["-m", "pipelines.cli", "curate", *places, "--no-floors", "--direct_num_workers=2"]


def _dedup(corpus: pathlib.Path, output: pathlib.Path) -> Command:
    places = ["--input", str(corpus / "part-*.parquet"), "--output", str(output)]
    return ["-m", "benchmarks.dedup.job", *places, "--workers", "2"]


def _published(output: pathlib.Path) -> set[str]:
    """What deduplication kept: published, or left out by the plan."""
    dropped = pq.read_table(output / "dropped", columns=["url", "reason"]).to_pylist()
    duplicate = ("exact_duplicate", "near_duplicate")
    return _urls(output / "data") | {r["url"] for r in dropped if r["reason"] not in duplicate}


CONTENDERS = (
    Contender(
        "holdfast, deduplication alone",
        "21x6, verified",
        "",
        _dedup,
        lambda output: read_outcome(output).kept,
    ),
    Contender("holdfast curate, whole job", "21x6, verified", "", _curate, _published),
    Contender("datatrove, 2 workers", "14x8", "datatrove", _script("datatrove_minhash"), _urls),
    Contender(
        "datatrove, 2 workers",
        "21x6",
        "datatrove",
        _script("datatrove_minhash", "--bands", "21"),
        _urls,
    ),
    Contender(
        "text-dedup, 2 processes", "21x6", "text-dedup", _script("text_dedup_minhash"), _urls
    ),
    Contender("rensa, RMinHashDeduplicator", "128", "rensa", _script("rensa_lsh"), _urls),
    Contender("rensa, RMinHashLSH", "21x6", "rensa", _script("rensa_lsh", "--way", "lsh"), _urls),
    Contender("rensa, rho sketch", "21x6", "rensa", _script("rensa_lsh", "--way", "rho"), _urls),
    Contender(
        "datasketch, xxhash",
        "21x6",
        "datasketch",
        _script("datasketch_lsh", "--hash", "xxhash"),
        _urls,
    ),
    Contender("datasketch, as it comes", "21x6", "datasketch", _script("datasketch_lsh"), _urls),
)
