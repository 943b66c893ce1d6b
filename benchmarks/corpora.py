"""Corpora of real texts, mixed to a size, and kept for the next time."""

from __future__ import annotations

import argparse
import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys

__all__ = ["Mixer", "add_flags", "add_work", "mixer"]

_ROOT = pathlib.Path(__file__).resolve().parent.parent
_DONE = "mixed-with"


@dataclasses.dataclass(frozen=True)
class Mixer:
    """The program that mixes a corpus, and the texts that it mixes.

    Attributes:
        program: `mix_corpus.py`.
        data: Folder of its texts.
    """

    program: pathlib.Path
    data: pathlib.Path

    def corpus(self, work: pathlib.Path, documents: int, longer: int) -> pathlib.Path:
        """The folder of a corpus, mixed now unless it is there already."""
        folder = work / f"corpus-{documents}-{longer}"
        flags = ["--docs", str(documents), "--longer", str(longer)]
        told = " ".join([str(self.program.resolve()), str(self.data.resolve()), *flags])
        done = folder / _DONE
        if done.exists() and done.read_text() == told:
            return folder
        shutil.rmtree(folder, ignore_errors=True)
        print(f"mixing {folder} ...", flush=True)
        places = ["--data", str(self.data), "--out", str(folder)]
        subprocess.run([sys.executable, str(self.program), *places, *flags], check=True)
        done.write_text(told)
        return folder


def add_work(parser: argparse.ArgumentParser) -> None:
    """Adds the flag that says where a benchmark works."""
    parser.add_argument(
        "--work",
        type=pathlib.Path,
        default=pathlib.Path("/tmp/holdfast-bench"),  # noqa: S108  # reused on purpose
        help="what is read, outputs and logs (default /tmp/holdfast-bench)",
    )


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that say where the mixer and its texts are."""
    program = os.environ.get("HOLDFAST_MIX", str(_ROOT / "../shared/tools/mix_corpus.py"))
    data = os.environ.get("HOLDFAST_DATA", str(_ROOT / "../shared/data"))
    parser.add_argument(
        "--mix", type=pathlib.Path, default=program, help="the corpus mixer (or HOLDFAST_MIX)"
    )
    parser.add_argument(
        "--data", type=pathlib.Path, default=data, help="its texts (or HOLDFAST_DATA)"
    )


def mixer(given: argparse.Namespace) -> Mixer:
    """The mixer that the flags name.

    Raises:
        SystemExit: It, or the texts, are not there.
    """
    for path, what, flag, variable in (
        (given.mix, "the corpus mixer", "--mix", "HOLDFAST_MIX"),
        (given.data, "the folder of texts", "--data", "HOLDFAST_DATA"),
    ):
        if not path.exists():
            raise SystemExit(
                f"{what} is missing: {path} does not exist; name it with {flag} or {variable}. "
                "The benchmark mixes its corpora from real texts that do not ship with holdfast."
            )
    return Mixer(given.mix, given.data)
