"""A hundred times the partitions: nothing but summaries comes together on one worker."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import random
from collections.abc import Mapping

import pytest
from running import succeed

from pipelines import run as launching
from transforms.dedup.partitions import Scale

FEW, MANY = 1, 100
DOCUMENTS, FILES = 2_000, 50
ONE = {
    "survey", "decide_tail", "plan", "deal_protected", "deal_rest", "total", "record_kept",
    "record_dead_letters", "solve_rest", "write_dropped", "write_dead_letters",
}  # fmt: skip
"""Exchanges with a partition of their own number: summaries go to one, files to a few."""
BY_PART = {"settle_parts", "fetch_signatures", "fetch_shingles", "thin_hot_buckets"}
"""Exchanges whose rows go where their part is: a part, one split of a file, is the least."""
OWN = {"assemble_shards", "finish_shards", "unique_pairs"}
"""Shards have a size of their own; a pair is found once in one partition of bands, and up to
21 times in many, before it is made unique."""
SUMMARY = 40_000
"""Most bytes that a further partition adds to what one worker holds of summaries."""
ENOUGH = 2_000 * MANY
"""Bytes from which an exchange has many rows for every partition."""
SKEW = 6.0
"""Most that the largest partition may have of an even share, where all have many rows."""


@dataclasses.dataclass(frozen=True)
class Told:
    """Counters of a run, by exchange."""

    shuffled: Mapping[str, int]
    largest: Mapping[str, int]
    sides: Mapping[str, int]


def write_corpus(folder: pathlib.Path) -> pathlib.Path:
    """Texts of a hundred random words, one in ten a near-copy of another."""
    rng = random.Random(11)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(5_000)]
    texts: list[list[str]] = []
    for number in range(DOCUMENTS):
        copied = number > 10 and number % 10 == 0
        text = list(rng.choice(texts)) if copied else rng.choices(words, k=100)
        texts.append([*text[:-1], f"end{number}"])
    for file in range(FILES):
        with (folder / f"part-{file:03}.jsonl").open("w") as lines:
            for number in range(file, DOCUMENTS, FILES):
                url = f"https://host{number % 97}.example/{number}"
                record = {"text": " ".join(texts[number]), "url": url, "date": "2019-05-01"}
                lines.write(json.dumps(record) + "\n")
    return folder / "part-*.jsonl"


def told(folder: pathlib.Path, corpus: pathlib.Path, partitions: int) -> Told:
    scale = Scale(light=partitions, text=partitions, files=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launching, "scale_of", lambda *_: scale)
        succeed(
            "curate", "--input", corpus, "--output", folder / "run", "--staging",
            folder / "staging", "--no-floors", "--shard-size", "20000",
        )  # fmt: skip
    counters = json.loads((folder / "staging" / "metrics.json").read_text())

    def of(prefix: str) -> dict[str, int]:
        return {n.removeprefix(prefix): v for n, v in counters.items() if n.startswith(prefix)}

    return Told(of("exchange_bytes:"), of("max:partition_bytes:"), of("max:side_bytes:"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Told, Told]:
    folder = tmp_path_factory.mktemp("partitions")
    corpus = write_corpus(folder)
    few, many = (told(folder / str(number), corpus, number) for number in (FEW, MANY))
    return few, many


def test_rows_are_spread_evenly(runs: tuple[Told, Told]):
    _, many = runs
    looked = 0
    for name, total in many.shuffled.items():
        if name in ONE or total < ENOUGH:
            continue
        looked += 1
        least = FILES if name in BY_PART else MANY
        assert many.largest[name] <= SKEW * total / least, name
    assert looked >= 5


def test_the_largest_partition_shrinks_with_their_number(runs: tuple[Told, Told]):
    few, many = runs
    for name, total in many.shuffled.items():
        if name not in ONE | OWN and total >= ENOUGH:
            assert many.largest[name] < few.largest[name] / 8, name


def test_what_comes_together_are_summaries(runs: tuple[Told, Told]):
    few, many = runs
    for name in ONE & many.largest.keys():
        more = (many.largest[name] - few.largest[name]) / (MANY - FEW)
        assert more <= SUMMARY, f"{name}: {more:.0f} bytes for each further partition"


def test_side_inputs_are_summaries(runs: tuple[Told, Told]):
    few, many = runs
    for name, held in many.sides.items():
        more = (held - few.sides.get(name, 0)) / (MANY - FEW)
        assert more <= SUMMARY, f"{name}: {more:.0f} bytes for each further partition"
