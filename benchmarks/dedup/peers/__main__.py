"""The same corpus through holdfast and through others, in one run and one table.

    make bench-peers
    python -m benchmarks.dedup.peers [--documents N] [--only WORD]

Each contender is a fresh process, start-up included, from Parquet to Parquet. One that
could not be installed, or that fails, has a row that says so.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import pathlib
import shutil
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.corpora import add_flags, add_work, mixer
from benchmarks.dedup.judge import Found, Texts, Truth, judge, kept_truth
from benchmarks.dedup.peers.contenders import CONTENDERS, Contender, python_of
from benchmarks.measure import METHOD, Usage, measure
from benchmarks.tables import print_table
from benchmarks.truth import Corpus

__all__ = ["main"]

_THRESHOLD = 0.8
_ROOT = pathlib.Path(__file__).resolve().parents[3]
_WARM_DOCUMENTS = 2_000
Flags = npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class Result:
    """What one contender took and found; `error` tells why there is nothing else."""

    who: Contender
    usage: Usage | None = None
    kept: Flags | None = None
    error: str = ""


def _last_line(log: pathlib.Path) -> str:
    lines = log.read_text(errors="replace").split("\n") if log.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "no output")


def _environment(work: pathlib.Path) -> dict[str, str]:
    """No peer may look for anything on the network, or write outside the work folder."""
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "HF_HOME": str(work / "hf")}
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, **offline, "PYTHONPATH": path}


def _run(
    who: Contender, corpus: pathlib.Path, urls: list[str], given: argparse.Namespace
) -> Result:
    """Runs one contender and reads what it kept; takes its output away again."""
    if who.venv and not (given.venvs / who.venv / ".installed").exists():
        log = given.venvs / f"{who.venv}.log"
        told = _last_line(log) if log.exists() else "run make bench-peers, which installs it"
        return Result(who, error=f"not installed: {told}")
    output, log = given.work / who.slug, given.work / f"{who.slug}.log"
    _clear(output)
    environment = _environment(given.work)
    if who.venv:
        del environment["PYTHONPATH"]
    command = [python_of(given.venvs, who.venv), *who.command(corpus, output)]
    print(f"{who.name}, {who.settings} ...", flush=True)
    with log.open("wb") as sink:
        usage = measure(command, output=sink, env=environment)
    if usage.returncode:
        return Result(who, usage, error=f"ended with {usage.returncode}: {_last_line(log)}")
    try:
        kept = who.kept(output)
    except (OSError, pa.ArrowException) as error:
        return Result(who, usage, error=f"its output cannot be read: {error}".splitlines()[0])
    if unknown := len(kept.difference(urls)):
        return Result(who, usage, error=f"{unknown} URLs of its output are not in the corpus")
    _clear(output)
    print(f"  {usage.wall:.1f} s, CPU {usage.cpu:.1f} s, {len(kept):,} of {len(urls):,} kept")
    return Result(who, usage, np.fromiter((url in kept for url in urls), np.bool_, len(urls)))


def _clear(output: pathlib.Path) -> None:
    for place in (output, output.with_name(f"{output.name}.staging")):
        shutil.rmtree(place, ignore_errors=True)


def _ratio(part: int, whole: int) -> str:
    return f"{part / whole:.5f}" if whole else "-"


def _row(result: Result, truth: Truth, template: Flags) -> list[str]:
    """One row of the table; of a contender that failed, how."""
    name = [result.who.name, result.who.settings]
    if result.usage is None or result.kept is None:
        return [*name, *["-"] * 10]
    usage, kept = result.usage, result.kept
    plain: Flags = ~np.all(template[truth.pairs], axis=1)
    spaced: Flags = plain & ~np.any(truth.unspaced[truth.pairs], axis=1)
    everywhere = judge(truth, kept, plain)
    among_spaced = judge(truth, kept, spaced)
    cost = [f"{len(kept) / usage.wall:,.0f}", f"{usage.wall:.1f}", f"{usage.cpu:.1f}"]
    cost += [f"{usage.peak / 1e6:,.0f}", f"{kept.sum():,}", f"{kept[template].sum():,}"]
    return [*name, *cost, *_quality(everywhere, among_spaced)]


def _quality(everywhere: Found, spaced: Found) -> list[str]:
    recall = [_ratio(found.hit, found.pairs) for found in (everywhere, spaced)]
    return [*recall, _ratio(everywhere.right, everywhere.removed), f"{everywhere.removed:,}"]


def _table(results: Sequence[Result], truth: Truth, template: Flags) -> None:
    header = ["contender", "settings", "docs/s", "wall s", "CPU s", "peak MB", "kept"]
    header += ["templates kept", "recall", "recall, spaced", "precision", "removed"]
    documents, pairs = len(template), int((~template[truth.pairs].all(axis=1)).sum())
    title = (
        f"{documents:,} documents, {pairs:,} pairs with exact Jaccard >= {_THRESHOLD} ({METHOD})"
    )
    print_table(title, header, [_row(result, truth, template) for result in results])
    for result in results:
        if result.error:
            print(f"{result.who.name}, {result.who.settings}: {result.error}")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_flags(parser)
    parser.add_argument("--documents", type=int, default=100_000, help="default 100,000")
    add_work(parser)
    parser.add_argument(
        "--venvs",
        type=pathlib.Path,
        default=_ROOT / ".bench",
        help="environments of the peers (default .bench, made by make bench-peers)",
    )
    parser.add_argument("--only", metavar="WORD", help="contenders whose name holds it")
    return parser.parse_args()


def main() -> None:
    """Runs every contender, then judges all of them."""
    given = _parse()
    chosen = [who for who in CONTENDERS if (given.only or "") in f"{who.name} {who.settings}"]
    if not chosen:
        names = ", ".join(who.name for who in CONTENDERS)
        raise SystemExit(f"--only {given.only!r} matches nobody; there are {names}")
    given.work, given.venvs = given.work.resolve(), given.venvs.resolve()
    given.work.mkdir(parents=True, exist_ok=True)
    mix = mixer(given)
    folder = mix.corpus(given.work, given.documents, 1)
    warm = mix.corpus(given.work, min(_WARM_DOCUMENTS, given.documents), 1)
    print("warming up: the first run after an installation compiles and caches")
    warm_urls = Corpus(warm).url
    for who in chosen:
        _run(who, warm, warm_urls, given)
    corpus = Corpus(folder)
    results = [_run(who, folder, corpus.url, given) for who in chosen]
    truth = kept_truth(Texts(corpus.read), len(corpus), _THRESHOLD, folder)
    template = np.array([kind == "template" for kind in corpus.kind])
    _table(results, truth, template)


if __name__ == "__main__":
    main()
