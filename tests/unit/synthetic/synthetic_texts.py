"""Invented texts of two manners, enough of them to train a small classifier on."""

from __future__ import annotations

import gzip
import json
import pathlib
import random

import numpy as np
import pyarrow as pa

from transforms.synthetic.examples import Examples

NOUNS = "mill river winter harvest bridge lantern kettle stove ferry orchard".split()  # noqa: SIM905
PLAIN = ["well , the {a} broke and we never fixed the {b} .", "i saw a {a} by the {b} , I think !"]
PLAIN += ["my uncle kept a {a} ; nobody liked his {b} .", "So , a {a} ? no . The old {b} it was ."]
GRAND = ["Moreover , the {a} serves as a testament to the {b} .", "It is important to note the {a}"]
GRAND += ["In conclusion , the {a} plays a crucial role in every {b} ."]
GRAND += ["Additionally , the {a} fosters a deeper understanding of the {b} ."]


def text_of(rng: random.Random, *, machine: bool, sentences: int = 14) -> str:
    """A text of one manner with one sentence in seven of the other."""
    made = []
    for _ in range(sentences):
        kinds = GRAND if machine != (rng.random() < 1 / 7) else PLAIN
        made.append(rng.choice(kinds).format(a=rng.choice(NOUNS), b=rng.choice(NOUNS)))
    return " ".join(made)


def rows(n: int = 160, seed: int = 0) -> list[dict[str, str]]:
    """Examples of two domains and two generators, half of them human."""
    rng = random.Random(seed)
    made = []
    for number in range(n):
        machine = number % 2 == 1
        made.append(
            {
                "text": text_of(rng, machine=machine),
                "label": "machine" if machine else "human",
                "generator": f"model-{number % 4 // 2}" if machine else "human",
                "domain": f"domain {number % 4 // 2}",
                "lang": "eng_Latn",
            }
        )
    return made


def examples(n: int = 160, seed: int = 0) -> Examples:
    """The rows as examples of two files."""
    made = rows(n, seed)
    columns = [
        np.array([row[name] for row in made]) for name in ("label", "generator", "domain", "lang")
    ]
    source = np.array([f"file{number % 8 // 4}" for number in range(n)])
    return Examples(pa.array([row["text"] for row in made]), *columns, source)


def write(folder: pathlib.Path, n: int = 160) -> list[pathlib.Path]:
    """The rows as two files, one of them compressed."""
    made = rows(n)
    paths = [folder / "file0.jsonl", folder / "file1.jsonl.gz"]
    lines = [json.dumps(row).encode() + b"\n" for row in made]
    paths[0].write_bytes(b"".join(lines[: n // 2]))
    paths[1].write_bytes(gzip.compress(b"".join(lines[n // 2 :])))
    return paths
