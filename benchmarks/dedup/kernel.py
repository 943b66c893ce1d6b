"""Signatures a second on one core: holdfast's kernel beside those of others.

    make bench-kernel
    python -m benchmarks.dedup.kernel [--documents N] [--words N]

Each runs in its own environment, held to one core, on the same made-up texts of about
400 words, with 126 permutations over word 5-grams. Where a row begins is its step: the
text as read, its normal form, ready shingles, or ready shingle hashes.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import tempfile
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.dedup.peers.contenders import python_of
from benchmarks.dedup.texts import made_up
from benchmarks.tables import print_table

__all__ = ["main"]

_ROOT = pathlib.Path(__file__).resolve().parents[2]
_SCRIPTS = _ROOT / "benchmarks" / "dedup" / "peers" / "scripts"
_KERNELS = (
    ("holdfast", ""),
    ("rensa", "rensa"),
    ("datasketch", "datasketch"),
    ("datatrove", "datatrove"),
)
_STEPS = ("text", "normal form", "shingles", "hashes")
_SLOWEST = {"datatrove": 20, "datasketch": 4}
"""By how much fewer documents a slow one is measured on."""
Rates = dict[tuple[str, str], float]


def _one_core() -> None:
    """Holds this process, and so what it starts, to one core."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def _measure(name: str, venv: str, texts: list[str], given: argparse.Namespace) -> Rates | str:
    """Rates by (kernel, step), or why there are none."""
    if venv and not (given.venvs / venv / ".installed").exists():
        return "not installed: run make bench-kernel, which installs it"
    threads = ("RAYON_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    environment = {**os.environ, **dict.fromkeys(threads, "1"), "PYTHONPATH": str(_ROOT)}
    if venv:
        del environment["PYTHONPATH"]
    with tempfile.NamedTemporaryFile(suffix=".parquet") as source:
        pq.write_table(
            pa.table({"text": texts[: len(texts) // _SLOWEST.get(name, 1)]}), source.name
        )
        command = [python_of(given.venvs, venv), str(_SCRIPTS / f"{name}_kernel.py")]
        command += ["--input", source.name, "--passes", str(given.passes)]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if ran.returncode:
        return next(reversed(ran.stderr.strip().splitlines()), f"ended with {ran.returncode}")
    found: list[dict[str, Any]] = [json.loads(line) for line in ran.stdout.splitlines()]
    return {(row["name"], row["step"]): row["rate"] for row in found}


def _table(title: str, rates: Rates) -> None:
    """Documents a second by step, and how many times faster holdfast is from the text."""
    ours = rates.get(("holdfast", "text"))
    rows = []
    for name in dict.fromkeys(name for name, _ in rates):
        cells = [rates.get((name, step)) for step in _STEPS]
        shown = [f"{rate:,.0f}" if rate else "" for rate in cells]
        whole, bare = cells[0], cells[-1]
        least = rates.get(("holdfast", "hashes"))
        ratios = [
            f"{one / other:.1f}" if one and other else ""
            for one, other in ((ours, whole), (least, bare))
        ]
        rows.append([name, *shown, *ratios])
    header = ("documents/s from", *_STEPS, "holdfast faster, text", "holdfast faster, hashes")
    print_table(title, header, rows)


def main() -> None:
    """Measures every kernel on plain and on accented letters."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=int, default=20_000, help="default 20,000")
    parser.add_argument("--words", type=int, default=400, help="of a text (default 400)")
    parser.add_argument("--passes", type=int, default=3, help="the best counts (default 3)")
    parser.add_argument("--venvs", type=pathlib.Path, default=_ROOT / ".bench")
    given = parser.parse_args()
    _one_core()
    for ascii_only in (True, False):
        texts = made_up(given.documents, given.words, ascii_only=ascii_only)
        rates: Rates = {}
        for name, venv in _KERNELS:
            told = _measure(name, venv, texts, given)
            if isinstance(told, str):
                print(f"{name}: {told}")
            else:
                rates |= told
        letters = "ASCII" if ascii_only else "accented letters"
        _table(f"One core, {given.words} words, 126 permutations, {letters}", rates)


if __name__ == "__main__":
    main()
